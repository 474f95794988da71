"""A value in a workflow to a binding: a promise, a list that holds promises, or a constant, checked against a type.

Called for every argument of a traced call and for what the workflow returns. Mistakes become diagnostics of the tracer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from alula.declare import calls
from alula.graph import bindings, checks, parts
from alula.graph.promises import NOTHING, UNKNOWN, Edge, Promise, inside
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula_api.contract import schemas
from alula_api.contract.codes import Code
from alula_api.contract.problems import Problem

if TYPE_CHECKING:
    from alula.graph.bindings import Binding, Leaf
    from alula.graph.tracer import Tracer
    from alula.types.pytypes import PyType


class Place(NamedTuple):
    """Where a value goes, for messages."""

    source: Callable[[], str]
    """file:line; asked for when it is needed, because values are many and mistakes few."""
    subject: str
    """`node train, input n`, or `output report`."""
    what: str
    """`the input n`, `the output report`, `the list`."""


def fit(tracer: Tracer, value: Any, target: PyType, place: Place) -> Binding:
    """The binding of a value to an input or output of a type."""
    if type(value) is Promise:
        return _promise(tracer, value._alula_edge, target, place)
    if isinstance(value, (list, tuple, set, frozenset)) and any(type(part) is Promise for part in value):
        return _items(tracer, value, target, place)
    return _constant(tracer, value, target, place)


def _promise(tracer: Tracer, edge: Edge, target: PyType, place: Place) -> Leaf:
    if edge.tracer is not tracer or edge.binding is None:
        _stray(tracer, edge, place)
        return NOTHING
    if edge.schema is not target.schema and edge.schema is not UNKNOWN:
        reason = checks.misfit(edge.schema, target.schema)
        if reason is not None:
            _wrong_edge(tracer, edge, target, place, reason)
    return edge.binding


def _constant(tracer: Tracer, value: Any, target: PyType, place: Place) -> bindings.Constant:
    try:
        return bindings.Constant(target.to_json(value, REFUSAL))
    except Mismatch as mismatch:
        buried = inside(value)
        if buried is not None:
            what = type(value).__name__
            message = f"{buried._alula_edge.label} stands inside a {what}"
            hint = f"build the {what} in a task that takes the parts, and pass on its result"
            tracer.problem(Code.NOT_A_TASK, message, place.source(), subject=place.subject, hint=hint)
        elif hasattr(value, "interface") and hasattr(value, "function"):
            message = f"the {value.subject} itself stands where its result is needed"
            hint = f"call it: {value.function.__name__}(...)"
            tracer.problem(Code.NOT_A_TASK, message, place.source(), subject=place.subject, hint=hint)
        else:
            subject = f"{tracer.subject}, {place.subject}"
            tracer.problems += calls.unfit(mismatch, Code.BAD_VALUE, subject, target.label, place.source())
        return NOTHING


def _items(tracer: Tracer, value: Any, target: PyType, place: Place) -> Binding:
    """`join([a, b])`: a list that is put together from promises and constants, one level deep."""
    expected = target.elements(len(value)) if target.elements is not None else None
    if expected is None:
        message = f"a {type(value).__name__} of {len(value)} with promises does not fit {place.what}"
        hint = "make the set in a task that takes its items as a list" if isinstance(value, (set, frozenset)) else ""
        _no_fit(tracer, message, target, place, hint or _one_of_several(value))
        return NOTHING
    before = len(tracer.problems)
    leaves: list[Leaf] = []
    for index, (part, element) in enumerate(zip(value, expected, strict=True)):
        inner = Place(place.source, f"{place.subject}, item {index}", "the list")
        if type(part) is Promise:
            leaves.append(_promise(tracer, part._alula_edge, element, inner))
        else:
            leaves.append(_constant(tracer, part, element, inner))
    several = _one_of_several(value)
    if several and len(tracer.problems) > before:  # all outputs of a task where one was meant: told once
        del tracer.problems[before:]
        _no_fit(tracer, f"the {len(value)} outputs of a task do not fit {place.what}", target, place, several)
    return bindings.Items(tuple(leaves))


def _one_of_several(value: Any) -> str:
    """What to write when all outputs of one task were passed as one value; empty when that is not so."""
    edges = [part._alula_edge for part in value if type(part) is Promise]
    nodes = {edge.node for edge in edges}
    if not isinstance(value, tuple) or len(edges) != len(value) or len(nodes) != 1 or "" in nodes:
        return ""
    names = [f".{name}" for name in getattr(value, "_fields", ())] or [f"[{index}]" for index in range(len(value))]
    return f"the task has several outputs: pass one of them, {' or '.join(names)}"


def _no_fit(tracer: Tracer, message: str, target: PyType, place: Place, hint: str) -> None:
    tracer.problem(Code.EDGE_TYPE, message, place.source(), subject=place.subject, expected=target.label, hint=hint)


def _wrong_edge(tracer: Tracer, edge: Edge, target: PyType, place: Place, reason: str) -> None:
    source = schemas.describe(edge.schema)
    message = f"{edge.label}, which is {source}, does not fit {place.what}"
    hint = _conversion(edge.schema, target.schema)
    if reason.endswith(f" may be None, and {target.label} may not"):
        hint = f"it may be None: declare `{target.label} | None` here, or `{target.label}` where it comes from"
    elif reason != f"{source} is not {target.label}":
        hint = reason
    elif not hint:
        hint = f"declare the same type at both ends, or convert {source} in a task between them"
    _no_fit(tracer, message, target, place, hint)


def _conversion(source: dict[str, Any], target: dict[str, Any]) -> str:
    """The nearest fix for two types that do not fit, where there is one."""
    fields = [name for name in parts.fields(source) if checks.misfit(_field(source, name), target) is None]
    if fields:
        return f"did you mean its field .{fields[0]}?"
    if target.get("type") == "array" and target.get("items") and checks.misfit(source, target["items"]) is None:
        return "put it into a list: [...]"
    if source.get("type") == "array" and source.get("items") and checks.misfit(source["items"], target) is None:
        return "it is a list: take one item with [0], or pass it where the whole list fits"
    return ""


def _field(source: dict[str, Any], name: str) -> dict[str, Any]:
    step = parts.segment(source, name, True)
    found = step if isinstance(step, Problem) else parts.part(source, step)
    return {"type": "unknown"} if isinstance(found, Problem) else found


def _stray(tracer: Tracer, edge: Edge, place: Place) -> None:
    if edge.tracer is not tracer:
        message = f"{edge.label} belongs to {edge.tracer.subject}"
        hint = "pass it to this workflow as an input"
        tracer.problem(Code.NOT_A_TASK, message, place.source(), subject=place.subject, hint=hint)
        return
    message = f"{edge.label} is passed on, but it returns nothing"
    hint = "annotate what the task returns; to order two tasks write a >> b"
    tracer.problem(Code.EDGE_TYPE, message, place.source(), subject=place.subject, hint=hint)
