"""How graphs proceed: the walk against a plain interpreter on random plans, and case by case."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import lists
from alula_api.contract.graphs import calls, outlines, plans, walks
from alula_api.contract.graphs.bindings import UNKNOWN, Binding, Constant, FirstOf, FromInput, FromNode, Items
from alula_api.contract.graphs.calls import GraphCall, MapCall, TaskCall
from alula_api.contract.graphs.frames import Spot, State
from alula_api.contract.graphs.walks import Policy, Walk
from alula_api.contract.references import Stored
from tests.contract.graphs import interpreter
from tests.contract.graphs.random_plans import branch, random_plans

INPUTS = {"a": 1, "b": 2}


def step(name: str, call: calls.Call | str, *, after: tuple[str, ...] = (), **inputs: Binding) -> plans.Step:
    """A step; a text calls the task of that name."""
    leaves = [leaf for binding in inputs.values() for leaf in plans.bindings.leaves(binding)]
    before = dict.fromkeys([*(leaf.node for leaf in leaves if isinstance(leaf, FromNode)), *after])
    called = TaskCall(call) if isinstance(call, str) else call
    return plans.Step(name, called, tuple(inputs.items()), tuple(before))


def out(node: str, *path: str) -> FromNode:
    return FromNode(node, "o0", path)


def plan(*steps: plans.Step, outputs: Mapping[str, Binding] | None = None, **graphs: plans.Graph) -> plans.Plan:
    main = plans.Graph(("x",), steps, tuple((outputs or {}).items()))
    return plans.Plan({"main": main, **graphs})


def graph(*steps: plans.Step, inputs: tuple[str, ...] = (), **outputs: Binding) -> plans.Graph:
    return plans.Graph(inputs, steps, tuple(outputs.items()))


SEEDS = st.integers(0, 1 << 32).map(random.Random)
"""Which of the running spots ends next."""


def run(walk: Walk, order: random.Random | None = None, failing: Sequence[str] = ()) -> list[Spot]:
    """Run a walk to its end, as many spots at a time as may be; returns the spots in the order of their start."""
    running: list[Spot] = []
    started: list[Spot] = []
    while True:
        while (spot := walk.take()) is not None:
            running.append(spot)
            started.append(spot)
        if not running:
            return started
        spot = running.pop(order.randrange(len(running)) if order else 0)
        if spot.path in failing:
            walk.fail(spot)
        else:
            walk.finish(spot, interpreter.made(spot.task, spot.inputs))


def spots(walk: Walk) -> Iterator[Spot]:
    """All steps that were reached and are still kept."""
    frames = [walk.root.inner]
    while frames:
        frame = frames.pop()
        for spot in frame.spots.values() if frame else ():
            yield spot
            frames += [spot.inner, *(item.inner for item in spot.items)]


def states(walk: Walk) -> dict[str, str]:
    """The states of all steps that were reached, by path."""
    return {spot.path: spot.state.value for spot in spots(walk)}


# Random plans


@given(random_plans(several=True), SEEDS)
def test_a_walk_gives_every_task_what_a_plain_interpreter_gives_it(plan: plans.Plan, order: random.Random) -> None:
    meaning = interpreter.interpret(plan, INPUTS)
    walk = Walk(plan, INPUTS)
    started = run(walk, order)
    assert {spot.path: dict(spot.inputs) for spot in started} == meaning.inputs
    assert states(walk) == meaning.states
    assert walk.over and walk.root.state is State.DONE
    assert dict(walk.root.outputs) == meaning.outputs


@given(random_plans(several=True), SEEDS, st.integers(0, 2))
def test_what_does_not_depend_on_a_failure_still_runs_where_that_is_asked_for(
    plan: plans.Plan, order: random.Random, failures: int
) -> None:
    paths = sorted(interpreter.interpret(plan, INPUTS).inputs)
    failing = order.sample(paths, min(failures, len(paths)))
    meaning = interpreter.interpret(plan, INPUTS, failing)
    walk = Walk(plan, INPUTS, policy=Policy.CONTINUE)
    started = run(walk, order, failing)
    assert {spot.path: dict(spot.inputs) for spot in started} == meaning.inputs
    assert states(walk) == meaning.states
    assert walk.root.state.value == meaning.state
    assert {spot.path for spot in walk.failed} == {path for path in meaning.inputs if path in failing}


@given(random_plans(several=True), SEEDS)
def test_nothing_new_starts_after_a_failure_and_all_that_did_not_start_says_why(
    plan: plans.Plan, order: random.Random
) -> None:
    paths = sorted(interpreter.interpret(plan, INPUTS).inputs)
    failing = order.sample(paths, min(2, len(paths)))
    walk = Walk(plan, INPUTS)
    started = run(walk, order, failing)
    failed = [spot.path for spot in walk.failed]
    assert bool(failed) == bool(set(failing) & {spot.path for spot in started})
    assert walk.over and not walk.ready
    ended = states(walk)
    assert not {"ready", "running", "resting", "open", "blocked"} & set(ended.values())
    assert walk.root.state is (State.FAILED if failed else State.DONE)
    for spot in walk.skipped:
        assert spot.because == (failed[0] if spot.state is State.SKIPPED else "")


@given(random_plans(several=True), SEEDS)
def test_a_value_is_released_once_when_all_that_reads_it_has_ended(plan: plans.Plan, order: random.Random) -> None:
    made: dict[int, str] = {}
    ended: set[str] = set()
    released: list[int] = []

    def release(value: Any) -> None:
        for each in _flat([value]):
            if each in made:  # else null, for an item that was not taken
                released.append(each)
                holders = [spot for spot in running if each in _flat(spot.inputs.values())]
                assert not [spot for spot in holders if spot.path not in ended]

    walk = Walk(plan, {"a": -1, "b": -2}, released=release)
    running: list[Spot] = []
    for number in range(1, 1_000_000):
        while (spot := walk.take()) is not None:
            assert not set(released) & set(_flat(spot.inputs.values())), "what is given away is never released"
            running.append(spot)
        if not running:
            break
        spot = running.pop(order.randrange(len(running)))
        ended.add(spot.path)
        value = 1000 + number
        made[value] = spot.path
        walk.finish(spot, {"o0": value})
    kept = set(_flat(walk.root.outputs.values())) & set(made)
    assert len(released) == len(set(released))
    assert not kept & set(released)
    items = [item for spot in spots(walk) for item in spot.items]
    held = [value for spot in [*spots(walk), *items] for value in (*spot.inputs.values(), *spot.outputs.values())]
    assert not held, "what is released is kept nowhere"


def test_what_the_graphs_of_a_map_pass_on_is_released_with_the_list_that_holds_it() -> None:
    released: list[Any] = []
    through = graph(inputs=("a",), o0=FromInput("a"))
    each = MapCall(GraphCall("through"), ("a",), ("o0",))
    items = Items((out("first"), out("second")))
    steps = (step("first", "t"), step("second", "t"), step("each", each, a=items), step("last", "t", xs=out("each")))
    walk = Walk(plan(*steps, through=through), {}, released=released.append)
    for value in ("one", "two"):
        spot = walk.take()
        assert spot is not None
        walk.finish(spot, {"o0": value})
    last = walk.take()
    assert last is not None
    assert (last.path, last.inputs["xs"], released) == ("last", ["one", "two"], [])
    walk.finish(last, {})
    assert sorted(released) == ["one", "two"]


def _flat(values: Any) -> list[Any]:
    return [each for value in values for each in (_flat(value) if isinstance(value, list) else [value])]


@given(random_plans())
def test_the_outline_has_every_spot_of_a_walk_that_finishes_everything(plan: plans.Plan) -> None:
    walk = Walk(plan, INPUTS)
    started = run(walk)
    places = {place.path: place for place in outlines.outline(plan)}
    assert {spot.path for spot in started} == {
        path for path, place in places.items() if isinstance(place.step.call, TaskCall)
    }
    assert set(states(walk)) == set(places)


# One by one


def test_ready_spots_stand_in_the_order_of_the_graph_also_where_graphs_open_between_them() -> None:
    inner = graph(step("one", "t"), step("two", "t"))
    walk = Walk(plan(step("a", "t"), step("sub", GraphCall("g")), step("b", "t"), g=inner), {"x": 0})
    assert [spot.path for spot in walk.ready] == ["a", "sub.one", "sub.two", "b"]


def test_nothing_behind_a_graph_starts_before_all_of_it_is_done() -> None:
    inner = graph(step("one", "t"), step("aside", "t"), o0=out("one"))
    walk = Walk(plan(step("sub", GraphCall("g")), step("last", "t", a=out("sub")), g=inner), {"x": 0})
    one, aside = walk.take(), walk.take()
    walk.finish(one, {"o0": 5})
    assert not walk.ready
    walk.finish(aside, {})
    assert [(spot.path, spot.inputs) for spot in walk.ready] == [("last", {"a": 5})]


def test_a_spot_that_is_tried_again_comes_before_all_others() -> None:
    walk = Walk(plan(step("a", "t"), step("b", "t")), {"x": 0})
    spot = walk.take()
    walk.retry(spot)
    assert [each.path for each in walk.ready] == ["a", "b"]
    walk.rest(walk.take())
    assert [each.path for each in walk.ready] == ["b"] and not walk.over and walk.running == 0
    walk.retry(spot)
    assert walk.take() is spot


def test_what_rests_fails_with_the_first_failure_and_what_runs_may_finish() -> None:
    walk = Walk(plan(step("a", "t"), step("b", "t"), step("c", "t"), step("d", "t"), step("e", "t", a=out("c"))), {})
    a, b, c = walk.take(), walk.take(), walk.take()
    walk.rest(a)
    walk.fail(b)
    assert [spot.path for spot in walk.failed] == ["b", "a"]
    assert walk.take() is None and walk.failing and not walk.over
    walk.finish(c, {"o0": 1})
    assert walk.over
    assert [(spot.path, spot.because) for spot in walk.skipped] == [("d", "b"), ("e", "b")]


def test_an_input_whose_path_leads_nowhere_is_unknown_and_says_so() -> None:
    inner = graph(step("use", "t", a=FromInput("p")), inputs=("p",))
    sub = step("sub", GraphCall("g"), p=out("make", "3"))
    walk = Walk(plan(step("make", "t"), step("use", "t", a=out("make", "3")), sub, g=inner), {})
    walk.finish(walk.take(), {"o0": [1]})
    for spot in walk.ready:
        assert spot.inputs == {"a": UNKNOWN}
        assert str(spot.problems["a"]) == '$["3"] does not exist'
    assert [spot.path for spot in walk.ready] == ["use", "sub.use"]


STORED = Stored("a" * 64, 10, "b" * 64)


def test_a_part_of_a_stored_value_is_unknown_and_a_graph_that_ends_with_it_is_blocked() -> None:
    inner = graph(step("make", "t"), o0=out("make", "x"))
    walk = Walk(plan(step("sub", GraphCall("g")), step("last", "t", a=out("sub")), g=inner), {})
    walk.finish(walk.take(), {"o0": STORED})
    assert walk.over and walk.root.state is State.OPEN
    assert [(spot.path, spot.state) for spot in walk.blocked] == [("sub", State.BLOCKED)]
    walk.fail(walk.blocked[0])
    assert [(spot.path, spot.because) for spot in walk.skipped] == [("last", "sub")]
    assert walk.root.state is State.FAILED


@pytest.mark.parametrize(
    ("value", "message"),
    [(UNKNOWN, ""), (STORED, ""), (7, "$ must be a list"),
     ([1, 2], "$ must be as long as the other lists: a has 2 and b has 1"),
     ([1] * 1001, "$ must be as long as the other lists: a has 1001 and b has 1"),
     (lists.listed([1, STORED]), "$ must be as long as the other lists: a has 2 and b has 1")],
)  # fmt: skip
def test_a_map_over_no_lists_of_equal_length_is_blocked_with_the_reason(value: Any, message: str) -> None:
    call = MapCall(TaskCall("t"), ("a", "b"), ("o0",))
    walk = Walk(plan(step("make", "t"), step("map", call, a=out("make"), b=Constant("[1]"))), {})
    walk.finish(walk.take(), {"o0": value})
    (spot,) = walk.blocked
    assert (str(spot.problems["a"]) if spot.problems else "") == message


def test_a_branch_on_what_is_unknown_is_blocked() -> None:
    call = branch(("then", "c", "g"))
    walk = Walk(plan(step("make", "t"), step("if", call, c=out("make")), g=graph()), {})
    walk.finish(walk.take(), {"o0": UNKNOWN})
    assert [spot.path for spot in walk.blocked] == ["if"]


def test_no_branch_taken_spreads_to_what_needs_it_and_stops_at_a_choice() -> None:
    walk = Walk(
        plan(
            step("if", branch(("then", "c", "g")), c=Constant("false")),
            step("reads", "t", a=out("if")),
            step("waits", "t", after=("reads",)),
            step("other", "t"),
            step("chooses", "t", a=FirstOf((out("reads"), out("other")))),
            outputs={"all": out("waits"), "some": out("other")},
            g=graph(step("in", "t"), o0=out("in")),
        ),
        {},
    )
    other = walk.take()
    walk.finish(other, {"o0": 1})
    chooses = walk.take()
    assert chooses.path == "chooses" and chooses.inputs == {"a": 1}
    walk.finish(chooses, {"o0": 2})
    assert [(spot.path, spot.state, spot.because) for spot in walk.skipped] == [
        (name, State.NOT_TAKEN, "") for name in ("if", "reads", "waits")
    ]
    assert walk.root.state is State.DONE and walk.root.outputs == {"some": 1}


def test_the_makers_of_an_input_are_the_tasks_behind_it_whatever_graphs_it_passed() -> None:
    inner = graph(
        step("make", "t", a=FromInput("p")), step("use", "t", a=FromInput("p")), inputs=("p",), o0=out("make")
    )
    inputs: dict[str, Binding] = {"a": Items((out("sub"), out("first"))), "b": Constant("1"), "c": FromInput("x")}
    walk = Walk(
        plan(step("first", "t"), step("sub", GraphCall("g"), p=out("first")), step("last", "t", **inputs), g=inner),
        {"x": 0},
    )
    first = walk.take()
    assert walk.makers(first) == {}
    walk.finish(first, {"o0": 1})
    make, use = walk.take(), walk.take()
    assert walk.makers(use) == {"a": ("first",)}
    walk.finish(make, {"o0": 2})
    walk.finish(use, {"o0": 3})
    assert walk.makers(walk.take()) == {"a": ("sub.make", "first")}


def test_a_spot_that_does_not_run_can_neither_finish_nor_fail() -> None:
    walk = Walk(plan(step("a", "t")), {})
    spot = walk.take()
    walk.finish(spot, {})
    for move in (lambda: walk.finish(spot, {}), lambda: walk.fail(spot), lambda: walk.retry(spot)):
        with pytest.raises(AssertionError, match="a is done, not running"):
            move()


def test_a_chain_of_ten_thousand_and_graphs_a_hundred_deep_are_walked_without_recursion() -> None:
    chain = [step("n0", "t", a=FromInput("x")), *(step(f"n{i}", "t", a=out(f"n{i - 1}")) for i in range(1, 10_000))]
    walk = Walk(plan(*chain, outputs={"o": out("n9999")}), {"x": 0})
    while (spot := walk.take()) is not None:
        walk.finish(spot, {"o0": spot.inputs["a"] + 1})
    assert walk.root.outputs == {"o": 10_000}
    deep = {f"g{i}": graph(step("sub", GraphCall(f"g{i + 1}")), o0=out("sub")) for i in range(99)}
    walk = Walk(plan(step("sub", GraphCall("g0")), outputs={"o": out("sub")}, g99=graph(o0=Constant("7")), **deep), {})
    assert walk.root.outputs == {"o": 7}


def test_graphs_in_each_other_without_end_and_graphs_of_too_many_nodes_are_refused() -> None:
    endless = plan(step("again", GraphCall("main")))
    for refused in (lambda: Walk(endless, {}), lambda: list(outlines.outline(endless))):
        with pytest.raises(walks.TooDeep, match="more than 100 deep"):
            refused()
    wide = graph(*(step(f"n{i}", "t") for i in range(1000)))
    many = plan(*(step(f"s{i}", GraphCall("g")) for i in range(21)), g=wide)
    for refused in (lambda: Walk(many, {}), lambda: list(outlines.outline(many))):
        with pytest.raises(walks.TooLarge, match="more than 20000 nodes"):
            refused()
    maps = [step(f"m{i}", MapCall(TaskCall("t"), ("a",), ("o0",)), a=FromInput("x")) for i in range(20)]
    with pytest.raises(walks.TooLarge, match="more than 20000 nodes"):
        Walk(plan(*maps), {"x": [0] * 1_000})


def test_a_map_over_more_items_than_a_map_takes_is_blocked_with_the_reason() -> None:
    call = MapCall(TaskCall("t"), ("a",), ("o0",))
    walk = Walk(plan(step("map", call, a=FromInput("x"))), {"x": [0] * 1_001})
    (spot,) = walk.blocked
    assert "has 1,001 items, and a map without batches takes at most 1,000: batch=2 would do" in str(spot.problems["a"])


def test_a_map_goes_over_what_lies_in_the_store_and_its_list_is_one_of_items() -> None:
    call = MapCall(TaskCall("t"), ("a",), ("o0",))
    walk = Walk(plan(step("map", call, a=FromInput("x")), outputs={"y": out("map")}), {"x": lists.listed([1, STORED])})
    assert [spot.inputs["a"] for spot in walk.ready] == [1, STORED]
    for value in (2, STORED):
        walk.finish(walk.take(), {"o0": value})
    assert walk.root.outputs == {"y": lists.listed([2, STORED])}


def test_a_map_of_which_too_few_items_succeed_is_blocked_and_says_how_many_did() -> None:
    call = MapCall(TaskCall("t"), ("a",), ("o0",), min_success_ratio="0.67")
    walk = Walk(plan(step("map", call, a=FromInput("x")), step("b", "t", a=out("map"))), {"x": [1, 2, 3]})
    for index in range(3):
        spot = walk.take()
        assert spot is not None
        walk.fail(spot) if index == 1 else walk.finish(spot, {"o0": index})
    (blocked,) = walk.blocked
    assert blocked.path == "map" and not walk.failed
    assert blocked.problems[""].problems[0].message == "only 2 of 3 items succeeded, and 3 must"
