"""Holds: found where Argo names them as we expect, answered without a change of what was read."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from alula_api.argo import holds, nodes
from tests.controller import scenes

RUN = scenes.held_run()
NODES = RUN["status"]["nodes"]


def gate(path: str, phase: str = "Running") -> dict[str, Any]:
    id = nodes.id_of("run-1", path)
    outputs = {"parameters": [{"name": "ok", "valueFrom": {"supplied": {}}}]}
    return {"id": id, "name": f"run-1.{path}", "type": "Suspend", "phase": phase, "outputs": outputs}


def test_a_hold_is_found_by_its_path_only_where_argo_names_it_as_we_expect() -> None:
    hold = holds.find("run-1", NODES)
    assert hold is not None and hold["displayName"] == "admit"
    assert holds.find("run-1", {}) is None
    assert holds.find("run-1", NODES, "sub.gate") is None
    amid = gate("sub.gate")
    assert holds.find("run-1", {**NODES, amid["id"]: amid}, "sub.gate") is amid
    renamed = {key if key == "run-1" else "other": {**node, "id": key} for key, node in NODES.items()}
    with pytest.raises(nodes.Unreadable, match=r"Argo calls the node run-1\.admit"):
        holds.find("run-1", renamed)


@pytest.mark.parametrize(
    ("phase", "outputs", "unanswered"),
    [
        ("Running", [{"name": "x", "valueFrom": {"supplied": {}}}], True),
        ("Succeeded", [{"name": "x", "value": "1"}], False),
        ("Succeeded", [{"name": "x", "valueFrom": {"supplied": {}}}], True),
        ("Failed", [], False),
    ],
)
def test_a_hold_that_was_resumed_without_outputs_is_still_unanswered(
    phase: str, outputs: Any, unanswered: bool
) -> None:
    assert holds.unanswered({"phase": phase, "outputs": {"parameters": outputs}}) is unanswered


def test_all_holds_that_wait_are_named_by_their_paths() -> None:
    found = [gate("sub.gate"), gate("gate"), gate("other", "Failed")]
    assert holds.waiting("run-1", {**NODES, **{each["id"]: each for each in found}}) == ["admit", "gate", "sub.gate"]


def test_answers_and_refusals_change_nothing_that_was_read() -> None:
    before, hold = copy.deepcopy(NODES), gate("gate")
    found = {**NODES, hold["id"]: hold}
    answered = holds.answered(hold, {"ok": "true"}, scenes.MOMENT)
    assert not holds.unanswered(answered)
    assert nodes.parameters(answered) == [{"name": "ok", "value": "true"}]
    refused = holds.refused(hold, "no", scenes.MOMENT)
    assert (refused["phase"], refused["message"], refused["finishedAt"]) == ("Failed", "no", scenes.MOMENT)
    changed = holds.with_nodes(found, answered)
    assert changed[hold["id"]] == answered
    assert holds.waiting("run-1", changed) == ["admit"]
    assert before == {**NODES} and found[hold["id"]] == gate("gate")


def test_the_patch_holds_for_the_version_that_was_read_only() -> None:
    assert holds.patch(RUN, "packed", {"a": "b"}) == {
        "metadata": {"resourceVersion": "77", "labels": {"a": "b"}},
        "status": {"nodes": None, "compressedNodes": "packed"},
    }
