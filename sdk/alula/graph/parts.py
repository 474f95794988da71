"""Promises of parts of a value (`p.field`, `p["key"]`, `p[0]`), and the nodes behind promises for `a >> b`.

Called by `alula.graph.tracing` when the user's workflow does this to a promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.graph import bindings, paths
from alula.graph.fitting import NOTHING
from alula.graph.promises import UNKNOWN, Edge, Promise
from alula.types.mismatches import kind
from alula_api.contract import schemas
from alula_api.contract.codes import Code
from alula_api.contract.problems import Problem

if TYPE_CHECKING:
    from alula.graph.tracing import Tracer


def part(tracer: Tracer, whole: Promise, key: object, attribute: bool) -> Promise:
    """`p.field`, `p["key"]` or `p[0]` as a promise of its own."""
    edge = whole._alula_edge
    if edge.schema is UNKNOWN:
        return whole
    if edge.binding is None:
        tracer.used(whole, "holds nothing that could be taken apart", "annotate what the task returns")
    if attribute and not paths.fields(edge.schema):
        what = f"is asked for the attribute {key!r} of its value ({schemas.describe(edge.schema)})"
        tracer.used(whole, what, "do this in a task and pass it the value")
    name = paths.segment(edge.schema, key, attribute)
    found = name if isinstance(name, Problem) else paths.part(edge.schema, name)
    shown = f".{key}" if attribute else f"[{key!r}]"
    if isinstance(found, Problem) or isinstance(name, Problem):
        return _no_part(tracer, edge, shown, found)
    binding = edge.binding
    if isinstance(binding, bindings.FromNode):
        binding = bindings.FromNode(binding.node, binding.output, (*binding.path, name))
    elif isinstance(binding, bindings.FromInput):
        binding = bindings.FromInput(binding.name, (*binding.path, name))
    return Promise(Edge(tracer, binding, found, edge.node, f"{edge.label}{shown}"))


def _no_part(tracer: Tracer, edge: Edge, shown: str, problem: Any) -> Promise:
    reason = problem.message if problem.path == "$" else f"{problem.path[1:]} {problem.message}"
    tracer.problem(Code.UNKNOWN_OUTPUT, f"{edge.label} has no part {shown}: {reason}", tracer.here())
    return Promise(Edge(tracer, NOTHING, UNKNOWN, edge.node, edge.label))


def makers(tracer: Tracer, value: Any) -> list[str]:
    """The nodes behind one promise, or behind a tuple or list of them; for `a >> b`."""
    nodes: list[str] = []
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if type(item) is not Promise or item._alula_edge.tracer is not tracer:
            hint = "write a >> b with the results of two tasks of this workflow"
            tracer.problem(Code.NOT_A_TASK, f"`>>` orders tasks, got {kind(item)}", tracer.here(), hint=hint)
        elif not item._alula_edge.node:
            message = f"`>>` orders tasks, got {item._alula_edge.label}"
            hint = "it is there from the beginning: leave the order out"
            tracer.problem(Code.NOT_A_TASK, message, tracer.here(), hint=hint)
        elif item._alula_edge.node not in nodes:
            nodes.append(item._alula_edge.node)
    return nodes
