"""The tasks of a definition's runs, and Argo's paths as the author's ids."""

from __future__ import annotations

from typing import Any

import pytest

import alula_compiler
from alula.remote.outline import Expected, Outline
from alula_api.contract.graphs import calls, outlines, plans
from alula_api.contract.graphs.specs import Code, GraphSpec, NodeSpec, WorkflowSpec
from tests.contract.graphs import golden_walks
from tests.remote import worlds


def test_tasks_stand_in_the_order_of_the_authors_calls_with_sub_workflows_laid_open() -> None:
    outline = Outline(worlds.WORKFLOW, worlds.SOURCES)
    assert list(outline.tasks) == ["load", "train.fit", "train.fit-2", "score"]
    assert outline.tasks["load"] == Expected(
        "load", "load", "flows/penguins.py:44", 1, 4, keeps=outline.tasks["load"].keeps
    )
    fit = outline.tasks["train.fit-2"]
    assert (fit.task, fit.source, fit.attempts) == ("fit", "flows/training.py:10", 4)


def test_the_rest_between_attempts_grows_up_to_the_cap() -> None:
    outline = Outline(worlds.WORKFLOW, worlds.SOURCES)
    assert [outline.tasks["train.fit"].backoff.rest(failures) for failures in (1, 2, 3, 100)] == [10, 30, 60, 60]
    assert [outline.tasks["load"].backoff.rest(failures) for failures in (1, 2, 3, 100)] == [5, 10, 20, 60]


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("load", "load"),
        ("train.fit", "train.fit"),
        ("main-1.load", "load"),
        ("main-2.main-1.train.training-3.fit-2", "train.fit-2"),
        ("other", "other"),
        ("load.other", "load.other"),
    ],
)
def test_the_pieces_of_a_graph_that_was_cut_are_no_part_of_an_id(path: str, id: str) -> None:
    assert Outline(worlds.WORKFLOW, worlds.SOURCES).id(path) == id


def chain(length: int) -> dict[str, Any]:
    nodes = [{"id": "step", "task": "step"}]
    nodes += [{"id": f"step-{n}", "task": "step", "after": [nodes[-1]["id"]]} for n in range(2, length + 1)]
    return {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "tasks": [{"name": "step", "entrypoint": "flows:step"}],
        "graphs": [{"name": "main", "nodes": nodes}],
    }


def test_every_path_that_the_compiler_makes_is_found_again() -> None:
    spec = chain(1_000)
    workflow = {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "chain"}, "spec": spec}
    compiled = alula_compiler.compile(workflow)
    assert compiled.ok
    plan = plans.from_json(compiled.plans["chain"])
    paths = [place.path for place in outlines.outline(plan) if isinstance(place.step.call, calls.TaskCall)]
    outline = Outline(WorkflowSpec.from_json(spec))
    assert len(plan.graphs) > 1
    assert (
        {outline.id(path) for path in paths}
        == set(outline.tasks)
        == {node["id"] for node in spec["graphs"][0]["nodes"]}
    )


def spec(*graphs: GraphSpec) -> WorkflowSpec:
    return WorkflowSpec("1", Code("x:1", 1), graphs)


def test_a_definition_as_deep_as_runs_can_be_is_listed() -> None:
    graphs = [
        GraphSpec("main" if n == 0 else f"g{n}", nodes=(NodeSpec("in", calls.GraphCall(f"g{n + 1}")),))
        for n in range(99)
    ]
    (only,) = Outline(spec(*graphs, GraphSpec("g99", nodes=(NodeSpec("t", calls.TaskCall("t")),)))).tasks
    assert only == "in." * 99 + "t"


def test_what_is_not_in_the_definition_is_no_crash() -> None:
    outline = Outline(
        spec(GraphSpec("main", nodes=(NodeSpec("a", calls.TaskCall("gone")), NodeSpec("b", calls.GraphCall("gone")))))
    )
    assert list(outline.tasks) == ["a"]
    assert Outline(spec()).tasks == {}


@pytest.mark.parametrize("walked", golden_walks.load().values(), ids=[*golden_walks.load()])
def test_the_tasks_of_a_run_are_those_of_a_golden_walk(walked: golden_walks.Told) -> None:
    graphs = walked.plan.graphs
    kinds = {type(step.call) for graph in graphs.values() for step in graph.steps}
    if not kinds <= {calls.TaskCall, calls.GraphCall}:
        return  # a Workflow's graphs have no others yet
    outline = Outline(spec(*(GraphSpec(name, nodes=tuple(map(node, graph.steps))) for name, graph in graphs.items())))
    started = {path for path, _ in walked.started}
    assert set(outline.tasks) >= started if walked.failing else set(outline.tasks) == started


def node(step: plans.Step) -> NodeSpec:
    return NodeSpec(step.name, step.call)
