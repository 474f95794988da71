"""Runs that follow others, against an API server in a dictionary, killed wherever it can be killed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alula_api import kinds
from alula_api.argo.runs import COMPLETED_LABEL
from alula_api.contract import labels
from alula_api.contract.triggers import Passed, Trigger, circle, circle_problem, of_project
from alula_controller.cluster import errors
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.triggers.decide import MOST_UNFINISHED
from alula_controller.triggers.reconcile import ENDED_RUN, WAITING_PLAN, TriggerKey, Triggers
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
AFTER = Trigger(plan="first", inputs=(Passed("x", "total"),))
PLAN = TriggerKey(scenes.SPACE, "second", WAITING_PLAN)


def over(name: str = "up", phase: str = "Succeeded", when: datetime = NOON, **marks: str) -> dict[str, Any]:
    """A run of the launch plan `first` that is over, with one output."""
    found = {labels.REVISION: "r", labels.LAUNCH_PLAN: "first", labels.WORKFLOW: "sums", COMPLETED_LABEL: "true"}
    texts = {"total": "42", "part": "1", "part--path": "[]"} if phase == "Succeeded" else {}
    outputs = {"parameters": [{"name": each, "value": text} for each, text in texts.items()]}
    root = {"id": name, "name": name, "type": "DAG", "phase": phase, "outputs": outputs}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": scenes.SPACE, "uid": f"uid-of-{name}", "labels": {**found, **marks}},
        "spec": {"workflowTemplateRef": {"name": "lp-first"}},
        "status": {"phase": phase, "finishedAt": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "nodes": {name: root}},
    }


class Bench:
    def __init__(self, trigger: Trigger = AFTER, *bodies: dict[str, Any]) -> None:
        self.api = FakeCluster()
        for body in (scenes.namespace(), scenes.domain(), scenes.launch_plan("second", schedule=None), *bodies):
            self.api.put(body)
        self.now = NOON - timedelta(hours=1)
        self.said: list[Any] = []
        self.trigger = trigger
        self.start()

    def start(self) -> None:
        access = Access(self.api, self.said.append)  # type: ignore[arg-type]
        self.triggers = Triggers(access, lambda: self.now)
        self.triggers.note(scenes.SPACE, "sums", "second", self.trigger.to_text())

    def look(self, name: str = "up") -> None:
        asyncio.run(self.triggers.handle(TriggerKey(scenes.SPACE, name, ENDED_RUN)))

    def see(self) -> None:
        asyncio.run(self.triggers.handle(PLAN))

    @property
    def runs(self) -> list[dict[str, Any]]:
        return [body for name, body in self.of_argo().items() if name.startswith("lp-second-")]

    def of_argo(self) -> dict[str, dict[str, Any]]:
        return {key[3]: body for key, body in self.api.objects.items() if key[0].endswith("argoproj.io/v1alpha1")}

    @property
    def plan(self) -> dict[str, Any]:
        return self.api.all("LaunchPlan")["second"]


def test_the_end_of_a_run_starts_one_of_the_plan_that_waits_for_it_with_its_outputs() -> None:
    bench = Bench(AFTER, over())
    bench.see()
    bench.look()
    (run,) = bench.runs
    assert run["spec"]["workflowTemplateRef"] == {"name": "lp-second"}
    assert run["spec"]["arguments"]["parameters"] == [{"name": "x", "value": "42"}]
    assert run["metadata"]["annotations"] == {
        labels.REASON: "up succeeded",
        labels.TRIGGERED_BY: "up",
        labels.CHAIN: "first",
    }
    assert bench.of_argo()["up"]["metadata"]["labels"][labels.TRIGGERED] == "uid-of-up"
    bench.api.drop("Run", scenes.SPACE, run["metadata"]["name"])
    bench.start()
    bench.look()
    assert bench.runs == [], "retention has taken it, and the run says that it was started"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 2])
def test_killed_at_any_write_it_starts_one_run(write: int, after: bool) -> None:
    bench = Bench(AFTER, over())
    bench.see()
    bench.api.die_at(write, after=after)
    with pytest.raises(Killed):
        bench.look()
    bench.api.live()
    bench.start()
    bench.look()
    bench.look()
    assert len(bench.runs) == 1


@pytest.mark.parametrize(
    ("trigger", "run", "starts"),
    [
        (Trigger(plan="first"), over(phase="Failed"), False),
        (Trigger(plan="first", when="Failed"), over(phase="Failed"), True),
        (Trigger(plan="first", when="Failed"), over(phase="Error"), True),
        (Trigger(plan="first", when="Failed"), over(), False),
        (Trigger(plan="first", when="Ended"), over(), True),
        (Trigger(workflow="sums"), over(), True),
        (Trigger(workflow="other"), over(), False),
        (Trigger(plan="first", when="Ended"), over(phase="Failed", **{labels.OUTCOME: "replaced"}), False),
        (Trigger(plan="first"), over(when=NOON - timedelta(hours=2)), False),
        (Trigger(plan="first", suspended=True), over(), False),
    ],
    ids=[
        "it failed", "failures are waited for", "an error is a failure", "it succeeded", "any end", "of a workflow",
        "another workflow", "its policy ended it", "it ended before the plan was seen", "the plan is suspended",
    ],
)  # fmt: skip
def test_a_trigger_waits_for_certain_ends(trigger: Trigger, run: dict[str, Any], starts: bool) -> None:
    bench = Bench(trigger, run)
    bench.see()
    bench.look()
    assert len(bench.runs) == starts


def test_the_first_sight_records_and_fires_nothing_and_so_does_another_trigger() -> None:
    bench = Bench(AFTER, over())
    bench.look()
    assert bench.runs == []
    bench = Bench(AFTER, over())
    bench.see()
    assert bench.plan["status"]["trigger"]["since"] == "2026-11-29T11:00:00Z"
    bench.trigger = Trigger(workflow="sums")
    bench.now = NOON + timedelta(hours=1)
    bench.start()
    bench.see()
    bench.look()
    assert bench.runs == []
    status = bench.plan["status"]
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], {**bench.plan, "status": status})
    assert model is not None, problems


def test_plans_that_wait_for_each_other_are_cut_with_an_event() -> None:
    run = over()
    run["metadata"]["annotations"] = {labels.CHAIN: "second"}
    bench = Bench(AFTER, run)
    bench.see()
    bench.look()
    assert bench.runs == []
    assert bench.said[-1].message == "the launch plans second -> first -> second wait for each other in a circle"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("sum", "up has no output sum"),
        ("part", "the output part is a part of a value or a list of several, which cannot be passed"),
    ],
)
def test_an_output_that_cannot_be_passed_is_said_on_the_plan(output: str, message: str) -> None:
    bench = Bench(Trigger(plan="first", inputs=(Passed("x", output),)), over())
    bench.see()
    bench.look()
    assert (bench.runs, bench.said[-1].message) == ([], message)


@pytest.mark.parametrize("spec", [{"suspend": True}, {"schedules": "Disabled"}])
def test_nothing_fires_in_a_domain_that_is_suspended_or_where_schedules_are_disabled(spec: dict[str, Any]) -> None:
    bench = Bench(AFTER, over())
    bench.api.put(scenes.domain(**spec))
    bench.see()
    bench.look()
    assert bench.runs == []


def template(revision: str) -> dict[str, Any]:
    marks = {"labels": {labels.REVISION: revision}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "lp-second", "namespace": scenes.SPACE},
        "spec": {"workflowMetadata": marks},
    }


@pytest.mark.parametrize("death", [None, (1, False), (1, True), (2, False), (2, True)])
def test_a_new_revision_starts_one_run_and_the_first_one_none(death: tuple[int, bool] | None) -> None:
    bench = Bench(Trigger(release=True), template("second-1"))
    bench.see()
    bench.see()
    assert bench.runs == []
    bench.api.put(template("second-2"))
    if death:
        bench.api.die_at(death[0], after=death[1])
        with pytest.raises(Killed):
            bench.see()
        bench.api.live()
        bench.start()
    bench.see()
    bench.see()
    assert [run["metadata"]["name"] for run in bench.runs] == ["lp-second-release-1"]
    bench.api.put(template("second-1"))
    bench.see()
    assert sorted(run["metadata"]["name"] for run in bench.runs) == ["lp-second-release-1", "lp-second-release-2"]


def test_labels_say_which_runs_concern_it() -> None:
    triggers = Bench().triggers
    assert triggers.keys(Seen.of(over())) == [TriggerKey(scenes.SPACE, "up", ENDED_RUN)]
    assert not triggers.keys(Seen.of(over(**{labels.TRIGGERED: "uid-of-up"})))
    assert triggers.keys(Seen.of(over(**{labels.TRIGGERED: "uid-of-another"}))), "of the run that it is a copy of"
    assert not triggers.keys(Seen.of(over(**{labels.OUTCOME: "skipped"})))
    assert not triggers.keys(Seen.of(over(**{labels.LAUNCH_PLAN: "other"})))
    triggers.note(scenes.SPACE, "sums", "second", "")
    assert not triggers.keys(Seen.of(over()))


def test_a_trigger_travels_as_text_and_what_cannot_be_read_is_none() -> None:
    assert Trigger.from_text(AFTER.to_text()) == AFTER
    for text in ("", "{", "[]", '{"when": "Soon", "plan": "p"}', "x" * 20_000):
        assert Trigger.from_text(text) is None
    assert Trigger().to_text() == ""


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        ({"a": ("v", Trigger(plan="b"))}, ()),
        ({"a": ("v", Trigger(plan="b")), "b": ("w", Trigger(plan="a"))}, ("a", "b", "a")),
        ({"a": ("v", Trigger(workflow="w")), "b": ("w", Trigger(plan="a"))}, ("a", "b", "a")),
        (
            {"a": ("v", Trigger(plan="b")), "b": ("w", Trigger(plan="c")), "c": ("x", Trigger(workflow="v"))},
            ("a", "c", "b", "a"),
        ),
        ({"a": ("v", Trigger(plan="b")), "b": ("w", Trigger(plan="c")), "c": ("x", Trigger(plan="b"))}, ()),
        ({"a": ("v", Trigger(release=True))}, ()),
    ],
    ids=["one", "two", "by the workflow", "three", "beside a circle", "on release"],
)  # fmt: skip
def test_a_circle_is_found_by_the_plans_that_are_in_it(
    waits: dict[str, tuple[str, Trigger]], found: tuple[str, ...]
) -> None:
    assert circle("a", waits) == found


PROD = "demo-prod"
FROM_DEV = Trigger(plan="first", inputs=(Passed("x", "total"),), domain="dev")


def placed(body: dict[str, Any], space: str) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "namespace": space, "uid": f"{body['metadata']['uid']}-{space}"}}


class Across:
    """Runs of demo-dev, followed there by `near`, and by plans of other namespaces."""

    def __init__(self, run: dict[str, Any], trigger: Trigger = FROM_DEV, listed: tuple[str, ...] = ("dev",)) -> None:
        self.api = FakeCluster()
        self.said: list[Any] = []
        self.now = NOON - timedelta(hours=1)
        self.spaces = [Seen.of(scenes.namespace(f"demo-{each}", domain=each)) for each in ("dev", "prod", "qa")]
        self.spaces.append(Seen.of(scenes.namespace("other-prod", project="other", domain="prod")))
        self.api.put(scenes.domain())
        self.api.put(run)
        self.plans = {"near": (scenes.SPACE, AFTER)}
        self.plans |= {f"far-{space}": (space, trigger) for space in (PROD, "demo-qa", "other-prod")}
        for name, (space, _) in self.plans.items():
            self.api.put(placed(scenes.launch_plan(name, schedule=None), space))
            if space != scenes.SPACE:
                self.api.put(placed(scenes.domain(triggers={"from": [*listed]}), space))
        self.start()
        for name, (space, _) in self.plans.items():
            asyncio.run(self.triggers.handle(TriggerKey(space, name, WAITING_PLAN)))

    def start(self) -> None:
        access = Access(self.api, self.said.append)  # type: ignore[arg-type]
        self.triggers = Triggers(access, lambda: self.now, lambda: self.spaces)
        for name, (space, trigger) in self.plans.items():
            self.triggers.note(space, "sums", name, trigger.to_text())

    def left(self) -> list[TriggerKey]:
        return self.triggers.keys(Seen.of(self.run))

    def look(self, *spaces: str) -> None:
        for key in self.left():
            if key.namespace in spaces or not spaces:
                asyncio.run(self.triggers.handle(key))

    @property
    def run(self) -> dict[str, Any]:
        return next(body for key, body in self.api.objects.items() if key[3] == "up")

    def started(self) -> list[str]:
        found = [key for key in self.api.objects if key[0].endswith("argoproj.io/v1alpha1") and key[3] != "up"]
        return sorted(key[2] for key in found)

    def status(self, space: str = PROD) -> dict[str, Any]:
        return next(each for key, each in self.api.objects.items() if key[2:] == (space, f"far-{space}"))["status"]


def test_an_end_starts_one_run_in_each_domain_of_the_project_that_waits_for_it_and_lists_its_own() -> None:
    bench = Across(over())
    assert bench.left() == [
        TriggerKey(scenes.SPACE, "up", ENDED_RUN),
        TriggerKey(PROD, "up", ENDED_RUN, scenes.SPACE),
        TriggerKey("demo-qa", "up", ENDED_RUN, scenes.SPACE),
    ]
    assert len({key.lane for key in bench.left()}) == 3, "none waits for another one's"
    bench.look(PROD)
    assert labels.TRIGGERED not in bench.run["metadata"]["labels"]
    assert bench.run["metadata"]["annotations"] == {labels.TRIGGERED_IN: "uid-of-up demo-prod"}
    (made,) = (each for key, each in bench.api.objects.items() if key[2] == PROD and key[3].startswith("lp-far"))
    assert made["spec"]["arguments"]["parameters"] == [{"name": "x", "value": "42"}]
    assert made["metadata"]["annotations"] == {
        labels.REASON: "dev/up succeeded",
        labels.TRIGGERED_BY: "dev/up",
        labels.CHAIN: "dev/first",
    }
    bench.api.drop("Run", PROD, made["metadata"]["name"])
    bench.start()
    bench.look()
    assert bench.started() == [scenes.SPACE, "demo-qa"], "that of prod was started, and retention has taken it"
    assert bench.run["metadata"]["labels"][labels.TRIGGERED] == "uid-of-up"
    assert labels.TRIGGERED_IN not in (bench.run["metadata"].get("annotations") or {})
    assert bench.left() == []


def test_a_domain_that_waits_no_more_holds_up_no_mark() -> None:
    bench = Across(over())
    bench.look(scenes.SPACE, PROD)
    bench.look(PROD)
    assert labels.TRIGGERED not in bench.run["metadata"]["labels"]
    bench.triggers.note("demo-qa", "sums", "far-demo-qa", "")
    bench.look(PROD)
    assert bench.run["metadata"]["labels"][labels.TRIGGERED] == "uid-of-up"
    assert bench.started() == [scenes.SPACE, PROD]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 7))
def test_killed_at_any_write_each_domain_starts_one_run(write: int, after: bool) -> None:
    bench = Across(over())
    bench.api.die_at(write, after=after)
    with pytest.raises(Killed):
        bench.look()
    bench.api.live()
    bench.start()
    bench.look()
    bench.look()
    assert bench.started() == [scenes.SPACE, PROD, "demo-qa"]
    assert bench.left() == []


def test_two_domains_that_are_looked_at_at_once_lose_no_mark() -> None:
    async def both(bench: Across) -> None:
        found = await asyncio.gather(*map(bench.triggers.handle, bench.left()), return_exceptions=True)
        assert all(each is None or isinstance(each, errors.Conflict) for each in found)

    bench = Across(over())
    while bench.left():
        asyncio.run(both(bench))
    assert bench.started() == [scenes.SPACE, PROD, "demo-qa"]


@pytest.mark.parametrize(
    ("listed", "spec"), [((), {}), (("dev",), {"suspend": True}), (("dev",), {"schedules": "Disabled"})]
)
def test_a_domain_that_lists_none_is_suspended_or_disabled_starts_none_and_holds_up_none(
    listed: tuple[str, ...], spec: dict[str, Any]
) -> None:
    bench = Across(over(), listed=listed)
    for space in (PROD, "demo-qa"):
        bench.api.put(placed(scenes.domain(triggers={"from": [*listed]}, **spec), space))
    bench.look()
    assert (bench.started(), bench.left()) == ([scenes.SPACE], [])


LONG = '"' + "n" * 30_000 + '"'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"$stored": {"digest": "d", "size": 1, "hash": "h"}}', "is stored in dev, which is not read from"),
        ('{"$stored": {"items": ["=1"]}}', "is stored in dev, which is not read from another domain"),
        ('{"$stored": 1, "x": 2}', "is stored in dev"),
        (LONG, "the output total is too long to be passed from dev"),
        ("{{=1+1}}", "the output total of dev is no value: it "),
        ("[" * 20_000, "the output total of dev is no value: it "),
    ],
    ids=["stored", "a list", "a forged one", "long", "a template", "deep"],
)
def test_what_does_not_travel_inline_starts_none_and_stands_in_the_status(text: str, reason: str) -> None:
    run = over()
    run["status"]["nodes"]["up"]["outputs"]["parameters"][0]["value"] = text
    bench = Across(run)
    bench.look(PROD)
    assert bench.started() == []
    (told,) = bench.status()["trigger"]["skipped"]
    assert told["run"] == "dev/up"
    assert reason in told["reason"]
    assert bench.said[-1].message == told["reason"]
    assert bench.status()["trigger"]["since"], "what was recorded before stays"
    assert bench.run["metadata"]["annotations"][labels.TRIGGERED_IN] == "uid-of-up demo-prod"


def test_text_that_another_domain_wrote_is_no_template_here() -> None:
    run = over()
    run["status"]["nodes"]["up"]["outputs"]["parameters"][0]["value"] = ' "{{=1+1}} $(HOME)" '
    run["metadata"]["annotations"] = {labels.CHAIN: "a,{{x}},prod/b,qa/c,B/d,x/y/z"}
    bench = Across(run)
    bench.look(PROD)
    (made,) = (each for key, each in bench.api.objects.items() if key[2] == PROD and key[3].startswith("lp-far"))
    assert made["spec"]["arguments"]["parameters"][0]["value"] == r'"\u007b\u007b=1+1\u007d\u007d \u0024(HOME)"'
    assert made["metadata"]["annotations"][labels.CHAIN] == "dev/a,b,qa/c,dev/first"


def test_a_phase_that_is_none_of_argos_is_an_end() -> None:
    bench = Bench(Trigger(plan="first", when="Ended"), over(phase="x" * 300_000))
    bench.see()
    bench.look()
    assert bench.runs[0]["metadata"]["annotations"][labels.REASON] == "up ended"


def test_a_circle_through_another_domain_is_cut() -> None:
    run = over()
    run["metadata"]["annotations"] = {labels.CHAIN: "prod/far-demo-prod"}
    bench = Across(run)
    bench.look(PROD)
    (told,) = bench.status()["trigger"]["skipped"]
    assert (
        told["reason"] == "the launch plans far-demo-prod -> dev/first -> far-demo-prod wait for each other in a circle"
    )


def test_another_domain_cannot_flood_a_plan() -> None:
    bench = Across(over())
    for number in range(MOST_UNFINISHED):
        run = over(f"r{number}", **{labels.LAUNCH_PLAN: "far-demo-prod", COMPLETED_LABEL: "false"})
        bench.api.put(placed(run, PROD))
    bench.look(PROD)
    (told,) = bench.status()["trigger"]["skipped"]
    assert told["reason"] == "100 runs of the launch plan are not over, and another domain's start no more"
    assert len(bench.started()) == MOST_UNFINISHED


def test_the_plans_of_a_project_are_named_as_a_domain_names_them() -> None:
    bench = Across(over(), Trigger(workflow="sums", domain="dev"))
    bench.triggers.note(scenes.SPACE, "sums", "near", Trigger(plan="far-demo-prod", domain="prod").to_text())
    waits, domains = bench.triggers.of_project(scenes.SPACE)
    assert domains == {"dev", "prod", "qa"}
    assert waits == {
        "near": ("sums", Trigger(plan="prod/far-demo-prod")),
        "prod/far-demo-prod": ("prod/sums", Trigger(workflow="sums")),
        "qa/far-demo-qa": ("qa/sums", Trigger(workflow="sums")),
    }
    found = circle_problem("near", waits)
    assert found is not None
    assert found.message == "the launch plans near -> prod/far-demo-prod -> near wait for each other in a circle"
    assert bench.triggers.of_project("other-prod")[1] == {"prod"}
    assert of_project("", {"": {}}) == {}


def test_a_domain_whose_namespace_is_not_known_starts_no_plan() -> None:
    bench = Across(over())
    bench.spaces = [each for each in bench.spaces if each.name != scenes.SPACE]
    assert bench.left() == [TriggerKey(scenes.SPACE, "up", ENDED_RUN)]
    bench.spaces = []
    assert bench.triggers.of_project(PROD)[1] == frozenset()
