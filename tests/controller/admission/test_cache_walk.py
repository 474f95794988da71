"""Which tasks a walk asks for, in which order, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import keys, references
from alula_controller.admission import cache_walk
from alula_controller.admission.cache_walk import Known, Walk
from alula_controller.runs import plans
from tests.controller import graphs, scenes
from tests.controller.scenes import INT, STR, out, task

INPUTS = {"x": Known(7), "label": Known("hi")}


def names(walk: Walk) -> list[str]:
    """What is asked for, by node name."""
    wanted = {each.key for each in walk.wanted()}
    return [spot.name for spot in walk.spots if spot.key in wanted and not spot.done]


def answer(walk: Walk, **outputs: Any) -> None:
    """Answer all that is wanted: the tasks named here with these outputs, the others with a miss."""
    found = {}
    for spot in walk.spots:
        if spot.step.name in outputs and spot.key:
            found[spot.key] = outputs[spot.step.name]
    walk.answer(found)


def test_a_walk_asks_level_by_level() -> None:
    walk = Walk(scenes.plan(), "r", INPUTS)
    assert names(walk) == ["r.add", "r.greet"]
    answer(walk, add={"o0": 8}, greet={"o0": "hello"})
    assert names(walk) == ["r.add-2"]
    answer(walk, **{"add-2": {"o0": 15}})
    assert walk.wanted() == []
    assert [spot.name for spot in walk.hits] == ["r.add", "r.add-2", "r.greet"]


def test_the_key_is_that_of_the_contract() -> None:
    walk = Walk(scenes.plan(), "r", INPUTS)
    interface = keys.interface_digest([("a", INT), ("b", INT)], [("o0", INT)])
    identities = {"a": keys.identity(7, INT), "b": keys.identity(1, INT)}
    expected = keys.cache_key("flows.sums:add", "1", interface, identities)
    assert walk.spots[0].key == expected


def test_nothing_behind_a_miss_is_asked_for() -> None:
    walk = Walk(scenes.plan(), "r", INPUTS)
    answer(walk, greet={"o0": "hello"})
    assert walk.wanted() == []
    assert [spot.name for spot in walk.hits] == ["r.greet"]


def test_an_entry_with_other_outputs_than_declared_is_a_miss() -> None:
    walk = Walk(scenes.plan(), "r", INPUTS)
    answer(walk, add={"o0": 8, "extra": 1}, greet={})
    assert walk.hits == []


def test_an_uncached_task_is_never_asked_for_and_stops_what_is_behind_it() -> None:
    body = scenes.workflow(
        tasks=[task("add", {"a": INT, "b": INT}, cached=False), task("greet", {"text": STR}, {"o0": STR})]
    )
    walk = Walk(scenes.plan(body), "r", INPUTS)
    assert names(walk) == ["r.greet"]


def test_two_calls_with_equal_inputs_are_looked_up_once_and_both_filled() -> None:
    calls = [
        {"id": name, "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}} for name in ("one", "two")
    ]
    walk = Walk(scenes.plan(scenes.workflow(nodes=calls, outputs=[])), "r", INPUTS)
    assert len(walk.wanted()) == 1
    answer(walk, one={"o0": 8})
    assert len(walk.hits) == 2


def envelope(digit: str = "a") -> dict[str, Any]:
    return references.Stored(digit * 64, 9_000, "b" * 64).to_json()


def test_a_stored_value_passes_on_by_its_recorded_identity() -> None:
    walk = Walk(scenes.plan(), "r", INPUTS)
    answer(walk, add={"o0": envelope()})
    interface = keys.interface_digest([("a", INT), ("b", INT)], [("o0", INT)])
    expected = keys.cache_key("flows.sums:add", "1", interface, {"a": "b" * 64, "b": keys.identity(7, INT)})
    assert [each.key for each in walk.wanted()] == [expected]


RECORD = {"type": "object", "title": "P", "properties": {"x": INT}, "required": ["x"], "additionalProperties": False}


def parts(binding: dict[str, Any], made: Any = RECORD, taken: Any = INT) -> Walk:
    """A walk in which `use` takes what `binding` makes of the output of `make`."""
    body = scenes.workflow(
        tasks=[task("make", {}, {"o0": made}), task("use", {"a": taken})],
        nodes=[{"id": "make", "task": "make"}, {"id": "use", "task": "use", "inputs": {"a": binding}}],
        outputs=[],
        inputs=[],
    )
    return Walk(scenes.plan(body), "r", {})


def test_a_part_of_a_value_is_known_and_a_part_of_a_stored_value_is_not() -> None:
    known = parts(out("make", path=["x"]))
    answer(known, make={"o0": {"x": 3}})
    assert names(known) == ["r.use"]
    stored = parts(out("make", path=["x"]))
    answer(stored, make={"o0": envelope()})
    assert stored.wanted() == []


def test_a_list_of_values_is_known_unless_one_of_them_is_stored() -> None:
    binding = {"items": [out("make"), {"value": "2"}]}
    known = parts(binding, INT, {"type": "array", "items": INT})
    answer(known, make={"o0": 1})
    assert names(known) == ["r.use"]
    assert known.spots[1].key == cache_walk.key_of(
        plans.Task(
            "flows.sums:use",
            "1",
            keys.interface_digest([("a", {"type": "array", "items": INT})], [("o0", INT)]),
            {"a": {"type": "array", "items": INT}},
            {},
        ),
        {"a": Known([1, 2])},
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
    walk = Walk(nested(), "r", INPUTS)
    assert names(walk) == ["r.first"]
    answer(walk, first={"o0": 8})
    assert names(walk) == ["r.sub.one", "r.sub.aside"]
    answer(walk, one={"o0": 11})
    assert names(walk) == ["r.sub.two"], "aside was a miss"
    answer(walk, two={"o0": 15})
    assert walk.wanted() == [], "what comes after the graph waits for all of it"


def test_what_comes_after_a_wholly_cached_graph_is_asked_for_with_its_outputs() -> None:
    walk = Walk(nested(), "r", INPUTS)
    for found in ({"first": 8}, {"one": 11, "aside": "y"}, {"two": 15}):
        answer(walk, **{name: {"o0": value} for name, value in found.items()})
    assert names(walk) == ["r.after"]


def test_graphs_in_each_other_without_end_are_refused() -> None:
    step = plans.Step("again", "main", "", "main", {}, ())
    endless = plans.Plan("t", "main", (), {}, {"main": plans.Dag((), (step,), {})})
    with pytest.raises(cache_walk.TooLarge):
        Walk(endless, "r", {})


def test_a_chain_of_ten_thousand_is_walked_without_recursion() -> None:
    steps = [plans.Step("n0", "cached", "cached", "", {"a": {"input": "a"}, "b": {"value": "0"}}, ())]
    for index in range(1, 10_000):
        inputs = {"a": {"node": f"n{index - 1}", "output": "o0"}, "b": {"value": "0"}}
        steps.append(plans.Step(f"n{index}", "cached", "cached", "", inputs, (f"n{index - 1}",)))
    plan = plans.Plan("t", "main", (), graphs.TASKS, {"main": plans.Dag((), tuple(steps), {})})
    walk = Walk(plan, "r", {"a": Known(1)})
    count = 0
    while wanted := walk.wanted():
        walk.answer({each.key: {"o0": count} for each in wanted})
        count += 1
    assert len(walk.hits) == 10_000


def test_two_names_with_one_id_are_noticed() -> None:
    walk = Walk(scenes.plan(), "r", INPUTS)
    assert not walk.colliding("r")
    walk.spots[1].id = walk.spots[0].id
    assert walk.colliding("r")


@given(graphs.random_plans(), st.data())
def test_a_walk_ends_and_knows_only_what_rests_on_what_it_knows(plan: plans.Plan, data: st.DataObject) -> None:
    walk = Walk(plan, "r", {"a": Known(1), "b": Known(2)})
    missed: set[str] = set()
    while wanted := walk.wanted():
        asked = {each.key for each in wanted}
        assert not asked & missed, "a miss is asked for once"
        hits = {key: {"o0": data.draw(st.integers(0, 2))} for key in sorted(asked) if data.draw(st.booleans())}
        missed |= asked - hits.keys()
        walk.answer(hits)
    for spot in walk.spots:
        if spot.done:
            assert all(walk.spots[before].done for before in spot.depends)
            assert spot.parent < 0 or walk.spots[spot.parent].open
            assert all(walk.spots[child].done for child in spot.children)


@given(graphs.random_plans(), st.integers(0, 6))
def test_the_part_with_the_first_few_tasks_is_a_state_in_which_the_walk_could_have_stopped(
    plan: plans.Plan, most: int
) -> None:
    walk = Walk(plan, "r", {"a": Known(1), "b": Known(2)})
    while wanted := walk.wanted():
        walk.answer({each.key: {"o0": 1} for each in wanted})
    kept = walk.limited(most)
    tasks = [index for index in kept if walk.spots[index].step.task]
    assert len(tasks) == min(most, len(walk.hits)) or len(tasks) < most
    assert len(tasks) <= most
    for index in kept:
        assert kept.issuperset(walk.spots[index].depends)
        assert kept.issuperset(walk.spots[index].children)
    assert walk.limited(len(walk.hits)) == {spot.index for spot in walk.spots if spot.done}
