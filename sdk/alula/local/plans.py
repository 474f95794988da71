"""A traced graph as flat steps: sub-workflows laid open, every binding resolved to where its value comes from.

Called by `run` once a run. Pure. A sub-workflow becomes its nodes, named by path (`sub.train`, as Argo shows them),
between two virtual steps: nothing in it starts before all that the call needs is there, and who uses one of its outputs
waits for all of it, as on a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from alula import errors
from alula.declare import tasks
from alula.graph.closures import Traceable
from alula.interfaces import callee
from alula_api.contract import values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import bindings

if TYPE_CHECKING:
    from alula.graph.nodes import Graph, Node
    from alula_api.contract.values import Json

MOST_DEPTH = 100
"""Workflows inside workflows; tracing itself recurses there."""


class Given(NamedTuple):
    """A value that is known."""

    json: Json


class OfInput(NamedTuple):
    """An input of the run, or a part of it."""

    name: str
    path: tuple[str, ...] = ()


class OfStep(NamedTuple):
    """An output of another step, or a part of it."""

    step: int
    output: str
    path: tuple[str, ...] = ()


class Listed(NamedTuple):
    """A list that is put together from others."""

    items: tuple[Origin, ...]


Origin: TypeAlias = Given | OfInput | OfStep | Listed


class Step(NamedTuple):
    """One node to run; a virtual one has no task and runs by itself."""

    number: int
    id: str
    task: tasks.Task[..., Any] | None
    source: str
    inputs: tuple[tuple[str, Origin], ...]
    depends: tuple[int, ...]


class Plan(NamedTuple):
    """All steps in an order in which they could run, and where the outputs come from."""

    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, Origin], ...]


def flatten(graph: Graph) -> Plan:
    """Lay `graph` open.

    Raises:
        DefinitionError: Workflows call each other too deep.
    """
    flattening = _Flattening(graph)
    scope: dict[str, Origin] = {item.name: OfInput(item.name) for item in graph.inputs}
    outputs = flattening.graph(graph, "", scope, ())
    return Plan(tuple(flattening.steps), tuple(outputs.items()))


def single(task: tasks.Task[..., Any]) -> Plan:
    """One task as a run of its own, with its inputs as those of the run."""
    inputs = tuple((item.name, OfInput(item.name)) for item in task.interface.inputs)
    step = Step(0, task.name, task, str(task.source), inputs, ())
    return Plan((step,), tuple((output.name, OfStep(0, output.name)) for output in task.interface.outputs))


def part(origin: Origin, path: tuple[str, ...]) -> Origin:
    """The origin of a part of a value."""
    if not path:
        return origin
    if isinstance(origin, Given):
        return Given(values.select(origin.json, path))
    if isinstance(origin, OfInput):
        return OfInput(origin.name, origin.path + path)
    if isinstance(origin, OfStep):
        return OfStep(origin.step, origin.output, origin.path + path)
    return part(origin.items[int(path[0])], path[1:])


def used_steps(origin: Origin) -> Iterator[OfStep]:
    """The outputs of other steps that a value is made of."""
    if isinstance(origin, OfStep):
        yield origin
    elif isinstance(origin, Listed):
        for item in origin.items:
            yield from used_steps(item)


def _too_deep(graph: Graph) -> Diagnostic:
    message = f"workflows call each other more than {MOST_DEPTH} deep"
    hint = "call the inner workflows from the outer one, side by side"
    return Diagnostic(Code.TOO_LARGE, message, str(graph.source), f"workflow {graph.name}", hint=hint)


class _Flattening:
    def __init__(self, outermost: Graph) -> None:
        self.outermost = outermost
        self.steps: list[Step] = []

    def graph(
        self, graph: Graph, prefix: str, scope: Mapping[str, Origin], first: tuple[int, ...]
    ) -> dict[str, Origin]:
        """Append the steps of `graph`, which wait for `first`; returns where its outputs come from.

        Args:
            graph: The graph of a workflow.
            prefix: The path of the node that calls it, with a dot at its end.
            scope: Where its inputs come from.
            first: Steps that everything in it waits for.
        """
        if prefix.count(".") > MOST_DEPTH:
            raise errors.DefinitionError([_too_deep(self.outermost)])
        ends: dict[str, int] = {}
        made: dict[str, Mapping[str, Origin]] = {}
        for node in graph.nodes:
            given = {name: _origin(binding, scope, made) for name, binding in node.bindings.items()}
            depends = (*first, *(ends[name] for name in _before(node)))
            if isinstance(node.target, tasks.Task):
                end = self.task(node, node.target, prefix, given, depends)
                made[node.id] = {item.name: OfStep(end, item.name) for item in node.target.interface.outputs}
            else:
                end, made[node.id] = self.call(node, prefix, given, depends)
            ends[node.id] = end
        return {name: _origin(binding, scope, made) for name, binding in graph.outputs}

    def task(
        self, node: Node, task: tasks.Task[..., Any], prefix: str, given: Mapping[str, Origin], depends: tuple[int, ...]
    ) -> int:
        inputs = tuple(
            (item.name, given[item.name] if item.name in given else Given(item.default))
            for item in task.interface.inputs
        )
        return self.append(prefix + node.id, task, str(node.source), inputs, depends)

    def call(
        self, node: Node, prefix: str, given: Mapping[str, Origin], depends: tuple[int, ...]
    ) -> tuple[int, Mapping[str, Origin]]:
        """A sub-workflow: a virtual step, its nodes, and a virtual step that waits for them."""
        target = node.target
        if not isinstance(target, Traceable):
            callee.refuse(target, "be run here")
        graph = target.graph
        path = prefix + node.id
        begin = self.append(path, None, str(node.source), (), depends)
        scope = {item.name: given.get(item.name, Given(item.default)) for item in graph.inputs}
        outputs = self.graph(graph, f"{path}.", scope, (begin,))
        inside = tuple(range(begin, len(self.steps)))
        return self.append(path, None, str(node.source), (), inside), outputs

    def append(
        self, id: str, task: tasks.Task[..., Any] | None, source: str, inputs: tuple[tuple[str, Origin], ...],
        depends: tuple[int, ...],
    ) -> int:  # fmt: skip
        number = len(self.steps)
        self.steps.append(Step(number, id, task, source, inputs, depends))
        return number


def _before(node: Node) -> Iterator[str]:
    """The nodes that must be finished first."""
    yield from node.after
    for binding in node.bindings.values():
        yield from bindings.nodes(binding)


def _origin(binding: bindings.Binding, scope: Mapping[str, Origin], made: Mapping[str, Mapping[str, Origin]]) -> Origin:
    if isinstance(binding, bindings.Constant):
        return Given(binding.json)
    if isinstance(binding, bindings.FromInput):
        return part(scope[binding.input], binding.path)
    if isinstance(binding, bindings.FromNode):
        return part(made[binding.node][binding.output], binding.path)
    if isinstance(binding, bindings.Items):
        return Listed(tuple(_origin(item, scope, made) for item in binding.leaves))
    raise NotImplementedError(f"{binding} is not walked yet")
