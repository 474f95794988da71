"""A mapped graph that decides by its own item is filled in where the list's task is cached, also when it is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alula_api.contract import lists, references
from alula_api.contract.graphs import comparables, plans
from alula_controller.admission.cache_walk import CacheWalk
from tests.controller import scenes
from tests.controller.admission.test_cache_walk import answer, hits, names
from tests.controller.scenes import INT, out, task

X = {"name": "x", "type": INT}
PART = "o0--each-part"
INTS = {"type": "array", "items": INT}


def plan() -> plans.Plan:
    """`make` gives a list, over which `sub` goes: `add` where an item is more than 1, and else `less`."""
    chosen = {
        "branch": {
            "reads": [{"name": "x", "type": "int"}],
            "cases": [{"name": "then", "when": "x > 1", "graph": "more"}],
            "otherwise": "fewer",
        },
        "inputs": {"x": {"input": "x"}},
    }
    body = scenes.workflow(
        code={"image": "x:1", "runtime": 3},
        tasks=[task("make", {}, {"o0": INTS}), task("add", {"x": INT}), task("less", {"x": INT})],
        inputs=[],
        outputs=[],
        graphs=[
            {
                "name": "main",
                "nodes": [
                    {"id": "make", "task": "make"},
                    {"id": "each", "map": {"graph": "sub", "over": ["x"], "outputs": []}, "inputs": {"x": out("make")}},
                ],
            },
            {"name": "sub", "inputs": [dict(X)], "nodes": [{"id": "choose", **chosen}]},
            {
                "name": "more",
                "inputs": [dict(X)],
                "nodes": [{"id": "add", "task": "add", "inputs": {"x": {"input": "x"}}}],
            },
            {
                "name": "fewer",
                "inputs": [dict(X)],
                "nodes": [{"id": "less", "task": "less", "inputs": {"x": {"input": "x"}}}],
            },
        ],
    )
    return scenes.plan(body)


def test_each_item_asks_for_the_task_of_the_branch_that_it_takes() -> None:
    walk = CacheWalk(plan(), {})
    answer(walk, make={"o0": [1, 2, 3]})
    assert names(walk) == ["each(0).choose.else.less", "each(1).choose.then.add", "each(2).choose.then.add"]
    answer(walk, add={"o0": 0}, less={"o0": 0})
    assert hits(walk) == ["make", "each(0).choose.else.less",
                          "each(1).choose.then.add", "each(2).choose.then.add"]  # fmt: skip


def test_a_list_that_lies_in_the_store_is_known_by_the_parts_that_its_entry_has() -> None:
    stored: Any = references.Stored("a" * 64, 9, "b" * 64).to_json()
    items = lists.listed([1, 2]).to_json()
    parts = comparables.listed_parts([1, 2], INTS, (), comparables.published)
    for kept, reached in [({"o0--items": items, PART: parts}, 2), ({"o0--items": items}, 0), ({}, 0)]:
        walk = CacheWalk(plan(), {})
        (wanted,) = walk.wanted()
        walk.answer({wanted.key: {"o0": stored}}, {}, {wanted.key: kept})
        assert len(names(walk)) == reached
        assert hits(walk) == (["make"] if reached else [])


def test_an_entry_s_part_that_is_shorter_than_its_list_is_never_taken_for_the_items() -> None:
    walk = CacheWalk(plan(), {})
    (wanted,) = walk.wanted()
    stored: Any = references.Stored("a" * 64, 9, "b" * 64).to_json()
    kept = {"o0--items": lists.listed([1, 2, 3]).to_json(), PART: lists.Listed((json.dumps(5),)).to_json()}
    walk.answer({wanted.key: {"o0": stored}}, {}, {wanted.key: kept})
    assert names(walk) == []


@pytest.mark.parametrize("text", ["not JSON", '{"$stored": {"items": [1]}}', '{"$stored": {"digest": 1}}', ""])
def test_parts_in_an_entry_that_are_no_values_keep_the_items_unknown_and_end_nothing(text: str) -> None:
    walk = CacheWalk(plan(), {})
    (wanted,) = walk.wanted()
    stored: Any = references.Stored("a" * 64, 9, "b" * 64).to_json()
    kept = {"o0--items": lists.listed([1, 2]).to_json(), PART: lists.Listed((text, "2")).to_json()}
    walk.answer({wanted.key: {"o0": stored}}, {}, {wanted.key: kept})
    assert names(walk) == []
