"""What a local run walks: the contract's plan of a traced workflow, with the tasks and source lines that it names.

Asked for by `run`. Pure; the walk itself is the contract's (`alula_api.contract.graphs.walks`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from alula.declare.tasks import Task
from alula.declare.workflows import Workflow
from alula.interfaces import callee
from alula.interfaces.callee import Callee
from alula_api.contract import jsontext
from alula_api.contract.graphs import bindings, calls
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode
from alula_api.contract.graphs.calls import TaskCall
from alula_api.contract.graphs.plans import Graph, Plan, Step

if TYPE_CHECKING:
    from alula.graph.nodes import Graph as TracedGraph
    from alula.graph.nodes import Node
    from alula.interfaces.interface import Input

Place = tuple[str, str]
"""A graph's name and the name of a step in it."""


@dataclass(frozen=True, slots=True)
class Walkable:
    """A plan with what it names.

    Attributes:
        tasks: By the names that the plan calls them.
        sources: Where each step is called, as `flows/penguins.py:44`.
    """

    plan: Plan
    tasks: Mapping[str, Task[..., Any]]
    sources: Mapping[Place, str]


_made: WeakKeyDictionary[Callee, Walkable] = WeakKeyDictionary()
"""Plans of workflows: what was traced does not change, and a notebook runs it many times."""


def of(target: Callee) -> Walkable:
    """What a run of a workflow walks, or one of a single task.

    Raises:
        DefinitionError: With everything that is wrong with a workflow or anything that it reaches.
    """
    if isinstance(target, Task):
        return _of_task(target)
    if not isinstance(target, Workflow):
        callee.refuse(target, "be run here")
    if target not in _made:
        _made[target] = _of_workflow(target)
    return _made[target]


def _of_task(task: Task[..., Any]) -> Walkable:
    """One task as a run of its own, with its inputs as those of the run."""
    names = tuple(item.name for item in task.interface.inputs)
    step = Step(task.name, TaskCall(task.name), tuple((name, FromInput(name)) for name in names))
    outputs = tuple((item.name, FromNode(task.name, item.name)) for item in task.interface.outputs)
    plan = Plan({task.name: Graph(names, (step,), outputs)}, task.name)
    return Walkable(plan, {task.name: task}, {(task.name, task.name): str(task.source)})


def _of_workflow(workflow: Workflow[..., Any]) -> Walkable:
    closure = workflow.closure
    return Walkable(
        Plan({graph.name: _graph(graph) for graph in closure.graphs}, workflow.name),
        {task.name: task for task in closure.tasks},
        {(graph.name, node.id): str(node.source) for graph in closure.graphs for node in graph.nodes},
    )


def _graph(graph: TracedGraph) -> Graph:
    return Graph(tuple(item.name for item in graph.inputs), tuple(map(_step, graph.nodes)), graph.outputs)


def _step(node: Node) -> Step:
    wanted = {item.name: item for called in node.called for item in called.interface.inputs}
    omitted = {name: _default(item) for name, item in wanted.items() if name not in node.bindings and not item.required}
    inputs = tuple({**node.bindings, **omitted}.items())
    depends = [*node.after, *(name for binding in node.bindings.values() for name in bindings.nodes(binding))]
    return Step(node.id, node.call, inputs, tuple(dict.fromkeys(depends)))


def _default(item: Input) -> Constant:
    return Constant(jsontext.encode(item.default))


def stored(plan: Plan, cached: Collection[str]) -> frozenset[Place]:
    """The steps whose outputs must lie in the store: what is cached, what that reads, and the outputs of the run.

    A graph counts as a whole: what must be stored where it is called once is stored wherever it is called.

    Args:
        plan: Of the run.
        cached: The names of the tasks that use the cache.
    """
    flow = _Flow(plan)
    found: set[Place] = set()
    needed = [(plan.entrypoint, binding) for _, binding in plan.graphs[plan.entrypoint].outputs]
    for (graph, name), step in flow.steps.items():
        if _task(step) in cached:
            found.add((graph, name))
            needed += [(graph, binding) for _, binding in step.inputs]
    seen: set[tuple[str, str, str]] = set()
    while needed:
        graph, binding = needed.pop()
        for leaf in bindings.leaves(binding):
            if isinstance(leaf, Constant):
                continue
            node, name = (leaf.node, leaf.output) if isinstance(leaf, FromNode) else ("", leaf.input)
            if (graph, node, name) in seen:
                continue
            seen.add((graph, node, name))
            if node and _task(flow.steps[graph, node]):
                found.add((graph, node))
            else:
                needed += flow.output(graph, node, name) if node else flow.input(graph, name)
    return frozenset(found)


class _Flow:
    """What an input of a graph, or an output of a step that runs graphs, is made of: bindings, each in its graph."""

    def __init__(self, plan: Plan) -> None:
        self.graphs = plan.graphs
        self.steps = {(name, step.name): step for name, graph in plan.graphs.items() for step in graph.steps}
        self.callers: dict[str, list[Place]] = {}
        for place, step in self.steps.items():
            for name in calls.graphs(step.call):
                self.callers.setdefault(name, []).append(place)

    def input(self, graph: str, name: str) -> list[tuple[str, Binding]]:
        callers = self.callers.get(graph, ())
        given = [(place[0], found) for place in callers for each, found in self.steps[place].inputs if each == name]
        fed = [(place, calls.fed(self.steps[place].call).get(name)) for place in callers]
        return [*given, *(found for place, output in fed if output for found in self.output(*place, output))]

    def output(self, graph: str, node: str, name: str) -> list[tuple[str, Binding]]:
        called = calls.graphs(self.steps[graph, node].call)
        return [(inner, found) for inner in called for each, found in self.graphs[inner].outputs if each == name]


def _task(step: Step) -> str:
    """The task that a step runs; empty for graphs."""
    return next(iter(calls.tasks(step.call)), "")
