"""What is started when a run is over, through the whole reconciler."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alula_api.contract import labels
from alula_api.contract.graphs import handlers
from alula_api.contract.graphs.handlers import Handler
from alula_controller.runs import handlers as started
from tests.controller import scenes
from tests.controller.admission.test_reconcile import Bench
from tests.controller.runs.test_failing import FAILED, pod, under_way

BOTH = (Handler("Failure", "sums-on-failure", ("x",), "why"), Handler("Exit", "sums-on-exit", ("x",)))


def template(name: str) -> dict[str, Any]:
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate"}
    return {**kind, "metadata": {"name": name, "namespace": scenes.SPACE}, "spec": {}}


def over(phase: str = "Failed", *pods: dict[str, Any], **spec: Any) -> dict[str, Any]:
    run = under_way(*(pods or (FAILED,)))
    run["status"] |= {"phase": phase, "finishedAt": "2026-11-30T03:00:00Z"}
    run["metadata"]["labels"] |= {labels.HANDLERS: "pending"}
    run["metadata"].setdefault("annotations", {})[labels.HANDLERS] = handlers.to_text(BOTH)
    run["spec"] |= spec
    return run


def bench_of(run: dict[str, Any], *there: str) -> Bench:
    return Bench(*map(template, there or ("sums-on-failure", "sums-on-exit")), run=run)


def runs(bench: Bench) -> dict[str, dict[str, Any]]:
    """The runs that were started, by the template."""
    found = [each for each in bench.api.all("Workflow").values() if each["metadata"]["name"] != "run-1"]
    return {each["spec"]["workflowTemplateRef"]["name"]: each for each in found}


def given(run: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: json.loads(each["value"]) for each in run["spec"]["arguments"]["parameters"]}


def test_after_a_failure_both_are_started_once_with_the_inputs_and_what_failed() -> None:
    bench = bench_of(over())
    bench.handle()
    found = runs(bench)
    assert set(found) == {"sums-on-failure", "sums-on-exit"}
    failure = {"run": "run-1", "node": "load", "message": "ValueError: {{=1+1}} é"}
    assert given(found["sums-on-failure"]) == {"x": 9, "why": failure}
    assert "{{" not in json.dumps(found["sums-on-failure"]["spec"])
    assert given(found["sums-on-exit"]) == {"x": 9}
    assert bench.run["metadata"]["labels"][labels.HANDLERS] == "done"
    bench.run["metadata"]["labels"][labels.HANDLERS] = "pending"  # as after an end of ours between the two writes
    bench.handle()
    assert len(runs(bench)) == 2


def test_after_a_success_only_that_of_the_exit_is_started() -> None:
    bench = bench_of(over("Succeeded", pod("load", "Succeeded")))
    bench.handle()
    assert list(runs(bench)) == ["sums-on-exit"]


def test_where_the_run_itself_was_ended_no_task_is_named() -> None:
    run = over("Failed", pod("load", "Failed", "Step exceeded its deadline"))
    run["status"]["message"] = "stopped: enough"
    assert started.failure(run) == {"run": "run-1", "node": "", "message": "stopped: enough"}


def _lost() -> dict[str, Any]:
    return {**pod("load", "Failed", "lost"), "outputs": {"exitCode": "92"}}


@pytest.mark.parametrize(
    "run",
    [over(shutdown="Terminate"), over("Failed", _lost()), over()],
    ids=["it was terminated", "it is started again", "it was not admitted"],
)
def test_nothing_is_started(run: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if "admitted" in request.node.name:
        run["metadata"]["labels"][labels.ADMITTED] = "another-uid.1"
    bench = bench_of(run)
    bench.handle()
    assert not set(runs(bench)) & {"sums-on-failure", "sums-on-exit"}
    assert bench.run["metadata"]["labels"][labels.HANDLERS] == "done"


def test_a_handler_that_is_not_there_is_said_and_keeps_no_other_from_its_start() -> None:
    bench = bench_of(over(), "sums-on-exit")
    bench.handle()
    assert list(runs(bench)) == ["sums-on-exit"]
    said = [(each.reason, each.message.partition(":")[2]) for each in bench.said]
    assert ("NotHandled", " there is no WorkflowTemplate sums-on-failure") in said


def test_a_long_name_of_a_run_is_cut_and_two_runs_have_two_handlers() -> None:
    one, other = over(), over()
    for run, uid in ((one, "1"), (other, "2")):
        run["metadata"] |= {"name": "a" * 63, "uid": uid}
    first, second = (started.name(run, BOTH[0]) for run in (one, other))
    assert len(first) <= 63
    assert first != second


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '[{"event":"Never"}]', "x" * 20_000])
def test_what_is_no_list_of_handlers_is_none(text: str) -> None:
    assert handlers.from_text(text) == ()


def test_handlers_come_back_from_their_text() -> None:
    assert handlers.from_text(handlers.to_text(BOTH)) == (BOTH[0], Handler("Exit", "sums-on-exit", ("x",), ""))
