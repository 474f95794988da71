"""Options of one call that are others than the decorator's: what changes, and what stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import alula
import alula.testing
from alula import (
    Affinity,
    Backoff,
    Cache,
    NodeRule,
    Pod,
    Resources,
    Retries,
    Secret,
    grow,
    map_task,
    task,
    workflow,
)
from alula.emit import resources

OTHERS = {
    "retries": (5, "retries", {"limit": 5}),
    "no retries": (0, "retries", None),
    "backoff": (Retries(2, Backoff("10s")), "retries", {"limit": 2, "backoff": {"duration": "10s", "factor": 2}}),
    "backoff of losses": (
        Retries(0, Backoff("1s", factor=1)),
        "retries",
        {"backoff": {"duration": "1s", "factor": 1}},
    ),
    "timeout": ("10m", "timeout", "10m"),
    "no timeout": (None, "timeout", None),
    "cache": (Cache("2"), "cache", {"version": "2"}),
    "no cache": (False, "cache", None),
    "resources": (Resources(cpu=2), "resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}),
    "no resources": (None, "resources", None),
    "image": ("ghcr.io/acme/other:1", "image", "ghcr.io/acme/other:1"),
    "interruptible": (True, "interruptible", True),
    "not interruptible": (False, "interruptible", False),
    "memory that grows": (grow(1.5, "4Gi"), "onOom", {"factor": "1.5", "max": "4Gi"}),
    "settings of a pod": (
        Pod(template="large", affinity=Affinity(nodes=[NodeRule("disk", "In", ["ssd"])])),
        "pod",
        {"template": "large", "affinity": {"nodes": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}},
    ),
    "environment": ({"A": "1"}, "env", [{"name": "A", "value": "1"}]),
    "no environment": ({}, "env", None),
    "secrets": (
        [Secret("KEY", secret="s", key="k")],
        "secrets",
        [{"name": "KEY", "secret": "s", "key": "k"}],
    ),
}


@task(
    retries=3,
    timeout="1h",
    cache=Cache("1"),
    resources=Resources(memory="1Gi"),
    image="ghcr.io/acme/one:1",
    environment={"A": "0"},
    secrets=[Secret("TOKEN", secret="s", key="t")],
)
def fit(n: int) -> int:
    return n + 1


@pytest.mark.parametrize("case", OTHERS)
def test_an_option_replaces_the_decorators_and_the_others_stay(case: str) -> None:
    value, field, expected = OTHERS[case]
    option = {"env": "environment", "onOom": "on_oom"}.get(field, field)

    @workflow
    def both(n: int = 1) -> tuple[int, int]:
        return fit(n), fit.with_overrides(**{option: value})(n)  # type: ignore[misc]

    plain, other = resources.workflow_spec(both, resources.Code("ghcr.io/acme/all:1")).to_json()["tasks"]
    assert other.pop(field, None) == expected
    plain.pop(field, None)
    assert other.pop("name") != plain.pop("name")
    assert other == plain


def test_a_growth_is_checked_with_the_options_that_a_call_has_together() -> None:
    with pytest.raises(alula.DefinitionError, match=r"(?s)the option on_oom cannot be .*resources name their memory"):
        fit.with_overrides(on_oom=grow(2, "8Gi"), resources=Resources(cpu=1))
    with pytest.raises(alula.DefinitionError, match=r"(?s)on_oom, max cannot be '1Gi'.*more memory than the 1Gi"):
        fit.with_overrides(on_oom=grow(2, "1Gi"))
    assert fit.with_overrides(on_oom=grow(2, "8Gi")).with_overrides(on_oom=None).options == fit.options


def test_what_changes_nothing_is_the_task_itself() -> None:
    same = fit.with_overrides(retries=3)
    assert (same.name, same.options) == (fit.name, fit.options)
    assert fit.with_overrides(retries=1).with_overrides(retries=3).name == fit.name


def test_a_name_tells_the_options_whatever_came_before() -> None:
    one = fit.with_overrides(retries=1, image="x:1")
    assert one.name == fit.with_overrides(image="x:1").with_overrides(retries=1).name
    assert one.name.startswith("fit-") and one.name != fit.with_overrides(retries=1).name
    assert (fit.name, fit.options.retries.limit) == ("fit", 3)


def test_what_pods_came_to_say_later_changes_no_name() -> None:
    """It stands in releases, and in what people have patched."""
    other = Pod(secrets={"/secrets/db": "db"}, template="large")
    assert fit.with_overrides(pod=other, resources=Resources(cpu=2)).name == "fit-35b734"
    assert fit.with_overrides(pod=other._replace(config_maps={"/config": "c"})).name != "fit-35b734"


def test_calls_are_named_after_the_task_or_as_they_are_told() -> None:
    @workflow
    def named(n: int = 1) -> int:
        other = fit.with_overrides(retries=1)
        return fit(other(other.with_overrides(name="second")(other.named("first")(n))))

    @workflow
    def mapped(ns: list[int]) -> list[int]:
        return map_task(fit.with_overrides(name="second"))(map_task(fit.with_overrides(retries=1))(ns))

    assert [node.id for node in named.graph.nodes] == ["first", "second", "fit", "fit-2"]
    assert [node.id for node in mapped.graph.nodes] == ["fit", "second"]


@task(cache=Cache("1"))
def once(n: int) -> int:
    return n * 2


def test_results_are_shared_through_the_cache_and_not_where_it_is_off(tmp_path: Path) -> None:
    @workflow
    def thrice(n: int = 4) -> tuple[int, int, int]:
        first = once(n)
        larger = once.with_overrides(resources=Resources(cpu=1), name="larger")(n)
        apart = once.with_overrides(cache=False, name="apart")(n)
        first >> larger >> apart
        return first, larger, apart

    with alula.testing.local(tmp_path):
        result = alula.run(thrice, processes=True, workers=1)
    assert result.value == (8, 8, 8)
    states = {node.id: node.state for node in result.nodes}
    assert states == {"once": "done", "larger": "cached", "apart": "done"}


@task(retries=2)
def never(n: int) -> int:
    raise ValueError(os.environ.get("SAID", "nothing"))


@pytest.mark.parametrize(("given", "attempts"), [({}, 3), ({"retries": 0}, 1), ({"retries": 1}, 2)])
def test_retries_count_as_the_call_says(given: dict[str, int], attempts: int) -> None:
    @workflow
    def fails(n: int = 1) -> int:
        return never.with_overrides(name="never", environment={"SAID": "it"}, **given)(n)  # type: ignore[misc]

    with pytest.raises(alula.RunFailed) as failed:
        alula.run(fails, records=False)
    assert failed.value.result.node("never").attempts == attempts
    assert "it" in str(failed.value)


def test_a_mock_of_the_task_stands_in_for_its_calls_with_other_options() -> None:
    @workflow
    def mocked(n: int = 1) -> int:
        return fit.with_overrides(retries=0)(n)

    with alula.testing.mock(fit, returns=100):
        assert mocked() == 100


MISTAKES = {
    "an unknown option": ({"cpu": 2}, "a task has no option 'cpu'", "write resources=Resources(cpu=...)"),
    "a value out of range": ({"retries": -1}, "the option retries cannot be -1", "from 0 to 100"),
    "a name that no node has": ({"name": "No Such"}, "a call cannot be named 'No Such'", 'write .named("no-such")'),
    "a variable twice": ({"environment": {"TOKEN": "1"}}, "the option environment cannot be 'TOKEN'", "given once"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_where_the_override_stands(case: str) -> None:
    given, message, more = MISTAKES[case]
    with pytest.raises(alula.DefinitionError) as refused:
        fit.with_overrides(**given)  # type: ignore[misc]
    assert "test_overrides.py" in str(refused.value)
    assert message in str(refused.value)
    assert more in str(refused.value)
