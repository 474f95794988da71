"""Which tasks a walk asks for, in which order, and what it makes of the answers."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo import nodes
from alula_api.contract import keys, references
from alula_api.contract.graphs import plans
from alula_api.contract.graphs.walks import State, TooLarge
from alula_controller.admission import cache_walk
from alula_controller.admission.cache_walk import CacheWalk
from tests.contract.graphs import golden_walks, interpreter
from tests.contract.graphs.random_plans import random_plans
from tests.controller import scenes
from tests.controller.scenes import INT, STR, out, task

INPUTS = {"x": 7, "label": "hi"}


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


def test_graphs_in_each_other_without_end_are_refused() -> None:
    step = plans.Step("again", plans.GraphCall("main"))
    endless = plans.Plan({"main": plans.Graph((), (step,))})
    for refused in (lambda: CacheWalk(endless, {}), lambda: cache_walk.colliding(endless, "r")):
        with pytest.raises(TooLarge):
            refused()


def test_two_paths_with_one_id_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not cache_walk.colliding(nested(), "r")
    monkeypatch.setattr(nodes, "id_of", lambda run, path: path.replace("sub.two", "after"))
    assert cache_walk.colliding(nested(), "r")


@pytest.mark.parametrize("walked", golden_walks.load().values(), ids=[*golden_walks.load()])
def test_what_is_known_of_a_golden_walk_is_what_it_says(walked: golden_walks.Told) -> None:
    tasks = {"t": dataclasses.replace(walked.plan.tasks["t"], version="1", inputs={}, outputs={"o0": {}})}
    expected = dict(walked.started)
    walk = CacheWalk(dataclasses.replace(walked.plan, tasks=tasks), walked.inputs)
    # All tasks have one key here, so that one answer finishes all that are ready, each with the same output.
    while walk.wanted():
        walk.answer({each.key: {"o0": "out"} for each in walk.wanted()})
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
