"""The stored plan: what is written is what is read, and whatever is not a plan is a `BadPlan`."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract.graphs import calls, plans
from alula_api.contract.graphs.bindings import Constant
from alula_api.contract.graphs.plans import BadPlan
from tests.contract.graphs.random_plans import random_plans
from tests.contract.make_vectors import PLANS

STORED = plans.to_json(PLANS["every kind of call"])


@given(random_plans(several=True))
def test_a_plan_is_what_its_text_says(plan: plans.Plan) -> None:
    assert plans.from_text(plans.to_text(plan)) == plan


def with_defaults(steps: int) -> plans.Plan:
    text = '"' + "x" * 60_000 + '"'
    schema = {"type": "string"}
    task = plans.Task("t", "1", "i", {"a": schema, "b": schema}, {}, defaults={"a": text, "b": '"b"'})
    given = (("b", Constant('"other"')), ("a", Constant(text)))
    return plans.Plan(
        {"main": plans.Graph((), tuple(plans.Step(f"s{n}", calls.TaskCall("t"), given) for n in range(steps)))},
        tasks={"t": task},
    )


def test_a_default_is_written_once_however_many_steps_take_it_and_every_step_is_read_with_it() -> None:
    plan = with_defaults(1_000)
    text = plans.to_text(plan)
    assert len(text) < 200_000
    assert plans.from_text(text) == plan


def test_steps_whose_defaults_would_be_too_many_are_not_filled() -> None:
    ports = {f"i{number}": {"type": "string"} for number in range(500)}
    task = plans.Task("t", "1", "i", ports, {}, defaults=dict.fromkeys(ports, '""'))
    graph = plans.Graph((), tuple(plans.Step(f"s{number}", calls.TaskCall("t")) for number in range(500)))
    with pytest.raises(BadPlan, match="200000 inputs"):
        plans.from_text(plans.to_text(plans.Plan({"main": graph}, tasks={"t": task})))


@pytest.mark.parametrize("name", PLANS)
def test_the_plans_of_the_vectors_are_read_as_they_were_written(name: str) -> None:
    assert plans.from_json(json.loads(plans.to_text(PLANS[name]))) == PLANS[name]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, item in inner for each in places(item, (*path, key)))]


@given(
    st.sampled_from(places(STORED)),
    st.sampled_from([None, 7, "", "no such thing", [], {}, [None], {"x": None}, [[]], True, "gone"]),
)
def test_a_plan_with_anything_in_any_place_is_read_or_is_a_bad_plan(path: tuple[Any, ...], value: Any) -> None:
    found: Any = {"plan": copy.deepcopy(STORED)}
    *above, last = ("plan", *path)
    holder = found
    for key in above:
        holder = holder[key]
    if value == "gone":
        del holder[last]
    else:
        holder[last] = value
    try:
        read = plans.from_json(found.get("plan"))
    except BadPlan as error:
        assert str(error).startswith(("the revision's plan", "step ", "an output of graph"))
    else:
        assert plans.from_json(plans.to_json(read)) == read


def changed(**graph: Any) -> dict[str, Any]:
    return {**STORED, "graphs": {**STORED["graphs"], "main": {**STORED["graphs"]["main"], **graph}}}


def with_step(**step: Any) -> dict[str, Any]:
    whole = {"name": "s", "task": "load", "inputs": {}, "depends": [], **step}
    return changed(steps=[{key: value for key, value in whole.items() if value is not None}], outputs={})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({**STORED, "v": 6}, "the revision's plan has version 6; this version of alula knows 1 to 5"),
        ({**STORED, "v": True}, "the revision's plan has version True; this version of alula knows 1 to 5"),
        ({**STORED, "entrypoint": "other"}, "the revision's plan has no graph 'other'"),
        (with_step(task="gone"), "step 's' of graph 'main' calls the task 'gone', which is not there"),
        (with_step(task=None, graph="gone"), "step 's' of graph 'main' calls the graph 'gone', which is not there"),
        (with_step(depends=["t"]), "step 's' of graph 'main' is out of order"),
        (with_step(inputs={"a": {"input": "gone"}}),
         "step 's' of graph 'main' reads the input 'gone', which is not there"),
        (with_step(inputs={"a": {"node": "t", "output": "o"}}),
         "step 's' of graph 'main' reads 't', which need not be finished before it"),
        (with_step(task=None, map={"task": "load", "over": ["a"], "outputs": []}),
         "step 's' of graph 'main' lacks an input that decides what it runs"),
        (with_step(task=None, map={"task": "load", "over": [], "outputs": []}),
         "the revision's plan is malformed: InvalidValue $.map.over must name a list to go over"),
        (with_step(graph="sub"),
         "the revision's plan is malformed: InvalidValue"
         " $ must have exactly one of task, graph, map, branch, repeat, not task and graph"),
        (changed(outputs={"o": {"node": "gone", "output": "o"}}),
         "an output of graph 'main' reads 'gone', which need not be finished before it"),
        ("text", "the revision's plan is malformed: TypeError 'text' is not an object"),
        (changed(steps=[{}] * 20_000),
         "the revision's plan has 4 graphs and 20001 steps; at most 10000 graphs and 20000 steps are read"),
    ],
)  # fmt: skip
def test_a_bad_plan_says_what_is_wrong(found: Any, message: str) -> None:
    with pytest.raises(BadPlan) as caught:
        plans.from_json(found)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the revision's plan is malformed: $ is not JSON"),
        ("[" * 5000, "the revision's plan is malformed: $ is nested deeper than 100 levels"),
        (" " * (plans.MAX_TEXT + 1), "the revision's plan has 1048577 characters; at most 1048576 are read"),
    ],
)
def test_a_text_is_bounded_before_it_is_parsed(text: str, message: str) -> None:
    with pytest.raises(BadPlan) as caught:
        plans.from_text(text)
    assert str(caught.value).startswith(message)


def test_the_graphs_that_a_call_may_run_are_those_that_its_json_names() -> None:
    for graph in PLANS["every kind of call"].graphs.values():
        for step in graph.steps:
            alone = plans.Plan({"g": plans.Graph((), (plans.Step("s", step.call),))})
            text = plans.to_text(alone)
            assert [name for name in ("sub", "yes", "no") if f'"{name}"' in text] == [*calls.graphs(step.call)]
