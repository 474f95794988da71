"""What a user of Flyte writes first is answered with what to write instead."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest

import alula
from alula import Cache, Cron, DefinitionError, LaunchPlan, Resources, Secret, Workflow, task, workflow
from alula.interfaces import flyte_names
from alula.interfaces.flyte_names import Verdict

ABSENT = [name for name in flyte_names.NAMES if name not in alula.__all__]


@pytest.mark.parametrize("name", ABSENT)
def test_importing_a_name_of_flyte_says_what_to_write(name: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(f"from alula import {name}", {})
    assert str(caught.value) == flyte_names.sentence(name)
    with pytest.raises(ImportError, match=f"^alula has no {name}( yet)?: "):
        getattr(alula, name)


@pytest.mark.parametrize("name", flyte_names.NAMES)
def test_a_verdict_is_true_and_its_text_one_sentence(name: str) -> None:
    found = flyte_names.NAMES[name]
    assert "\n" not in found.text and not found.text.endswith(".")
    assert len(found.text) <= 100
    if name in alula.__all__:
        assert found.verdict not in {Verdict.NOT_YET, Verdict.NO}


def test_any_other_name_is_no_attribute_as_in_every_module() -> None:
    with pytest.raises(AttributeError, match="module 'alula' has no attribute 'maptask'"):
        getattr(alula, "maptask")
    with pytest.raises(ImportError, match="cannot import name 'maptask'"):
        exec("from alula import maptask", {})
    assert not hasattr(alula, "__path_hook__")


@task
def one(x: int) -> int:
    return x


@workflow
def whole(x: int = 1) -> int:
    return one(x)


@workflow
def overridden(x: int = 1) -> int:
    return one(x).with_overrides(retries=3)  # type: ignore[attr-defined,no-any-return]


@workflow
def ordered(x: int = 1) -> int:
    return one(x).runs_before(one(x))  # type: ignore[attr-defined,no-any-return]


def loose(function: Any) -> Any:
    """A callable as its user sees it who has no type checker."""
    return function


CALLS: dict[str, tuple[Callable[[], object], str, str]] = {
    "mem": (lambda: loose(Resources)(mem="1Gi"), "Resources has no option 'mem'", "write memory=..."),
    "a typo": (lambda: loose(Resources)(memry="1Gi"), "Resources has no option 'memry'", "did you mean memory=?"),
    "group": (lambda: loose(Secret)(group="db", key="p"), "Secret has no option 'group'", "write secret=..."),
    "a secret without its key": (
        lambda: loose(Secret)("DB"),
        "Secret: missing a required argument: 'secret'",
        "write Secret(name, secret, key)",
    ),
    "serialize": (
        lambda: loose(Cache)(serialize=True),
        "Cache has no option 'serialize'",
        "two equal calls at one time both run, and store the same",
    ),
    "kickoff time": (
        lambda: loose(Cron)("@daily", kickoff_time_input_arg="t"),
        "Cron has no option 'kickoff_time_input_arg'",
        "write input=...",
    ),
    "schedule=": (lambda: loose(Cron)(schedule="@daily"), "no option 'schedule'", 'write Cron("0 2 * * *")'),
    "get_or_create": (
        lambda: loose(LaunchPlan).get_or_create(whole),
        "LaunchPlan has no method get_or_create",
        'write LaunchPlan("name", workflow, inputs=..., fixed_inputs=...)',
    ),
    "default_inputs": (
        lambda: loose(LaunchPlan)("p", whole, default_inputs={}),
        "LaunchPlan has no option 'default_inputs'",
        "write inputs=...",
    ),
    "an imperative workflow": (
        lambda: loose(Workflow)(name="w"),
        "Workflow: missing a required argument: 'function'",
        "put it together with ImperativeWorkflow: add_input, add, add_output, and `with wf:` for the rest",
    ),
    "add_entity": (
        lambda: loose(Workflow).add_entity(one),
        "Workflow has no method add_entity",
        "put it together with ImperativeWorkflow: add_input, add, add_output, and `with wf:` for the rest",
    ),
    "docs": (
        lambda: loose(workflow)(docs="what it does"),
        "a workflow has no option 'docs'",
        "write a docstring",
    ),
    "interruptible": (
        lambda: loose(workflow)(interruptible=True)(lambda: 1),
        "a workflow has no option 'interruptible'",
        "@task has it, and a Domain's taskDefaults for all tasks that say nothing",
    ),
    "with_overrides": (
        lambda: overridden.graph,
        "the result of task one is asked for with_overrides()",
        "write it before the call: fit.with_overrides(retries=0)(...)",
    ),
    "runs_before": (lambda: ordered.graph, "is asked for runs_before()", "write a >> b"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_call_as_in_flyte_says_what_to_write(case: str) -> None:
    call, message, hint = CALLS[case]
    with pytest.raises(DefinitionError) as caught:
        call()
    (problem,) = caught.value.diagnostics
    assert message in problem.message
    assert problem.hint == hint
    assert "test_flyte_names.py:" in problem.source


def test_every_wrong_option_is_told_at_once() -> None:
    with pytest.raises(DefinitionError) as caught:
        loose(Resources)(mem="1Gi", cpus=1)
    assert [each.hint for each in caught.value.diagnostics] == ["write memory=...", "did you mean cpu=?"]


@pytest.mark.parametrize("owner", [*flyte_names.OPTIONS, *flyte_names.MISSING])
def test_no_option_that_exists_is_called_missing(owner: str) -> None:
    from alula.declare.options import TaskOptions

    known = TaskOptions._fields if owner == "task" else inspect.signature(getattr(alula, owner)).parameters
    assert known
    assert not {*flyte_names.OPTIONS.get(owner, {}), *flyte_names.MISSING.get(owner, {})} & {*known}


@pytest.mark.parametrize("value", [Resources(cpu=1), Secret("A", "b", "c"), Cache("1"), Cron("@daily")], ids=repr)
def test_options_are_values_as_before(value: Any) -> None:
    assert copy.copy(value) == value == copy.deepcopy(value)
    assert hash(value) == hash(copy.deepcopy(value))


def test_a_launch_plan_knows_where_it_stands() -> None:
    plan = LaunchPlan("p", whole)
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    assert plan.source.line == line and plan.source.file.endswith("test_flyte_names.py")
