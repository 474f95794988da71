"""Arguments of a traced call to bindings, with every edge checked; and the promises that the call returns.

The inner loop of tracing: called once a node by `alula.graph.tracing`. Mistakes become diagnostics of the tracer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.declare import calls
from alula.graph import bindings, bodies, checking, paths, tracing
from alula.graph.promises import UNKNOWN, Edge, Promise, inside
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch, kind
from alula_api.contract import schemas
from alula_api.contract.codes import Code
from alula_api.contract.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from alula.declare.interfaces import Input, Interface, Output
    from alula.graph.bindings import Binding, Leaf
    from alula.graph.tracing import Draft, Tracer
    from alula.types.pytypes import PyType

NOTHING = bindings.Constant(None)
"""Stands for an argument that was wrong: the graph is never used then."""


def promise(tracer: Tracer, binding: Leaf | None, schema: dict[str, Any], node: str, label: str) -> Promise:
    """A new promise."""
    return Promise(Edge(tracer, binding, schema, node, label))


def unknown(tracer: Tracer, draft: Draft) -> Promise:
    """What a call returns whose outputs are not known."""
    return promise(tracer, NOTHING, UNKNOWN, draft.id, f"the result of {draft.target.subject}")


def inputs(tracer: Tracer, interface: Interface | None) -> dict[str, Promise]:
    """The promises that the workflow's function is called with; without types when its signature is wrong."""
    if interface is not None:
        types = {item.name: item.type.schema for item in interface.inputs}
    else:
        code = tracing.code(tracer.workflow.function)
        names = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        types = dict.fromkeys(names, UNKNOWN)
    return {
        name: promise(tracer, bindings.FromInput(name), schema, "", f"the input {name}")
        for name, schema in types.items()
    }


def results(tracer: Tracer, draft: Draft, interface: Interface) -> Any:
    """The promises that a call returns, in the shape of the function's own result."""
    label = f"the result of {draft.target.subject}"
    if interface.style == "none":
        return promise(tracer, None, {"type": "null"}, draft.id, label)
    made = [
        promise(tracer, bindings.FromNode(draft.id, output.name), output.type.schema, draft.id, label)
        for output in interface.outputs
    ]
    return interface.unpack(made)


