"""A value in a workflow to a binding: a promise, a list that holds promises, or a constant, checked against a type.

Called for every argument of a traced call and for what the workflow returns. Mistakes become diagnostics of the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from alula.graph import checks, parts, unfinished
from alula.graph.promises import NOTHING, UNKNOWN, Edge, Promise, inside
from alula.interfaces import encode, mistakes
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula_api.contract import schemas
from alula_api.contract.codes import Code
from alula_api.contract.graphs import bindings
from alula_api.contract.problems import Problem
from alula_api.contract.schemas import Schema

if TYPE_CHECKING:
    from alula.graph.trace import Trace
    from alula.types.pytypes import PyType
    from alula_api.contract.graphs.bindings import Binding, Leaf


class Target(NamedTuple):
    """Where a value goes, for messages."""

    source: Callable[[], str]
    """file:line; asked for when it is needed, because values are many and mistakes few."""
    subject: str
    """`node train, input n`, or `output report`."""
    what: str
    """`the input n`, `the output report`, `the list`."""


def fit(trace: Trace, value: object, target: PyType, place: Target) -> Binding:
    """The binding of a value to an input or output of a type."""
    if unfinished.is_void(value):
        value = value._alula_ordered  # type: ignore[attr-defined]
    if type(value) is Promise:
        return _promise(trace, value._alula_edge, target, place)
    if isinstance(value, (list, tuple)) and any(type(part) is Promise for part in value):
        return _items(trace, value, target, place)
    return _constant(trace, value, target, place)


def _promise(trace: Trace, edge: Edge, target: PyType, place: Target) -> Leaf:
    if edge.trace is not trace or not trace.sees(edge.node) or edge.binding is None:
        _stray(trace, edge, place)
        return NOTHING
    if edge.schema is not target.schema and edge.schema is not UNKNOWN:
        reason = checks.misfit(edge.schema, target.schema)
        if reason is not None:
            _wrong_edge(trace, edge, target, place, reason)
    return edge.binding


def _constant(trace: Trace, value: object, target: PyType, place: Target) -> bindings.Constant:
    try:
        return bindings.Constant(encode.to_text(target, value, REFUSAL))
    except Mismatch as mismatch:
        buried = inside(value)
        if buried is not None:
            what = type(value).__name__
            message = f"{buried._alula_edge.label} stands inside a {what}"
            hint = f"build the {what} in a task that takes the parts, and pass on its result"
            trace.problem(Code.NOT_A_TASK, message, place.source(), subject=place.subject, hint=hint)
        elif wrong := unfinished.problem(value):
            trace.problem(Code.NOT_A_TASK, wrong[0], place.source(), subject=place.subject, hint=wrong[1])
        else:
            subject = f"{trace.subject}, {place.subject}"
            trace.problems += mistakes.unfit(mismatch, Code.BAD_VALUE, subject, target.label, place.source())
        return NOTHING


def _items(trace: Trace, value: Collection[object], target: PyType, place: Target) -> Binding:
    """`join([a, b])`: a list that is put together from promises and constants, one level deep."""
    expected = target.items(len(value))
    if expected is None:
        message = f"a {type(value).__name__} of {len(value)} with promises does not fit {place.what}"
        _no_fit(trace, message, target, place, _one_of_several(value))
        return NOTHING
    before = len(trace.problems)
    leaves: list[Leaf] = []
    for index, (part, element) in enumerate(zip(value, expected, strict=True)):
        inner = Target(place.source, f"{place.subject}, item {index}", "the list")
        if type(part) is Promise:
            leaves.append(_promise(trace, part._alula_edge, element, inner))
        else:
            leaves.append(_constant(trace, part, element, inner))
    several = _one_of_several(value)
    if several and len(trace.problems) > before:  # all outputs of a task where one was meant: told once
        del trace.problems[before:]
        _no_fit(trace, f"the {len(value)} outputs of a task do not fit {place.what}", target, place, several)
    return bindings.Items(tuple(leaves))


def _one_of_several(value: Collection[object]) -> str:
    """What to write when all outputs of one task were passed as one value; empty when that is not so."""
    edges = [part._alula_edge for part in value if type(part) is Promise]
    nodes = {edge.node for edge in edges}
    if not isinstance(value, tuple) or len(edges) != len(value) or len(nodes) != 1 or "" in nodes:
        return ""
    names = [f".{name}" for name in getattr(value, "_fields", ())] or [f"[{index}]" for index in range(len(value))]
    return f"the task has several outputs: pass one of them, {' or '.join(names)}"


def _no_fit(trace: Trace, message: str, target: PyType, place: Target, hint: str) -> None:
    wanted = schemas.describe(target.schema)
    trace.problem(Code.EDGE_TYPE, message, place.source(), subject=place.subject, expected=wanted, hint=hint)


def _wrong_edge(trace: Trace, edge: Edge, target: PyType, place: Target, reason: str) -> None:
    source, wanted = schemas.describe(edge.schema), schemas.describe(target.schema)
    message = f"{edge.label}, which is {source}, does not fit {place.what}"
    hint = _conversion(edge.schema, target.schema)
    if reason.endswith(f" may be None, and {wanted} may not"):
        hint = f"it may be None: declare `{wanted} | None` here, or `{wanted}` where it comes from"
    elif reason != f"{source} is not {wanted}":
        hint = reason
    elif not hint:
        hint = f"declare the same type at both ends, or convert {source} in a task between them"
    _no_fit(trace, message, target, place, hint)


def _conversion(source: Schema, target: Schema) -> str:
    """The nearest fix for two types that do not fit, where there is one."""
    fields = [name for name in parts.fields(source) if checks.misfit(_field(source, name), target) is None]
    if fields:
        return f"did you mean its field .{fields[0]}?"
    if target.get("type") == "array" and target.get("items") and checks.misfit(source, target["items"]) is None:
        return "put it into a list: [...]"
    if source.get("type") == "array" and source.get("items") and checks.misfit(source["items"], target) is None:
        return "it is a list: write map_task(...)(...) for one call of each item, or take one with [0]"
    return ""


def _field(source: Schema, name: str) -> Schema:
    step = parts.segment(source, name, True)
    found = step if isinstance(step, Problem) else parts.part(source, step)
    return {"type": "unknown"} if isinstance(found, Problem) else found


def _stray(trace: Trace, edge: Edge, place: Target) -> None:
    if edge.trace is not trace:
        message = f"{edge.label} belongs to {edge.trace.subject}"
        hint = "pass it to this workflow as an input"
        trace.problem(Code.NOT_A_TASK, message, place.source(), subject=place.subject, hint=hint)
        return
    if not trace.sees(edge.node):
        message = (
            f"{edge.label} is made in a branch of conditional {edge.node.partition('/')[0]}, which may not be taken"
        )
        hint = "return it from the branch: use what .else_().then(...) or .or_none() gives"
        trace.problem(Code.NOT_A_TASK, message, place.source(), subject=place.subject, hint=hint)
        return
    message = f"{edge.label} is passed on, but it returns nothing"
    hint = "annotate what the task returns; to order two tasks write a >> b"
    trace.problem(Code.EDGE_TYPE, message, place.source(), subject=place.subject, hint=hint)
