"""Which tasks a walk asks for, in which order, and what it makes of the answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo import nodes
from alula_api.contract import keys, lists, references
from alula_api.contract.graphs import calls, comparables, plans
from alula_api.contract.graphs.bindings import Constant
from alula_api.contract.graphs.frames import State
from alula_api.contract.graphs.walks import TooLarge
from alula_controller.admission import cache_walk
from alula_controller.admission.cache_walk import CacheWalk
from tests.compiler import notation
from tests.contract.graphs import golden_walks, interpreter
from tests.contract.graphs.random_plans import random_plans
from tests.controller import scenes
from tests.controller.scenes import INT, STR, out, task

INPUTS = {"x": 7, "label": "hi", "label--part": comparables.published("hi", STR)}


def branched(top: str = "=10") -> plans.Plan:
    """A conditional on a part of an input and an output of a task, and a task behind it."""
    short = {
        "inputs": {"x": "int", "label": "text"},
        "tasks": {
            "add": {"call": "(a: int, b: int) -> o0: int", "cache": {"version": "1"}},
            "show": {"call": "(a: int) -> o0: int", "cache": {"version": "1"}},
        },
        "graphs": {
            "main": {
                "nodes": [
                    {"id": "one", "call": "add", "a": "$x", "b": "=1"},
                    {
                        "id": "pick",
                        "branch": {"reads": {"s": "int", "t": "text"}, "then": f's > {top[1:]} and t == "hi" -> both',
                                   "else": "given"},
                        "s": "one.o0", "t": "$label", "a": "one.o0",
                    },
                    {"id": "after", "call": "show", "a": "pick.o0"},
                ],
                "outputs": {"o0": "after.o0"},
            },
            "both": {
                "inputs": {"a": "int"},
                "nodes": [{"id": "two", "call": "show", "a": "$a"}, {"id": "three", "call": "show", "a": "two.o0"}],
                "outputs": {"o0": "three.o0"},
            },
            "given": {"inputs": {"a": "int"}, "nodes": [], "outputs": {"o0": "$a"}},
        },
    }  # fmt: skip
    return scenes.plan(notation.resource(short))


def names(walk: CacheWalk) -> list[str]:
    """What is asked for, by path."""
    wanted = {each.key for each in walk.wanted()}
    return [spot.path for spot, key in walk.keys.items() if key in wanted and spot.state is State.RUNNING]


def hits(walk: CacheWalk) -> list[str]:
    return [spot.path for spot in walk.hits]


def answer(walk: CacheWalk, **outputs: Any) -> None:
    """Answer all that is wanted: the tasks named here with these outputs, the others with a miss."""
    walk.answer({key: outputs[spot.step.name] for spot, key in walk.keys.items() if key and spot.step.name in outputs})


def test_a_walk_asks_level_by_level() -> None:
    walk = CacheWalk(scenes.plan(), INPUTS)
    assert names(walk) == ["add", "greet"]
    answer(walk, add={"o0": 8}, greet={"o0": "hello"})
    assert names(walk) == ["add-2"]
    answer(walk, **{"add-2": {"o0": 15}})
    assert walk.wanted() == []
    assert hits(walk) == ["add", "greet", "add-2"]


def test_the_key_is_that_of_the_contract() -> None:
    walk = CacheWalk(scenes.plan(), INPUTS)
    interface = keys.interface_digest([("a", INT), ("b", INT)], [("o0", INT)])
    identities = {"a": keys.identity(7, INT), "b": keys.identity(1, INT)}
    expected = keys.cache_key("flows.sums:add", "1", interface, identities)
    assert walk.wanted()[0].key == expected


def test_nothing_behind_a_miss_is_asked_for() -> None:
    walk = CacheWalk(scenes.plan(), INPUTS)
    answer(walk, greet={"o0": "hello"})
    assert walk.wanted() == []
    assert hits(walk) == ["greet"]


def test_an_entry_with_other_outputs_than_declared_is_a_miss() -> None:
    walk = CacheWalk(scenes.plan(), INPUTS)
    answer(walk, add={"o0": 8, "extra": 1}, greet={})
    assert walk.hits == []


def test_an_uncached_task_is_never_asked_for_and_stops_what_is_behind_it() -> None:
    body = scenes.workflow(
        tasks=[task("add", {"a": INT, "b": INT}, cached=False), task("greet", {"text": STR}, {"o0": STR})]
    )
    walk = CacheWalk(scenes.plan(body), INPUTS)
    assert names(walk) == ["greet"]


def test_two_calls_with_equal_inputs_are_looked_up_once_and_both_filled() -> None:
    calls = [
        {"id": name, "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}} for name in ("one", "two")
    ]
    walk = CacheWalk(scenes.plan(scenes.workflow(nodes=calls, outputs=[])), INPUTS)
    assert len(walk.wanted()) == 1
    answer(walk, one={"o0": 8})
    assert len(walk.hits) == 2


def envelope(digit: str = "a") -> dict[str, Any]:
    return references.Stored(digit * 64, 9_000, "b" * 64).to_json()


def test_a_stored_value_passes_on_by_its_recorded_identity() -> None:
    walk = CacheWalk(scenes.plan(), INPUTS)
    answer(walk, add={"o0": envelope()})
    interface = keys.interface_digest([("a", INT), ("b", INT)], [("o0", INT)])
    expected = keys.cache_key("flows.sums:add", "1", interface, {"a": "b" * 64, "b": keys.identity(7, INT)})
    assert [each.key for each in walk.wanted()] == [expected]


RECORD = {"type": "object", "title": "P", "properties": {"x": INT}, "required": ["x"], "additionalProperties": False}


def parts(binding: dict[str, Any], made: Any = RECORD, taken: Any = INT) -> CacheWalk:
    """A walk in which `use` takes what `binding` makes of the output of `make`."""
    body = scenes.workflow(
        tasks=[task("make", {}, {"o0": made}), task("use", {"a": taken})],
        nodes=[{"id": "make", "task": "make"}, {"id": "use", "task": "use", "inputs": {"a": binding}}],
        outputs=[],
        inputs=[],
    )
    return CacheWalk(scenes.plan(body), {})


def test_a_part_of_a_value_is_known_and_a_part_of_a_stored_value_is_not() -> None:
    known = parts(out("make", path=["x"]))
    answer(known, make={"o0": {"x": 3}})
    assert names(known) == ["use"]
    stored = parts(out("make", path=["x"]))
    answer(stored, make={"o0": envelope()})
    assert stored.wanted() == []


def test_a_list_of_values_is_known_unless_one_of_them_is_stored() -> None:
    binding = {"items": [out("make"), {"value": "2"}]}
    known = parts(binding, INT, {"type": "array", "items": INT})
    answer(known, make={"o0": 1})
    assert names(known) == ["use"]
    assert known.wanted()[0].key == cache_walk.key_of(
        plans.Task(
            "flows.sums:use",
            "1",
            keys.interface_digest([("a", {"type": "array", "items": INT})], [("o0", INT)]),
            {"a": {"type": "array", "items": INT}},
            {},
        ),
        {"a": [1, 2]},
    )
    stored = parts(binding, INT, {"type": "array", "items": INT})
    answer(stored, make={"o0": envelope()})
    assert stored.wanted() == []


def test_data_of_unknown_identity_is_a_miss() -> None:
    foreign = {"type": "file", "digest": "", "size": 0, "name": "x", "format": "", "uri": "s3://elsewhere/x"}
    walk = parts(out("make"), {"x-alula-type": "file"}, {"x-alula-type": "file"})
    answer(walk, make={"o0": foreign})
    assert walk.wanted() == []


def test_a_value_that_does_not_fit_its_consumer_is_a_miss() -> None:
    walk = parts(out("make"), INT, INT)
    answer(walk, make={"o0": "not a number"})
    assert walk.wanted() == []


def nested() -> plans.Plan:
    body = scenes.workflow(
        outputs=[{"name": "total", "type": INT, "from": out("after")}],
        graphs=[
            {
                "name": "main",
                "nodes": [
                    {"id": "first", "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}},
                    {"id": "sub", "graph": "inner", "inputs": {"p": out("first")}},
                    {"id": "after", "task": "add", "inputs": {"a": out("sub", "q"), "b": {"value": "2"}}},
                ],
            },
            {
                "name": "inner",
                "inputs": [{"name": "p", "type": INT}],
                "outputs": [{"name": "q", "type": INT, "from": out("two")}],
                "nodes": [
                    {"id": "one", "task": "add", "inputs": {"a": {"input": "p"}, "b": {"value": "3"}}},
                    {"id": "two", "task": "add", "inputs": {"a": out("one"), "b": {"value": "4"}}},
                    {"id": "aside", "task": "greet", "inputs": {"text": {"value": '"x"'}}},
                ],
            },
        ],
    )
    return scenes.plan(body)


def test_a_graph_is_entered_when_everything_before_it_is_known_and_left_when_all_of_it_is() -> None:
    walk = CacheWalk(nested(), INPUTS)
    assert names(walk) == ["first"]
    answer(walk, first={"o0": 8})
    assert names(walk) == ["sub.one", "sub.aside"]
    answer(walk, one={"o0": 11})
    assert names(walk) == ["sub.two"], "aside was a miss"
    answer(walk, two={"o0": 15})
    assert walk.wanted() == [], "what comes after the graph waits for all of it"


def test_what_comes_after_a_wholly_cached_graph_is_asked_for_with_its_outputs() -> None:
    walk = CacheWalk(nested(), INPUTS)
    for found in ({"first": 8}, {"one": 11, "aside": "y"}, {"two": 15}):
        answer(walk, **{name: {"o0": value} for name, value in found.items()})
    assert names(walk) == ["after"]


def mapped(
    items: str = "[1, 2, 3]", *, each: Mapping[str, Any] = {}, again: Mapping[str, Any] = {"concurrency": 1}
) -> plans.Plan:
    """A map over a list in the workflow, a map over its results, and a task behind both."""
    ints = {"type": "array", "items": INT}
    add = {"task": "add", "over": ["a"], "outputs": ["o0"]}
    nodes = [
        {"id": "each", "map": {**add, **each}, "inputs": {"a": {"value": items}, "b": {"value": "1"}}},
        {"id": "again", "map": {**add, **again}, "inputs": {"a": out("each"), "b": {"value": "2"}}},
        {"id": "sum", "task": "sum", "inputs": {"xs": out("again")}},
    ]
    body = scenes.workflow(
        tasks=[task("add", {"a": INT, "b": INT}), task("sum", {"xs": ints})],
        inputs=[],
        outputs=[{"name": "total", "type": INT, "from": out("sum")}],
        graphs=[{"name": "main", "nodes": nodes}],
    )
    if "batch" in each:
        body["spec"]["code"]["runtime"] = 2
    return scenes.plan(body)


def test_items_are_asked_for_at_once_and_what_comes_after_a_map_when_all_are_known() -> None:
    walk = CacheWalk(mapped(), {})
    assert names(walk) == ["each(0)", "each(1)", "each(2)"]
    answer(walk, each={"o0": 2})
    assert len(walk.wanted()) == 1, "the results are equal here, so the second map asks once"
    answer(walk, again={"o0": 4})
    assert names(walk) == ["sum"]
    assert hits(walk) == [f"{name}({index})" for name in ("each", "again") for index in range(3)]


def test_one_missing_item_is_the_end_of_its_map_and_not_of_the_other_items() -> None:
    walk = CacheWalk(mapped(), {})
    walk.answer({key: {"o0": 2} for spot, key in walk.keys.items() if spot.path != "each(1)"})
    assert walk.wanted() == []
    assert hits(walk) == ["each(0)", "each(2)"]
    assert [spot.path for spot in walk.limited(1)] == ["each(0)"]


def batched(items: str = "[1, 2, 3, 4, 5]") -> plans.Plan:
    """The same in batches: of two, then of three."""
    return mapped(items, each={"batch": 2}, again={"batch": 3, "parallel": 2})


def test_a_batch_is_asked_for_as_a_whole_and_its_key_is_of_the_items_that_it_has() -> None:
    walk = CacheWalk(batched(), {})
    assert names(walk) == ["each(0)", "each(1)", "each(2)"]
    lists_of_ints = {"type": "array", "items": INT}
    assert [dict(each.outputs) for each in walk.wanted()] == [{"o0": lists_of_ints}] * 3
    other = CacheWalk(batched("[9, 9, 1, 2]"), {})
    keys_of = {spot.path: key for spot, key in walk.keys.items()}
    assert {spot.path: key for spot, key in other.keys.items()}["each(1)"] == keys_of["each(0)"]
    made = {"each(0)": [2, 3], "each(1)": [4, 5], "each(2)": [6]}
    walk.answer({key: {"o0": made[spot.path]} for spot, key in walk.keys.items()})
    assert names(walk) == ["again(0)", "again(1)"]
    stored = references.Stored("a" * 64, 9, "b" * 64)
    walk.answer({key: {"o0": stored.to_json()} for spot, key in walk.keys.items() if spot.path.startswith("again")})
    assert names(walk) == ["sum"], "a list of batches in the store has an identity all the same"


def test_batches_of_a_list_of_single_results_are_asked_for_as_those_of_one_that_is_given() -> None:
    single = scenes.workflow(
        tasks=[task("add", {"a": INT, "b": INT})],
        inputs=[{"name": "x", "type": INT}],
        outputs=[],
        nodes=[
            {"id": "one", "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}},
            {
                "id": "each",
                "map": {"task": "add", "over": ["a"], "outputs": ["o0"], "batch": 2},
                "inputs": {"a": {"items": [{"input": "x"}, out("one"), {"value": "3"}]}, "b": {"value": "1"}},
            },
        ],
    )
    single["spec"]["code"]["runtime"] = 2
    walk = CacheWalk(scenes.plan(single), {"x": 1})
    answer(walk, one={"o0": 2})
    assert names(walk) == ["each(0)", "each(1)"]
    given = CacheWalk(batched("[1, 2, 3]"), {})
    keys_of = {spot.path: key for spot, key in walk.keys.items()}
    assert {path: keys_of[path] for path in names(walk)} == {spot.path: key for spot, key in given.keys.items()}


def test_a_batch_that_lacks_is_the_end_of_its_map_and_not_of_the_other_batches() -> None:
    walk = CacheWalk(batched(), {})
    walk.answer({key: {"o0": [2, 3]} for spot, key in walk.keys.items() if spot.path != "each(1)"})
    assert walk.wanted() == []
    assert hits(walk) == ["each(0)"], "the last batch has one item, so two results are not of it"


def mapped_graphs() -> plans.Plan:
    """A map of a graph of two tasks."""
    body = scenes.workflow(
        inputs=[],
        outputs=[],
        graphs=[
            {
                "name": "main",
                "nodes": [
                    {
                        "id": "each",
                        "map": {"graph": "inner", "over": ["p"], "outputs": ["q"]},
                        "inputs": {"p": {"value": "[1, 2]"}},
                    },
                ],
            },
            {
                "name": "inner",
                "inputs": [{"name": "p", "type": INT}],
                "outputs": [{"name": "q", "type": INT, "from": out("two")}],
                "nodes": [
                    {"id": "one", "task": "add", "inputs": {"a": {"input": "p"}, "b": {"value": "3"}}},
                    {"id": "two", "task": "add", "inputs": {"a": out("one"), "b": {"value": "4"}}},
                ],
            },
        ],
    )
    return scenes.plan(body)


def test_a_task_of_a_mapped_graph_is_asked_for_with_the_item_itself() -> None:
    walk = CacheWalk(mapped_graphs(), {})
    assert names(walk) == ["each(0).one", "each(1).one"]
    assert walk.wanted()[0].key == cache_walk.key_of(walk._plan.tasks["add"], {"a": 1, "b": 3})
    answer(walk, one={"o0": 9})
    assert names(walk) == ["each(0).two", "each(1).two"]


def test_a_result_that_is_too_long_for_an_item_counts_where_it_lies_in_the_store_as_well() -> None:
    text = {"type": "array", "items": STR}
    body = scenes.workflow(
        tasks=[task("read", {"a": INT}, {"o0": STR}), task("join", {"xs": text})],
        inputs=[],
        outputs=[],
        nodes=[
            {
                "id": "each",
                "map": {"task": "read", "over": ["a"], "outputs": ["o0"]},
                "inputs": {"a": {"value": "[1]"}},
            },
            {"id": "join", "task": "join", "inputs": {"xs": out("each")}},
        ],
    )
    long, stored = "x" * 300, references.Stored("a" * 64, 302, "b" * 64)
    for there in ({}, {"o0": stored}):
        walk = CacheWalk(scenes.plan(body), {})
        (wanted,) = walk.wanted()
        assert wanted.items == ("o0",)
        walk.answer({wanted.key: {"o0": long}}, {wanted.key: there})
        assert hits(walk) == (["each(0)"] if there else [])
        if there:
            assert walk.root.inner is not None
            assert walk.root.inner.spots["each"].items[0].outputs["o0--item"] == lists.item(stored)


def test_graphs_in_each_other_without_end_are_refused() -> None:
    step = plans.Step("again", calls.GraphCall("main"))
    endless = plans.Plan({"main": plans.Graph((), (step,))})
    for refused in (lambda: CacheWalk(endless, {}), lambda: cache_walk.colliding(endless, "r", {})):
        with pytest.raises(TooLarge):
            refused()


def test_two_paths_with_one_id_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("sub.two", "after"):
        filled = {nodes.id_of("r", path): {"name": f"r.{path}"}}
        assert not cache_walk.colliding(nested(), "r", filled)
    monkeypatch.setattr(nodes, "id_of", lambda run, path: path.replace("sub.two", "after"))
    assert cache_walk.colliding(nested(), "r", {"after": {"name": "r.sub.two"}})
    assert cache_walk.colliding(nested(), "r", {"after": {"name": "r.after"}})
    assert not cache_walk.colliding(nested(), "r", {"sub": {"name": "r.sub"}}), "which has an id of its own"


def test_an_item_of_a_map_that_would_have_the_id_of_another_node_is_noticed() -> None:
    def plan(other: str) -> plans.Plan:
        steps = (
            plans.Step("m", calls.MapCall(calls.TaskCall("t"), ("x",), ("o0",)), (("x", Constant("[1]")),)),
            plans.Step(other, calls.TaskCall("t"), (("x", Constant("1")),)),
        )
        return plans.Plan({"main": plans.Graph((), steps)})

    assert nodes.id_of("r", "m.item(107:107)") == nodes.id_of("r", "abcypp")  # found by trying 400,000 names
    for filled in ("abcypp", "m.item(107:107)"):
        there = {nodes.id_of("r", filled): {"name": f"r.{filled}"}}
        assert cache_walk.colliding(plan("abcypp"), "r", there)
        assert not cache_walk.colliding(plan("abcypq"), "r", there) or filled == "abcypp"
    assert not cache_walk.colliding(plan("abcypp"), "r", {nodes.id_of("r", "m"): {"name": "r.m"}})


@pytest.mark.parametrize("walked", golden_walks.load().values(), ids=[*golden_walks.load()])
def test_what_is_known_of_a_golden_walk_is_what_it_says(walked: golden_walks.Told) -> None:
    tasks = {"t": dataclasses.replace(walked.plan.tasks["t"], version="1", inputs={}, outputs={"o0": {}})}
    expected = dict(walked.started)
    walk = CacheWalk(dataclasses.replace(walked.plan, tasks=tasks), walked.inputs)
    # All tasks have one key here, so that one answer finishes all that are ready, each with the same output. It is the
    # path of one of them: the conditions of repeats ask for that, as in the golden walks.
    while walk.wanted():
        last = {key: spot.path for spot, key in walk.keys.items()}
        walk.answer({each.key: {"o0": last[each.key]} for each in walk.wanted()})
    reached = {spot.path for spot in walk.keys}
    assert reached >= set(expected) if walked.failing else reached == set(expected)
    assert {spot.path for spot in walk.hits} == reached


@given(random_plans(), st.sets(st.integers(0, 20)))
def test_what_is_found_is_what_a_run_would_do_in_which_every_other_task_failed(
    plan: plans.Plan, missed: set[int]
) -> None:
    inputs = {"a": 1, "b": 2}
    walk = CacheWalk(plan, inputs)
    asked: list[str] = []
    gone = {""}
    while wanted := walk.wanted():
        found = {}
        for each in wanted:
            assert each.key not in gone, "a miss is asked for once"
            if each.key not in asked:
                asked.append(each.key)
                gone |= {each.key} if len(asked) in missed else set()
            if each.key not in gone:
                spot = next(spot for spot, key in walk.keys.items() if key == each.key)
                found[each.key] = interpreter.made(spot.task, spot.inputs)
        walk.answer(found)
    failing = [spot.path for spot, key in walk.keys.items() if key in gone]
    meaning = interpreter.interpret(plan, inputs, failing)
    assert {spot.path: dict(spot.inputs) for spot in walk.keys} == meaning.inputs
    assert set(hits(walk)) == set(meaning.inputs) - set(failing)


@given(random_plans(), st.integers(0, 6))
def test_the_part_with_the_first_few_tasks_is_a_state_in_which_the_walk_could_have_stopped(
    plan: plans.Plan, most: int
) -> None:
    walk = CacheWalk(plan, {"a": 1, "b": 2})
    while wanted := walk.wanted():
        walk.answer({each.key: {"o0": 1} for each in wanted})
    kept = set(walk.limited(most))
    tasks = [spot for spot in kept if spot.inner is None]
    assert len(tasks) == min(most, len(walk.hits)) or len(tasks) < most
    assert len(tasks) <= most
    for spot in kept:
        assert kept.issuperset(spot.frame.spots[name] for name in spot.step.depends)
        assert spot.inner is None or kept.issuperset(spot.inner.spots.values())
    done = {spot.path for spot in walk.limited(len(walk.hits))}
    assert done.issuperset(hits(walk))
