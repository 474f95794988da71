"""Runs in which something failed for good, through the whole reconciler."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alula_api.argo import nodes
from alula_api.contract import labels, names
from alula_controller import process
from alula_controller.admission import decide
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.runs import failing
from alula_controller.runs.reconcile import FAILING_RUN
from tests.controller import scenes
from tests.controller.admission.test_reconcile import Bench
from tests.controller.fake_cluster import FakeCluster


def pod(path: str, phase: str, message: str = "") -> dict[str, Any]:
    return {
        "id": nodes.id_of("run-1", path),
        "name": names.argo_node_name("run-1", path),
        "displayName": path,
        "type": "Pod",
        "phase": phase,
        "boundaryID": "run-1",
        "message": message,
        "finishedAt": "2026-11-30T03:00:00Z",
    }


def under_way(*pods: dict[str, Any], policy: str = "") -> dict[str, Any]:
    run = scenes.held_run(arguments={"x": "9"})
    admit = run["status"]["nodes"][nodes.id_of("run-1", "admit")]
    admit |= {"phase": "Succeeded", "outputs": {"parameters": [{"name": "x", "value": "9"}]}}
    run["status"]["nodes"] |= {each["id"]: each for each in pods}
    run["metadata"]["labels"] |= {labels.ADMITTED: f"{run['metadata']['uid']}.1"}
    run["metadata"]["labels"] |= {labels.FAILURE_POLICY: policy} if policy else {}
    return run


def look(bench: Bench) -> dict[str, Any]:
    asyncio.run(bench.reconciler.handle(QueueKey(scenes.SPACE, "run-1", FAILING_RUN)))
    return bench.run


def deadline(run: dict[str, Any]) -> Any:
    return run["status"]["storedWorkflowTemplateSpec"].get("activeDeadlineSeconds")


FAILED = pod("load", "Failed", "ValueError: {{=1+1}} é")
MESSAGE = "load failed: ValueError: {{=1+1}} é"


def test_while_something_runs_the_run_is_suspended_and_says_why_it_fails() -> None:
    bench = Bench(run=under_way(FAILED, pod("fit", "Running")))
    run = look(bench)
    assert run["spec"]["suspend"] is True
    assert deadline(run) is None
    assert nodes.read(run["status"])["run-1"]["message"] == MESSAGE
    assert [(each.reason, each.message) for each in bench.said] == [("Failing", MESSAGE)]
    before = run["metadata"]["resourceVersion"]
    assert look(bench)["metadata"]["resourceVersion"] == before, "once is enough"


@pytest.mark.parametrize("waiting", ["Pending", "Succeeded"])
def test_when_nothing_runs_the_run_is_ended(waiting: str) -> None:
    bench = Bench(run=under_way(FAILED, pod("fit", waiting)))
    bench.run["spec"]["suspend"] = True
    run = look(bench)
    assert "suspend" not in run["spec"]
    assert deadline(run) == 1
    assert nodes.read(run["status"])["run-1"]["message"] == MESSAGE
    before = run["metadata"]["resourceVersion"]
    assert look(bench)["metadata"]["resourceVersion"] == before


def test_a_run_that_is_to_be_aborted_is_ended_at_once() -> None:
    run = look(Bench(run=under_way(FAILED, pod("fit", "Running"), policy="Abort")))
    assert deadline(run) == 1
    assert "suspend" not in run["spec"]


@pytest.mark.parametrize(
    "run",
    [
        under_way(pod("load", "Succeeded"), pod("fit", "Running")),
        under_way(pod("admit", "Failed", "refused")),
    ],
    ids=["nothing failed", "it was not admitted"],
)
def test_a_run_is_left_alone(run: dict[str, Any]) -> None:
    bench = Bench(run=run)
    before = bench.run["metadata"]["resourceVersion"]
    assert look(bench)["metadata"]["resourceVersion"] == before


def test_a_run_that_goes_on_says_what_failed_first() -> None:
    bench = Bench(run=under_way(FAILED, pod("fit", "Running"), policy="Continue"))
    run = look(bench)
    assert "suspend" not in run["spec"]
    assert deadline(run) is None
    assert nodes.read(run["status"])["run-1"]["message"] == MESSAGE
    before = run["metadata"]["resourceVersion"]
    assert look(bench)["metadata"]["resourceVersion"] == before


def test_a_run_that_ended_before_it_was_looked_at_says_what_failed_first() -> None:
    bench = Bench(run=under_way(FAILED))
    bench.run["status"] |= {"phase": "Failed", "finishedAt": "2026-11-30T03:00:00Z"}
    bench.handle()
    assert bench.run["status"]["message"] == MESSAGE
    before = bench.run["metadata"]["resourceVersion"]
    bench.handle()
    assert bench.run["metadata"]["resourceVersion"] == before


def test_a_run_that_took_too_long_says_its_deadline_and_is_left_to_argo() -> None:
    run = under_way(pod("load", "Failed", "Pod was active on the node longer than ... Step exceeded its deadline"))
    run["metadata"].setdefault("annotations", {})[labels.DEADLINE] = "2h"
    run["status"]["storedWorkflowTemplateSpec"]["activeDeadlineSeconds"] = 7260
    run["status"]["startedAt"] = "2026-11-30T00:59:00Z"
    bench = Bench(run=run)
    found = look(bench)
    assert nodes.read(found["status"])["run-1"]["message"] == "the run took longer than its deadline of 2h"
    assert (deadline(found), "suspend" in found["spec"]) == (7260, False)
    bench.run["status"] |= {"phase": "Failed", "finishedAt": "then", "message": "Step exceeded its deadline"}
    bench.handle()
    assert bench.run["status"]["message"] == "the run took longer than its deadline of 2h"
    assert deadline(bench.run) == 7260, "which a retry has anew"


@pytest.mark.parametrize(
    ("given", "started", "expected"),
    [
        ("2h", "2026-11-30T03:00:00Z", 7200 + 90),
        ("1s", "2026-11-30T03:01:30Z", 2),
        ("1500ms", "2026-11-30T03:01:29Z", 3),
        ("", "2026-11-30T03:00:00Z", None),
        ("soon", "2026-11-30T03:00:00Z", None),
        ("2h", "", None),
    ],
)
def test_the_deadline_of_a_run_begins_with_its_admission(given: str, started: str, expected: int | None) -> None:
    run = {"metadata": {"annotations": {labels.DEADLINE: given}}, "status": {"startedAt": started}}
    assert decide.deadline(run, "2026-11-30T03:01:30Z") == expected


def test_a_run_that_is_over_loses_our_deadline_so_that_argo_may_retry_it() -> None:
    run = under_way(FAILED)
    run["status"] |= {"phase": "Failed", "finishedAt": "2026-11-30T03:00:00Z"}
    run["status"]["storedWorkflowTemplateSpec"]["activeDeadlineSeconds"] = 1
    bench = Bench(run=run)
    bench.handle()
    assert deadline(bench.run) is None


@pytest.mark.parametrize(("policy", "looks"), [("", 1), ("Abort", 1), ("Unknown", 1), ("Continue", 1)])
def test_a_run_under_way_is_looked_at_when_it_changes(policy: str, looks: int) -> None:
    api: Any = FakeCluster()
    controller = process.Controller(scenes.SETTINGS, api)

    async def looked_at() -> int:
        controller.leadership._until = float("inf")
        controller._run_changed(Seen.of(under_way(policy=policy)), False)
        found = len(controller.failing)
        controller._run_changed(Seen.of(under_way(policy=policy)), True)
        assert len(controller.failing) == 0
        return found

    assert asyncio.run(looked_at()) == looks
    assert failing.policy({labels.FAILURE_POLICY: "Unknown"}) == "Drain"
