"""Runs that Argo resubmitted with their finished nodes, and whose graphs it leaves Pending."""

from __future__ import annotations

import copy
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alula_api.argo import nodes
from alula_controller.runs import resubmitted

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
THEN = "2026-01-01T11:59:00Z"


def node(path: str, kind: str, phase: str, around: str = "", **more: Any) -> dict[str, Any]:
    name = f"run.{path}" if path else "run"
    id = nodes.id_of("run", path)
    boundary = nodes.id_of("run", around)
    ends = {"finishedAt": THEN} if phase != "Running" else {}
    return {"id": id, "name": name, "type": kind, "phase": phase, "boundaryID": boundary, **ends, **more}


def run(*found: dict[str, Any], phase: str = "Running", lost: str = "") -> dict[str, Any]:
    """Each node hangs under the one before, but one that is `lost`."""
    found = copy.deepcopy(found)
    for parent, child in itertools.pairwise(found):
        if child["name"] != f"run.{lost}":
            parent.setdefault("children", []).append(child["id"])
    packed = nodes.pack({each["id"]: each for each in found})
    metadata = {"name": "run", "resourceVersion": "7", "uid": "u"}
    return {"metadata": metadata, "status": {"phase": phase, "compressedNodes": packed}}


ROOT = node("", "DAG", "Pending")
BRANCH = node("choose", "DAG", "Pending")
THEN_GRAPH = node("choose.then", "DAG", "Pending", "choose")
DONE = node("choose.then.inc", "Pod", "Succeeded", "choose.then")
KEPT = node("inc", "Skipped", "Skipped")
FAILED = node("choose.then.inc", "Pod", "Failed", "choose.then")


def phases(found: dict[str, Any]) -> dict[str, str] | None:
    patch = resubmitted.healing(found, NOW)
    if patch is None:
        return None
    assert patch["metadata"] == {"resourceVersion": "7"}
    return {each["name"]: each["phase"] for each in nodes.read(patch["status"]).values()}


def test_graphs_of_which_all_is_done_are_ended_and_the_root_is_left_to_argo() -> None:
    assert phases(run(ROOT, BRANCH, THEN_GRAPH, DONE, KEPT)) == {
        "run": "Pending",
        "run.choose": "Succeeded",
        "run.choose.then": "Succeeded",
        "run.choose.then.inc": "Succeeded",
        "run.inc": "Skipped",
    }


def test_a_graph_in_which_something_failed_has_failed_and_so_has_a_group_of_which_an_item_did() -> None:
    found = phases(run(ROOT, BRANCH, THEN_GRAPH, FAILED))
    assert found is not None
    assert (found["run.choose"], found["run.choose.then"]) == ("Failed", "Failed")
    item = node("each.item(0:0)", "Pod", "Failed", "each")
    group = node("each.item", "TaskGroup", "Pending", "each", children=[item["id"]])
    found = phases(run(ROOT, node("each", "DAG", "Pending"), group, item))
    assert found is not None
    assert (found["run.each"], found["run.each.item"]) == ("Failed", "Failed")


@pytest.mark.parametrize(
    "found",
    [
        run(ROOT, BRANCH, THEN_GRAPH, node("choose.then.inc", "Pod", "Running", "choose.then")),
        run(ROOT, BRANCH, THEN_GRAPH, node("choose.then.inc", "Pod", "Pending", "choose.then")),
        run(ROOT, KEPT),
        run(node("", "DAG", "Running"), BRANCH, THEN_GRAPH, DONE),
        run(ROOT, BRANCH, THEN_GRAPH, DONE, phase="Succeeded"),
        run(ROOT, BRANCH, THEN_GRAPH, {**DONE, "finishedAt": "2026-01-01T11:59:55Z"}),
        run(BRANCH, DONE),
    ],
    ids=["runs", "waits", "has no graph", "goes on", "is over", "has just ended", "has no root"],
)
def test_a_run_that_may_end_by_itself_is_left_alone(found: dict[str, Any]) -> None:
    assert phases(found) is None


def test_nodes_that_name_each_other_as_their_boundary_end_the_search() -> None:
    one, other = node("a", "DAG", "Pending", "b"), node("b", "DAG", "Pending", "a")
    found = phases(run(ROOT, one, other, node("a.x", "Pod", "Failed", "a")))
    assert found is not None
    assert found["run.a"] == found["run.b"] == "Failed"


def test_nothing_is_decided_before_everything_is_quiet() -> None:
    found = run(ROOT, BRANCH, THEN_GRAPH, DONE)
    assert resubmitted.healing(found, NOW - timedelta(seconds=51)) is None
    assert resubmitted.healing(found, NOW - timedelta(seconds=50)) is not None


def test_what_hangs_under_nothing_is_found_in_its_graph() -> None:
    patch = resubmitted.healing(run(ROOT, KEPT, DONE, lost="choose.then.inc"), NOW)
    assert patch is None  # its graph is not there either
    found = run(ROOT, node("climb", "DAG", "Succeeded"), node("last", "Pod", "Succeeded"), lost="last")
    patch = resubmitted.healing(found, NOW)
    assert patch is not None
    root = nodes.read(patch["status"])["run"]
    assert root["children"] == [nodes.id_of("run", "climb"), nodes.id_of("run", "last")]
    assert root["phase"] == "Pending"
