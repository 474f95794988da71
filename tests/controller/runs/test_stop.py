"""Runs whose end is asked for by an annotation, through the whole reconciler."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from alula_api.argo import nodes
from alula_api.contract import labels
from alula_controller import process
from alula_controller.cluster.watches import Seen
from alula_controller.runs import stop
from tests.controller import scenes
from tests.controller.admission.test_reconcile import Bench
from tests.controller.fake_cluster import FakeCluster


def asked(why: str = "a wrong table", **status: Any) -> dict[str, Any]:
    run = scenes.held_run(arguments={"x": "9"})
    run["metadata"]["annotations"] = {labels.STOP: why}
    run["status"] |= status
    return run


def found(bench: Bench) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in nodes.read(bench.run["status"]).values()}


def test_a_held_run_is_failed_at_its_hold_with_the_reason() -> None:
    bench = Bench(run=asked())
    assert bench.handle() is None
    assert found(bench)["run-1.admit"]["phase"] == "Failed"
    assert found(bench)["run-1"]["message"] == "stopped: a wrong table"
    assert labels.ADMITTED not in bench.run["metadata"]["labels"]
    assert [each.reason for each in bench.said] == ["Stopped"]
    before = bench.run["metadata"]["resourceVersion"]
    bench.handle()
    assert bench.run["metadata"]["resourceVersion"] == before, "once is enough"


def test_a_run_under_way_gets_a_deadline_that_has_passed() -> None:
    run = asked()
    admit = run["status"]["nodes"][nodes.id_of("run-1", "admit")]
    admit |= {"phase": "Succeeded", "outputs": {"parameters": [{"name": "x", "value": "9"}]}}
    bench = Bench(run=run)
    bench.handle()
    assert bench.run["status"]["storedWorkflowTemplateSpec"]["activeDeadlineSeconds"] == stop.PASSED
    assert found(bench)["run-1"]["message"] == "stopped: a wrong table"
    assert found(bench)["run-1.admit"]["phase"] == "Succeeded"
    before = bench.run["metadata"]["resourceVersion"]
    bench.handle()
    assert bench.run["metadata"]["resourceVersion"] == before


def test_a_run_that_drains_and_one_that_was_suspended_by_hand_are_resumed_so_that_they_end() -> None:
    for is_ending in (False, True):
        run = asked()
        admit = run["status"]["nodes"][nodes.id_of("run-1", "admit")]
        admit |= {"phase": "Succeeded", "outputs": {"parameters": [{"name": "x", "value": "9"}]}}
        if is_ending:
            run["status"]["storedWorkflowTemplateSpec"]["activeDeadlineSeconds"] = stop.PASSED
        run["spec"]["suspend"] = True
        bench = Bench(run=run)
        bench.handle()
        assert "suspend" not in bench.run["spec"]
        assert bench.run["status"]["storedWorkflowTemplateSpec"]["activeDeadlineSeconds"] == stop.PASSED


def test_a_run_that_argo_has_not_taken_up_is_looked_at_again() -> None:
    run = asked()
    run["status"] = {}
    assert Bench(run=run).handle() == stop.AGAIN_SECONDS


def test_a_run_whose_nodes_lie_in_a_database_is_stopped_as_argo_does() -> None:
    run = asked(offloadNodeStatusVersion="fnv:1")
    del run["status"]["nodes"]
    bench = Bench(run=run)
    bench.handle()
    assert bench.run["spec"]["shutdown"] == "Stop"


def test_the_annotation_is_seen_in_the_metadata_of_an_admitted_run() -> None:
    run = asked()
    run["metadata"]["labels"] |= {labels.ADMITTED: f"{run['metadata']['uid']}.1"}
    api: Any = FakeCluster()
    controller = process.Controller(scenes.SETTINGS, api)
    seen = Seen.of(run)

    async def looked_at() -> list[int]:
        controller.leadership._until = float("inf")
        controller.settled.add(seen.uid)
        found = []
        for each in (dataclasses.replace(seen, stop=False), seen):
            controller._run_changed(each, False)
            found.append(len(controller.runs))
        return found

    assert asyncio.run(looked_at()) == [0, 1]
