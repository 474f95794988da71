"""What is decided for a run at `admit`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alula_api.argo import nodes
from alula_api.contract import labels, values
from alula_api.contract.graphs import outlines, plans
from alula_controller.admission import check, decide, fill
from alula_controller.admission.cache_walk import CacheWalk
from alula_controller.admission.decide import Outcome, World
from tests.controller import scenes
from tests.controller.scenes import MOMENT

STARTED = {labels.STARTED_BY: "person"}
ALWAYS = {**STARTED, labels.INPUTS: "04a55e26f25f79e32adbc1b947c335d4"}


def world(cached: bool = False, run: dict[str, Any] | None = None, **changes: Any) -> World:
    run = run or scenes.held_run()
    plan = scenes.plan()
    checked = check.check(plan, run["spec"]["arguments"], run["metadata"]["name"])
    walk = None
    if cached and not checked.problems:
        walk = CacheWalk(plan, checked.inputs)
        while wanted := walk.wanted():
            walk.answer(
                {
                    each.key: {name: 42 if schema == scenes.INT else "t" for name, schema in each.outputs.items()}
                    for each in wanted
                }
            )
    given = {"run": run, "nodes": run["status"]["nodes"], "plan": plan, "checked": checked, "walk": walk}
    return World(**{**given, **changes})


def patched(decision: decide.Decision) -> dict[str, nodes.Node]:
    assert decision.patch is not None
    return {node["displayName"]: node for node in nodes.read(decision.patch["status"]).values()}


def test_a_run_is_admitted_with_every_input_published_defaults_included() -> None:
    decision = decide.decide(world(run=scenes.held_run(arguments={"label": "{{workflow.uid}}"})), MOMENT)
    assert decision.outcome == Outcome.ADMITTED
    admit = patched(decision)["admit"]
    assert (admit["phase"], admit["finishedAt"]) == ("Succeeded", MOMENT)
    assert [each["name"] for each in admit["outputs"]["parameters"]] == ["x", "label"]
    assert [values.parse(each["value"]) for each in admit["outputs"]["parameters"]] == [7, "{{workflow.uid}}"]
    assert all("valueFrom" not in each for each in admit["outputs"]["parameters"])


def test_a_workflow_without_inputs_publishes_that_it_was_admitted() -> None:
    body = scenes.workflow(
        inputs=[], outputs=[], nodes=[{"id": "one", "task": "greet", "inputs": {"text": {"value": '"x"'}}}]
    )
    run = scenes.held_run(body=body)
    decision = decide.decide(
        world(run=run, plan=scenes.plan(body), checked=check.check(scenes.plan(body), {}, "r")), MOMENT
    )
    assert patched(decision)["admit"]["outputs"] == {"parameters": [{"name": "admitted", "value": "true"}]}


def test_the_patch_holds_only_for_the_version_that_was_read_and_marks_the_run() -> None:
    patch = decide.decide(world(), MOMENT).patch
    assert patch is not None
    assert patch["metadata"] == {
        "resourceVersion": "77",
        "labels": {**ALWAYS, labels.ADMITTED: "uid-of-run-1.20261122T115901Z"},
    }
    assert patch["status"]["nodes"] is None
    assert set(patch["status"]) == {"nodes", "compressedNodes"}


def test_everything_cached_is_filled_in_and_said() -> None:
    decision = decide.decide(world(cached=True), MOMENT)
    assert decision.filled == 3
    assert decision.message == "3 tasks taken from the cache"
    found = patched(decision)
    assert {name for name, node in found.items() if node.get("memoizationStatus")} == {"add", "add-2", "greet"}
    assert decision.patch is not None
    assert fill.problems(nodes.read(decision.patch["status"]), "run-1") == []


def test_bad_inputs_fail_the_run_on_root_and_admit_with_everything_that_is_wrong() -> None:
    decision = decide.decide(world(run=scenes.held_run(arguments={"x": "six", "lable": "y"})), MOMENT)
    assert decision.outcome == Outcome.REFUSED
    found = patched(decision)
    assert found["admit"]["phase"] == "Failed"
    assert found["run-1"]["phase"] == "Running", "Argo ends it"
    for node in (found["admit"], found["run-1"]):
        assert "error BAD_VALUE: x does not fit" in node["message"]
        assert "did you mean label?" in node["message"]
    assert set(found) == {"run-1", "admit"}, "no pod"


def test_a_refusal_is_cut_where_it_would_fill_the_run() -> None:
    decision = decide.decide(world(refusal="x" * 50_000), MOMENT)
    assert len(patched(decision)["admit"]["message"]) <= decide.LONGEST_MESSAGE


def finished(run: dict[str, Any]) -> None:
    run["status"]["phase"] = "Failed"


def stopped(run: dict[str, Any]) -> None:
    run["spec"]["shutdown"] = "Terminate"


def not_there_yet(run: dict[str, Any]) -> None:
    run["status"]["nodes"].clear()


def answered(run: dict[str, Any]) -> None:
    admit = run["status"]["nodes"]["run-1-1057576855"]
    admit.update(phase="Succeeded", outputs={"parameters": [{"name": "x", "value": "1"}]})


def node_failed(run: dict[str, Any]) -> None:
    run["status"]["nodes"]["run-1-1057576855"]["phase"] = "Failed"


@pytest.mark.parametrize("change", [finished, stopped, not_there_yet, answered, node_failed])
def test_a_run_that_does_not_wait_is_left_alone(change: Any) -> None:
    before = world()
    change(before.run)
    assert decide.decide(before, MOMENT) == decide.Decision(Outcome.LEFT)


def test_a_mark_copied_from_another_run_does_not_count() -> None:
    run = scenes.held_run(**{labels.ADMITTED: "uid-of-the-run-it-was-resubmitted-from"})
    assert decide.decide(world(run=run), MOMENT).outcome == Outcome.ADMITTED


def test_a_hold_that_began_anew_is_answered_whatever_hold_was_answered_before() -> None:
    run = scenes.held_run(**{labels.ADMITTED: "uid-of-run-1.20261122T110000Z"})
    decision = decide.decide(world(run=run), MOMENT)
    assert decision.outcome == Outcome.ADMITTED
    assert decision.patch is not None
    assert decision.patch["metadata"]["labels"] == {**ALWAYS, labels.ADMITTED: "uid-of-run-1.20261122T115901Z"}


def test_a_refused_run_keeps_no_mark_of_an_admitted_one() -> None:
    run = scenes.held_run(arguments={"x": "six"}, **{labels.ADMITTED: "uid-of-run-1.20261122T110000Z"})
    for given, marks in ((run, {labels.ADMITTED: None}), (scenes.held_run(arguments={"x": "six"}), {})):
        decision = decide.decide(world(run=given), MOMENT)
        assert decision.outcome == Outcome.REFUSED
        assert decision.patch is not None
        assert decision.patch["metadata"]["labels"] == {**STARTED, **marks}


def test_what_is_said_of_a_refused_run_holds_no_value_of_its_inputs() -> None:
    decision = decide.decide(world(run=scenes.held_run(arguments={"x": "hunter2"})), MOMENT)
    assert decision.outcome == Outcome.REFUSED
    assert "hunter2" not in patched(decision)["admit"]["message"], "Argo copies it into an Event"
    assert "hunter2" not in decision.message
    assert "x" in decision.message and "BAD_VALUE" in decision.message


def test_a_hold_that_was_resumed_without_outputs_is_answered_later() -> None:
    run = scenes.held_run()
    run["status"]["nodes"]["run-1-1057576855"]["phase"] = "Succeeded"
    assert decide.decide(world(run=run), MOMENT).outcome == Outcome.ADMITTED


def test_why_nothing_was_filled_in_is_told() -> None:
    decision = decide.decide(world(unfilled="two nodes have one id"), MOMENT)
    assert decision.outcome == Outcome.ADMITTED
    assert decision.notes == (("NotFilled", "two nodes have one id"),)


def test_a_run_without_room_takes_fewer_tasks_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    full = decide.decide(world(cached=True), MOMENT)
    assert full.patch is not None
    size = decide._weight(world()) + len(full.patch["status"]["compressedNodes"])
    monkeypatch.setattr(decide, "LARGEST_RUN", size - 1)
    decision = decide.decide(world(cached=True), MOMENT)
    assert 0 < decision.filled < 3
    assert "no room" in decision.notes[0][1]
    monkeypatch.setattr(decide, "LARGEST_RUN", 10)
    assert decide.decide(world(cached=True), MOMENT).filled == 0


def test_a_node_map_that_would_hang_the_run_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fill.fill

    def spoiled(*given: Any) -> nodes.Nodes:
        filled = real(*given)
        filled[nodes.id_of("run-1", "add")].pop("children", None)
        return filled

    monkeypatch.setattr(fill, "fill", spoiled)
    decision = decide.decide(world(cached=True), MOMENT)
    assert decision.outcome == Outcome.ADMITTED and decision.filled == 0
    assert decision.notes == (
        ("NotFilled", "what was filled in would hang the run: nothing names run-1.add-2 as its child"),
    )


@pytest.mark.parametrize("other", ["add-2", "greet"])
def test_a_task_is_never_filled_in_under_the_id_of_another_node(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    real = nodes.id_of
    taken = {other: real("run-1", "add")}
    monkeypatch.setattr(nodes, "id_of", lambda run, path: taken.get(path) or real(run, path))
    decision = decide.decide(world(cached=True), MOMENT)
    assert decision.outcome == Outcome.ADMITTED and decision.filled == 0
    assert decision.notes == (("NotFilled", "two nodes of this run have the same id in Argo"),)


def _id(real: Callable[[str, str], str], run: str, path: str) -> str:
    """Two paths have one id."""
    return real(run, "abcypp" if path == "m.item(107:107)" else path)


def test_two_nodes_with_one_id_of_which_none_is_cached_keep_nothing_from_being_filled_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = outlines.outline

    def and_others(plan: plans.Plan) -> Iterator[outlines.Place]:
        places = list(real(plan))
        yield from (*places, *(places[0]._replace(path=path) for path in ("abcypp", "m.item(107:107)")))

    monkeypatch.setattr(nodes, "id_of", functools.partial(_id, nodes.id_of))
    monkeypatch.setattr(outlines, "outline", and_others)
    assert decide.decide(world(cached=True), MOMENT).filled == 3


def test_a_decision_changes_nothing_that_was_read() -> None:
    for run in (scenes.held_run(), scenes.held_run(arguments={"x": "six"})):
        before = world(cached=True, run=run)
        kept = nodes.pack(before.nodes)
        decide.decide(before, MOMENT)
        assert nodes.pack(before.nodes) == kept


def test_all_steps_have_their_place_in_order() -> None:
    assert [step.__name__ for step in decide.STEPS] == ["leave_alone", "refuse", "wait", "admit"]


def test_a_thousand_cached_tasks_fit_into_one_patch_below_the_limit() -> None:
    count = 1_000
    calls = [
        {"id": f"n-{i}", "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": str(i)}}} for i in range(count)
    ]
    body = scenes.workflow(nodes=calls, outputs=[])
    run = scenes.held_run(body=body)
    plan = scenes.plan(body)
    checked = check.check(plan, {}, "run-1")
    walk = CacheWalk(plan, checked.inputs)
    while wanted := walk.wanted():
        walk.answer({each.key: {"o0": 7} for each in wanted})
    decision = decide.decide(dataclasses.replace(world(run=run), plan=plan, checked=checked, walk=walk), MOMENT)
    assert decision.filled == count
    assert decision.patch is not None
    assert len(decision.patch["status"]["compressedNodes"]) < 300_000
