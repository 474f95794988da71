"""Filled-in node maps: whole goldens, and the rules that keep a run from hanging on random graphs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo import nodes
from alula_api.contract import lists
from alula_api.contract.graphs import outlines, plans
from alula_controller.admission import fill
from alula_controller.admission.cache_walk import CacheWalk
from tests import goldens
from tests.contract.graphs.random_plans import random_plans
from tests.controller import scenes
from tests.controller.admission import test_cache_walk

HERE = Path(__file__).parent / "golden"


def filled(plan: plans.Plan, misses: set[str] = frozenset(), most: int | None = None) -> nodes.Nodes:  # type: ignore[assignment]
    """The node map of a run in which everything but `misses` (by step name, or by path) is cached."""
    walk = CacheWalk(plan, test_cache_walk.INPUTS)
    while walk.wanted():
        found = {}
        for spot, key in walk.keys.items():
            if key and misses.isdisjoint((spot.step.name, spot.path)):
                types = plan.tasks[spot.task].outputs
                one = {name: 42 if schema == scenes.INT else "text {{x}}" for name, schema in types.items()}
                given: Any = spot.inputs.get("a")
                size = lists.length(given) if spot.whole is not None and spot.whole.batch else 0
                found[key] = {name: [value] * size for name, value in one.items()} if size else one
        walk.answer(found)
    held = scenes.held_run()["status"]["nodes"]
    kept = walk.limited(len(walk.hits) if most is None else most)
    return fill.fill(walk, kept, held, "run-1", scenes.MOMENT)


def text(found: nodes.Nodes) -> str:
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize(
    ("name", "plan", "misses"),
    [
        ("flat-all-cached", scenes.plan(), set()),
        ("flat-first-missed", scenes.plan(), {"add"}),
        ("graph-all-cached", test_cache_walk.nested(), set()),
        ("graph-partly-cached", test_cache_walk.nested(), {"two"}),
        ("graph-first-missed", test_cache_walk.nested(), {"first"}),
        ("branch-all-cached", test_cache_walk.branched(), set()),
        ("branch-partly-cached", test_cache_walk.branched(), {"two"}),
        ("map-all-cached", test_cache_walk.mapped(), set()),
        ("map-one-item-missed", test_cache_walk.mapped(), {"each(1)"}),
        ("map-of-graphs", test_cache_walk.mapped_graphs(), set()),
        ("map-of-graphs-partly-cached", test_cache_walk.mapped_graphs(), {"each(0).one"}),
        ("map-in-batches", test_cache_walk.batched(), set()),
        ("map-in-batches-one-missed", test_cache_walk.batched(), {"each(1)"}),
        ("map-without-items", test_cache_walk.mapped("[]"), set()),
        ("branch-without-a-task", test_cache_walk.branched(top="=100"), set()),
    ],
)
def test_the_node_map_is_as_reviewed(name: str, plan: plans.Plan, misses: set[str]) -> None:
    found = filled(plan, misses)
    goldens.check(HERE / f"{name}.json", text(found))
    assert fill.problems(found, "run-1") == []


def by_name(found: nodes.Nodes) -> dict[str, nodes.Node]:
    return {node["name"]: node for node in found.values()}


def test_a_filled_task_has_the_marks_that_argo_shows_as_memoized() -> None:
    node = by_name(filled(scenes.plan()))["run-1.add"]
    assert node["memoizationStatus"]["hit"] is True
    assert node["memoizationStatus"]["cacheName"] == "alula"
    assert node["message"] == "cached"
    assert (node["type"], node["phase"], node["boundaryID"], node["templateScope"]) == (
        "Pod",
        "Succeeded",
        "run-1",
        "local/",
    )


def test_a_graph_that_is_wholly_cached_is_done_without_a_memo_mark() -> None:
    node = by_name(filled(test_cache_walk.nested()))["run-1.sub"]
    assert (node["type"], node["phase"]) == ("DAG", "Succeeded")
    assert "memoizationStatus" not in node
    assert node["outputs"] == {"parameters": [{"name": "q", "value": "42"}]}
    assert len(node["outboundNodes"]) == 2
    assert len(node["children"]) == 2


def test_a_graph_that_is_partly_cached_runs_on_with_nothing_behind_it() -> None:
    found = by_name(filled(test_cache_walk.nested(), {"two"}))
    assert found["run-1.sub"]["phase"] == "Running"
    assert "outboundNodes" not in found["run-1.sub"]
    assert "run-1.sub.one" in found
    assert "run-1.after" not in found


def test_outputs_travel_as_argo_safe_json() -> None:
    node = by_name(filled(scenes.plan()))["run-1.greet"]
    value = node["outputs"]["parameters"][0]["value"]
    assert "{" not in value
    assert json.loads(value) == "text {{x}}"


def test_what_comes_after_a_graph_hangs_under_the_last_tasks_in_it() -> None:
    found = filled(test_cache_walk.nested())
    after = nodes.id_of("run-1", "after")
    under = {node["name"] for node in found.values() if after in (node.get("children") or ())}
    assert under == {"run-1.sub.two", "run-1.sub.aside"}


def test_a_map_of_which_items_lack_runs_on_with_those_that_are_known() -> None:
    found = by_name(filled(test_cache_walk.mapped(), {"each(1)"}))
    assert (found["run-1.each"]["phase"], found["run-1.each.item"]["phase"]) == ("Running", "Running")
    items = [name for name in found if name.startswith("run-1.each.item(")]
    assert items == ["run-1.each.item(0:0)", "run-1.each.item(2:2)"]
    assert found["run-1.each.item"]["children"] == [found[name]["id"] for name in items]
    assert "run-1.again" not in found


def test_a_map_of_which_all_items_are_known_gives_their_list_as_the_engine_would() -> None:
    node = by_name(filled(test_cache_walk.mapped()))["run-1.each"]
    (output,) = node["outputs"]["parameters"]
    assert json.loads(output["value"]) == {"$stored": {"items": ['"=42"', '"=42"', '"=42"']}}
    assert len(node["outboundNodes"]) == 3


def test_children_that_argo_wrote_already_stay() -> None:
    found = by_name(filled(scenes.plan()))
    assert found["run-1"]["children"] == [nodes.id_of("run-1", "admit")]


@pytest.mark.parametrize("most", range(5))
def test_any_number_of_filled_tasks_leaves_a_sound_map(most: int) -> None:
    found = filled(test_cache_walk.nested(), most=most)
    assert fill.problems(found, "run-1") == []
    assert sum("memoizationStatus" in node for node in found.values()) == most


def test_the_maps_given_are_not_changed() -> None:
    held = scenes.held_run()["status"]["nodes"]
    before = copy.deepcopy(held)
    walk = CacheWalk(scenes.plan(), test_cache_walk.INPUTS)
    fill.fill(walk, (), held, "run-1", scenes.MOMENT)
    assert held == before


@given(random_plans() | random_plans(several=True), st.randoms(use_true_random=False))
def test_no_random_graph_with_random_hits_hangs(plan: plans.Plan, random: Any) -> None:
    walk = CacheWalk(plan, {"a": 1, "b": 2})
    while wanted := walk.wanted():
        walk.answer({each.key: {"o0": random.randrange(3)} for each in wanted if random.random() < 0.8})
    held = scenes.held_run()["status"]["nodes"]
    for most in {len(walk.hits), len(walk.hits) // 2}:
        found = fill.fill(walk, walk.limited(most), held, "run-1", scenes.MOMENT)
        assert fill.problems(found, "run-1") == []
        assert_nothing_behind_running_graphs(found, plan)


def assert_nothing_behind_running_graphs(found: nodes.Nodes, plan: plans.Plan) -> None:
    names = {node["name"]: node for node in found.values()}
    for place in outlines.outline(plan):
        if f"run-1.{place.path}" in names:
            above = place.path.rpartition(".")[0]
            beside = [f"run-1.{above}.{name}" if above else f"run-1.{name}" for name in place.step.depends]
            assert all(names[name]["phase"] == "Succeeded" for name in beside), f"{place.path} lies behind a graph"
            assert not above or f"run-1.{above}" in names


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda found, ids: found[ids["run-1.add"]].update(children=["nowhere"]), "which is not there"),
        (lambda found, ids: found[ids["run-1.admit"]].pop("children"), "nothing names run-1.add"),
        (lambda found, ids: found[ids["run-1.sub"]].pop("outboundNodes"), "done without outboundNodes"),
        (lambda found, ids: found[ids["run-1.sub"]].update(memoizationStatus={}), "memo mark"),
        (lambda found, ids: found[ids["run-1.sub"]].update(type="TaskGroup", children=[]), "done without children"),
        (lambda found, ids: found[ids["run-1.add"]].update(boundaryID="x"), "lies in x"),
        (lambda found, ids: found[ids["run-1.add"]].update(name="run-1.other"), "its own id"),
        (
            lambda found, ids: found[ids["run-1.add"]].update(outputs={"parameters": [{"name": "o0"}]}),
            "without its outputs",
        ),
    ],
)
def test_what_would_hang_a_run_is_found(spoil: Any, said: str) -> None:
    found = {**filled(test_cache_walk.nested()), **filled(scenes.plan())}
    root = found["run-1"]
    root["children"] = [nodes.id_of("run-1", "admit")]
    admit = found[root["children"][0]]
    admit["children"] = [nodes.id_of("run-1", name) for name in ("add", "greet", "first")]
    assert fill.problems(found, "run-1") == []
    ids = {node["name"]: key for key, node in found.items()}
    spoil(found, ids)
    assert any(said in problem for problem in fill.problems(found, "run-1"))