def bind(tracer: Tracer, draft: Draft, interface: Interface, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Bind the arguments of a call to the inputs of its target."""
    inputs = interface.inputs
    bound = draft.bindings
    if kwargs or len(args) > interface.positional:
        subject = f"node {draft.id}"
        problems = calls.unbound(f"{tracer.subject}, {subject}", interface, args, kwargs, tracer.place(draft))
        tracer.problems += problems
    for item, value in zip(inputs, args, strict=False):
        bound[item.name] = _argument(tracer, draft, item, value)
    for name, value in kwargs.items():
        known = interface.by_name.get(name)
        if known is not None:
            bound[name] = _argument(tracer, draft, known, value)
    if len(bound) != len(inputs):
        for item in inputs:
            if item.required and item.name not in bound:
                subject = f"{tracer.subject}, node {draft.id}"
                tracer.problems.append(calls.missing_input(item, subject, tracer.place(draft)))


def _argument(tracer: Tracer, draft: Draft, item: Input, value: Any) -> Binding:
    target = item.type
    if type(value) is Promise:
        edge = value._alula_edge
        if edge.tracer is tracer and edge.binding is not None:
            if edge.schema is target.schema or edge.schema is UNKNOWN:
                return edge.binding
            reason = checking.misfit(edge.schema, target.schema)
            if reason is None:
                return edge.binding
            _wrong_edge(tracer, draft, item, edge, reason)
            return NOTHING
        _stray(tracer, edge, tracer.place(draft), f"node {draft.id}, input {item.name}")
        return NOTHING
    if isinstance(value, (list, tuple, set, frozenset)) and any(type(part) is Promise for part in value):
        return _items(tracer, draft, item, value)
    return _constant(tracer, target, value, lambda: tracer.place(draft), f"node {draft.id}, input {item.name}")


def _constant(tracer: Tracer, target: PyType, value: Any, place: Callable[[], str], subject: str) -> bindings.Constant:
    try:
        return bindings.Constant(target.to_json(value, REFUSAL))
    except Mismatch as mismatch:
        buried = inside(value)
        if buried is not None:
            _buried(tracer, buried._alula_edge, value, place(), subject)
            return NOTHING
        tracer.problems += calls.unfit(mismatch, Code.BAD_VALUE, f"{tracer.subject}, {subject}", target.label, place())
        return NOTHING


def _items(tracer: Tracer, draft: Draft, item: Input, value: Any) -> Binding:
    """`join([a, b])`: a list that is put together from promises and constants, one level deep."""
    subject = f"node {draft.id}, input {item.name}"
    if draft.target.subject.startswith("workflow "):
        message = "a list of promises cannot be passed to a workflow"
        hint = "put the list together in a task, and pass its result on"
        tracer.problem(Code.EDGE_TYPE, message, tracer.place(draft), subject=subject, hint=hint)
        return NOTHING
    expected = item.type.elements(len(value)) if item.type.elements is not None else None
    if expected is None:
        what = f"a {type(value).__name__} of {len(value)} with promises"
        message = f"{what} does not fit the input {item.name}"
        hint = _whole_result(value)
        label = item.type.label
        tracer.problem(Code.EDGE_TYPE, message, tracer.place(draft), subject=subject, expected=label, hint=hint)
        return NOTHING
    before = len(tracer.problems)
    parts = enumerate(zip(value, expected, strict=True))
    leaves = [_leaf(tracer, draft, part, target, f"{subject}, item {index}") for index, (part, target) in parts]
    whole = _whole_result(value)
    if whole and len(tracer.problems) > before:  # all outputs of a task where one was meant: told once
        del tracer.problems[before:]
        message = f"the {len(value)} outputs of a task do not fit the input {item.name}"
        label = item.type.label
        tracer.problem(Code.EDGE_TYPE, message, tracer.place(draft), subject=subject, expected=label, hint=whole)
    return bindings.Items(tuple(leaves))


def _whole_result(value: Any) -> str:
    """What to write when all outputs of one task were passed as one value; empty when that is not so."""
    edges = [part._alula_edge for part in value if type(part) is Promise]
    nodes = {edge.node for edge in edges}
    if not isinstance(value, tuple) or len(edges) != len(value) or len(nodes) != 1 or not nodes.copy().pop():
        return ""
    names = [f".{name}" for name in getattr(value, "_fields", ())] or [f"[{index}]" for index in range(len(value))]
    return f"the task has several outputs: pass one of them, {' or '.join(names)}"


def _leaf(tracer: Tracer, draft: Draft, part: Any, target: PyType, subject: str) -> Leaf:
    if type(part) is not Promise:
        return _constant(tracer, target, part, lambda: tracer.place(draft), subject)
    edge = part._alula_edge
    if edge.tracer is not tracer or edge.binding is None:
        _stray(tracer, edge, tracer.place(draft), subject)
        return NOTHING
    reason = None if edge.schema is UNKNOWN else checking.misfit(edge.schema, target.schema)
    if reason is not None:
        message = f"{edge.label}, which is {schemas.describe(edge.schema)}, does not fit the list"
        hint = _conversion(edge.schema, target.schema)
        tracer.problem(Code.EDGE_TYPE, message, tracer.place(draft), subject=subject, expected=target.label, hint=hint)
    return edge.binding


def outputs(tracer: Tracer, interface: Interface, result: Any) -> tuple[tuple[str, Binding], ...]:
    """What the workflow returns as one binding an output."""
    place = bodies.returned(tracer.workflow.function)
    if interface.style == "none":
        return _no_outputs(tracer, result, place)
    if interface.style == "single":
        parts = [result]
    elif isinstance(result, Promise):
        edge = result._alula_edge
        message = f"it returns {edge.label}, one value, but declares {len(interface.outputs)} outputs"
        hint = "return a tuple with one promise an output"
        tracer.problem(Code.EDGE_TYPE, message, place, subject="its result", hint=hint)
        return ()
    elif not isinstance(result, tuple) or len(result) != len(interface.outputs):
        names = ", ".join(output.name for output in interface.outputs)
        what = kind(result)
        if isinstance(result, tuple):
            what = "1 value" if len(result) == 1 else f"{len(result)} values"
        message = f"it returns {what}, but declares the outputs {names}"
        tracer.problem(Code.EDGE_TYPE, message, place, subject="its result", hint="return one value for each of them")
        return ()
    else:
        parts = list(result)
    return tuple(
        (output.name, _output(tracer, output, part, place))
        for output, part in zip(interface.outputs, parts, strict=True)
    )


def _no_outputs(tracer: Tracer, result: Any, place: str) -> tuple[tuple[str, Binding], ...]:
    if result is None or (isinstance(result, Promise) and result._alula_edge.binding is None):
        return ()
    suggestion = schemas.describe(result._alula_edge.schema) if isinstance(result, Promise) else "T"
    hint = f"write `-> {suggestion}`, or return nothing"
    tracer.problem(
        Code.MISSING_ANNOTATION, "it returns a value, but declares no output", place, subject="its result", hint=hint
    )
    return ()


def _output(tracer: Tracer, output: Output, value: Any, place: str) -> Binding:
    several = len(tracer.workflow.interface.outputs) > 1
    subject = f"output {output.name}" if several else "its result"
    if type(value) is Promise:
        edge = value._alula_edge
        if edge.tracer is not tracer or edge.binding is None:
            _stray(tracer, edge, place, subject)
            return NOTHING
        reason = None if edge.schema is UNKNOWN else checking.misfit(edge.schema, output.type.schema)
        if reason is not None:
            message = (
                f"{edge.label} is {schemas.describe(edge.schema)}, but the output is declared as {output.type.label}"
            )
            hint = f"{reason}: change the annotation or what is returned"
            tracer.problem(Code.EDGE_TYPE, message, place, subject=subject, expected=output.type.label, hint=hint)
        return edge.binding
    buried = inside(value)
    if buried is not None:
        _buried(tracer, buried._alula_edge, value, place, subject)
        return NOTHING
    if value is None and not _takes_none(output.type):
        message = "it returns None, but declares an output"
        hint = "return the result of a task; is a `return` missing?"
        tracer.problem(Code.EDGE_TYPE, message, place, subject=subject, expected=output.type.label, hint=hint)
        return NOTHING
    return _constant(tracer, output.type, value, lambda: place, subject)


def _takes_none(target: PyType) -> bool:
    try:
        target.to_json(None, REFUSAL)
    except Mismatch:
        return False
    return True


def part(tracer: Tracer, whole: Promise, key: object, attribute: bool) -> Promise:
    """`p.field`, `p["key"]` or `p[0]` as a promise of its own."""
    edge = whole._alula_edge
    if edge.schema is UNKNOWN:
        return whole
    if edge.binding is None:
        tracer.used(whole, "returns nothing that could be taken apart", "annotate what the task returns")
    if attribute and not paths.fields(edge.schema):
        what = f"is asked for the attribute {key!r} of its value ({schemas.describe(edge.schema)})"
        tracer.used(whole, what, "do this in a task and pass it the value")
    name = paths.segment(edge.schema, key, attribute)
    found = name if isinstance(name, Problem) else paths.part(edge.schema, name)
    shown = f".{key}" if attribute else f"[{key!r}]"
    if isinstance(found, Problem) or isinstance(name, Problem):
        reason = found.message if isinstance(found, Problem) else ""
        if isinstance(found, Problem) and found.path != "$":
            reason = f"{found.path[1:]} {found.message}"
        tracer.problem(Code.UNKNOWN_OUTPUT, f"{edge.label} has no part {shown}: {reason}", tracer.here())
        return promise(tracer, NOTHING, UNKNOWN, edge.node, edge.label)
    binding = edge.binding
    if isinstance(binding, bindings.FromNode):
        binding = bindings.FromNode(binding.node, binding.output, (*binding.path, name))
    elif isinstance(binding, bindings.FromInput):
        binding = bindings.FromInput(binding.name, (*binding.path, name))
    return promise(tracer, binding, found, edge.node, f"{edge.label}{shown}")


def makers(tracer: Tracer, value: Any) -> list[str]:
    """The nodes behind one promise, or behind a tuple or list of them; for `a >> b`."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    nodes: list[str] = []
    for item in parts:
        if type(item) is not Promise or item._alula_edge.tracer is not tracer:
            hint = "write a >> b with the results of two tasks of this workflow"
            tracer.problem(Code.NOT_A_TASK, f"`>>` orders tasks, got {kind(item)}", tracer.here(), hint=hint)
        elif not item._alula_edge.node:
            hint = "it is there from the beginning: leave the order out"
            tracer.problem(
                Code.NOT_A_TASK, f"`>>` orders tasks, got {item._alula_edge.label}", tracer.here(), hint=hint
            )
        elif item._alula_edge.node not in nodes:
            nodes.append(item._alula_edge.node)
    return nodes


def _wrong_edge(tracer: Tracer, draft: Draft, item: Input, edge: Edge, reason: str) -> None:
    source, target = schemas.describe(edge.schema), item.type.label
    message = f"{edge.label}, which is {source}, does not fit the input {item.name}"
    hint = "" if reason == f"{source} is not {target}" else reason
    if reason.endswith(" may be None, and " + target + " may not"):
        hint = f"it may be None: let the input take `{target} | None`, or the task return `{target}`"
    tracer.problem(
        Code.EDGE_TYPE, message, tracer.place(draft), subject=f"node {draft.id}, input {item.name}", expected=target,
        hint=hint or _conversion(edge.schema, item.type.schema),
    )  # fmt: skip


def _conversion(source: dict[str, Any], target: dict[str, Any]) -> str:
    """The nearest fix for two types that do not fit."""
    fields = [name for name in paths.fields(source) if checking.misfit(_field(source, name), target) is None]
    if fields:
        return f"did you mean its field .{fields[0]}?"
    if target.get("type") == "array" and "items" in target and checking.misfit(source, target["items"] or {}) is None:
        return "put it into a list: [...]"
    if source.get("type") == "array" and source.get("items") and checking.misfit(source["items"], target) is None:
        return "it is a list: call the task for one item with [0], or let it take the whole list"
    return f"let one of the two tasks take or return {schemas.describe(source)}, or convert it in a task between them"


def _field(source: dict[str, Any], name: str) -> dict[str, Any]:
    step = paths.segment(source, name, True)
    found = step if isinstance(step, Problem) else paths.part(source, step)
    return {"type": "unknown"} if isinstance(found, Problem) else found


def _stray(tracer: Tracer, edge: Edge, place: str, subject: str) -> None:
    if edge.tracer is not tracer:
        message = f"{edge.label} belongs to {edge.tracer.subject}"
        hint = "pass it to this workflow as an input"
        tracer.problem(Code.NOT_A_TASK, message, place, subject=subject, hint=hint)
        return
    message = f"{edge.label} is passed on, but it returns nothing"
    hint = "annotate what the task returns; to order two tasks write a >> b"
    tracer.problem(Code.EDGE_TYPE, message, place, subject=subject, hint=hint)


def _buried(tracer: Tracer, edge: Edge, value: Any, place: str, subject: str) -> None:
    message = f"{edge.label} stands inside a {type(value).__name__}"
    what = type(value).__name__
    hint = f"build the {what} in a task that takes the parts, and pass on its result"
    tracer.problem(Code.NOT_A_TASK, message, place, subject=subject, hint=hint)
