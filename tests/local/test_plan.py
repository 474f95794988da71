"""Traced workflows as plans of the contract, and which of their outputs must be stored."""

from __future__ import annotations

import pytest

from alula.local import plan
from alula_api.contract.graphs import outlines
from alula_api.contract.graphs.bindings import Constant, FromInput, FromNode, Items
from alula_api.contract.graphs.calls import GraphCall, MapCall, TaskCall
from alula_api.contract.graphs.plans import Graph, Plan, Step
from tests.contract.graphs.random_plans import branch
from tests.local import flows


def test_a_chain_is_its_nodes_in_order() -> None:
    found = plan.of(flows.chain)
    (graph,) = found.plan.graphs.values()
    assert [(step.name, step.call, step.depends) for step in graph.steps] == [
        ("inc", TaskCall("inc"), ()),
        ("inc-2", TaskCall("inc"), ("inc",)),
        ("inc-3", TaskCall("inc"), ("inc-2",)),
    ]
    assert graph.steps[0].inputs == (("x", FromInput("x")),)
    assert graph.steps[2].inputs == (("x", FromNode("inc-2", "o0")),)
    assert graph.outputs == (("o0", FromNode("inc-3", "o0")),)
    assert found.tasks == {"inc": flows.inc}
    assert found.sources["flows-chain", "inc"].startswith("tests/local/flows.py:")


def test_a_sub_workflow_is_a_call_of_its_graph_which_stands_there_once() -> None:
    found = plan.of(flows.outer).plan
    assert [*found.graphs] == ["flows-outer", "flows-sub"]
    assert [place.path for place in outlines.outline(found)] == [
        "flows-sub", "flows-sub.inc", "flows-sub.add", "flows-sub-2", "flows-sub-2.inc", "flows-sub-2.add", "inc",
    ]  # fmt: skip
    second = found.graphs["flows-outer"].steps[1]
    assert second.call == GraphCall("flows-sub")
    assert second.inputs == (("x", FromNode("flows-sub", "o0")), ("y", Constant("1")))
    assert second.depends == ("flows-sub",)


def test_an_omitted_input_is_the_default_of_what_is_called() -> None:
    found = plan.of(flows.outer).plan
    assert found.graphs["flows-outer"].steps[0].inputs == (("x", FromInput("x")), ("y", Constant("10")))
    add = found.graphs["flows-sub"].steps[1]
    assert add.inputs == (("a", FromNode("inc", "o0")), ("b", FromInput("y")))


def test_parts_and_lists_are_bindings() -> None:
    (graph,) = plan.of(flows.parts).plan.graphs.values()
    _, point, total = graph.steps
    assert point.inputs == (("x", FromNode("split", "large")),)
    assert total.inputs == (("items", Items((FromNode("split", "small"), FromInput("x"), Constant("5")))),)
    assert graph.outputs[:2] == (("o0", FromNode("point", "o0", ("x",))), ("o1", FromNode("point", "o0", ("y",))))


def test_an_order_without_data_is_a_dependency() -> None:
    (graph,) = plan.of(flows.ordered).plan.graphs.values()
    assert {step.name: step.depends for step in graph.steps} == {"nothing": (), "inc": ("nothing",)}


def test_a_task_alone_is_a_plan_of_one_step() -> None:
    found = plan.of(flows.split)
    (graph,) = found.plan.graphs.values()
    assert [step.name for step in graph.steps] == ["split"]
    assert graph.outputs == (("small", FromNode("split", "small")), ("large", FromNode("split", "large")))


def test_what_a_run_gives_out_and_what_a_cached_task_reads_is_stored() -> None:
    found = plan.of(flows.frames_to_cached).plan
    assert plan.stored(found, {"cached-height"}) == {
        ("flows-frames-to-cached", "table"),
        ("flows-frames-to-cached", "cached-height"),
    }
    assert plan.stored(found, ()) == {("flows-frames-to-cached", "cached-height")}


def out(node: str) -> FromNode:
    return FromNode(node, "o0")


INNER = Graph(("x",), (Step("a", TaskCall("task"), (("x", FromInput("x")),)),), (("o0", out("a")),))
CACHED = Graph(("x",), (Step("use", TaskCall("cached"), (("x", FromInput("x", ("part",))),)),))
THROUGH = Graph(("x",), (), (("o0", FromInput("x")),))


@pytest.mark.parametrize(
    ("steps", "expected"),
    {
        "an input of a graph that a cached task reads": (
            (Step("first", TaskCall("task")), Step("then", GraphCall("cached"), (("x", out("first")),), ("first",))),
            {("main", "first"), ("cached", "use")},
        ),
        "an output of a graph that a cached task reads": (
            (Step("first", GraphCall("inner")), Step("then", TaskCall("cached"), (("x", out("first")),), ("first",))),
            {("inner", "a"), ("main", "then")},
        ),
        "a value that a graph passes through": (
            (
                Step("first", TaskCall("task")),
                Step("through", GraphCall("through"), (("x", out("first")),), ("first",)),
                Step("then", TaskCall("cached"), (("x", Items((out("through"),))),), ("through",)),
            ),
            {("main", "first"), ("main", "then")},
        ),
        "the items of a map": (
            (
                Step("first", MapCall(TaskCall("task"), ("x",), ("o0",)), (("x", Constant("[1]")),)),
                Step("then", MapCall(TaskCall("cached"), ("x",), ("o0",)), (("x", out("first")),), ("first",)),
            ),
            {("main", "first"), ("main", "then")},
        ),
        "every branch of a conditional": (
            (
                Step("first", branch(("then", "c", "inner"), otherwise=GraphCall("through")), (("x", Constant("1")),)),
                Step("then", TaskCall("cached"), (("x", out("first")),), ("first",)),
            ),
            {("inner", "a"), ("main", "then")},
        ),
    }.values(),
    ids=lambda each: "",
)
def test_what_a_cached_task_needs_is_stored_wherever_it_is_made(
    steps: tuple[Step, ...], expected: set[plan.Place]
) -> None:
    graphs = {"main": Graph((), steps), "inner": INNER, "cached": CACHED, "through": THROUGH}
    found = plan.stored(Plan(graphs), {"cached"})
    assert {place for place in found if place[0] in ("main", *(g for g, _ in expected))} == expected
