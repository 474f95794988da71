"""The plan of a revision as values: what the controller itself compiled and stored, read back with care.

`admit` works on the run's own revision, which may be years old or (in a namespace where people may write
ControllerRevisions) not of our making; whatever is malformed is a `BadPlan`, never a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from alula_api.contract.graphs import bindings, plans

BadPlan = plans.BadPlan
Input: TypeAlias = plans.Input
Task: TypeAlias = plans.Task


@dataclass(frozen=True)
class Step:
    """A node of a graph: a task, or (with `dag`) a graph inside it."""

    name: str
    template: str
    task: str
    dag: str
    inputs: Mapping[str, Mapping[str, Any]]
    depends: tuple[str, ...]


@dataclass(frozen=True)
class Dag:
    """A graph: its steps in topological order, and where its outputs come from."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """A revision: what `admit` needs to check inputs and to find cached nodes."""

    template: str
    entrypoint: str
    inputs: tuple[Input, ...]
    tasks: Mapping[str, Task]
    dags: Mapping[str, Dag]


def read(plan: object) -> Plan:
    """The plan out of its stored form.

    Raises:
        BadPlan: with what is wrong.
    """
    found = plans.from_json(plan)
    return Plan(
        template=found.template,
        entrypoint=found.entrypoint,
        inputs=found.inputs,
        tasks=found.tasks,
        dags={name: _dag(graph) for name, graph in found.graphs.items()},
    )


def _dag(graph: plans.Graph) -> Dag:
    return Dag(graph.inputs, tuple(_step(step) for step in graph.steps), _bound(graph.outputs))


def _step(step: plans.Step) -> Step:
    match step.call:
        case plans.TaskCall(task):
            return Step(step.name, step.template, task, "", _bound(step.inputs), step.depends)
        case plans.GraphCall(graph):
            return Step(step.name, step.template, "", graph, _bound(step.inputs), step.depends)
    raise BadPlan(f"step {step.name!r} is of a kind that this controller does not know")


def _bound(bound: tuple[tuple[str, bindings.Binding], ...]) -> dict[str, dict[str, Any]]:
    return {name: bindings.to_json(binding) for name, binding in bound}
