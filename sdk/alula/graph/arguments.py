"""Arguments of a traced call to bindings, and the promises that the call returns.

The inner loop of tracing: called once a node by `alula.graph.tracer`. Mistakes become diagnostics of the trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.code import places
from alula.graph import fit, several_outputs
from alula.graph.fit import Target
from alula.graph.promises import NOTHING, UNKNOWN, Edge, Promise
from alula.interfaces import mistakes
from alula_api.contract.graphs import bindings

if TYPE_CHECKING:
    from alula.graph.nodes import Draft
    from alula.graph.trace import Trace
    from alula.interfaces.interface import Input, Interface
    from alula_api.contract.graphs.bindings import Binding


def inputs(trace: Trace, interface: Interface | None) -> dict[str, Promise]:
    """The promises that the workflow's function is called with; without types when its signature is wrong."""
    if interface is not None:
        types = {item.name: item.type.schema for item in interface.inputs}
    else:
        code = places.code(trace.function)
        names = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        types = dict.fromkeys(names, UNKNOWN)
    return {
        name: Promise(Edge(trace, bindings.FromInput(name), schema, "", f"the input {name}"))
        for name, schema in types.items()
    }


def results(trace: Trace, draft: Draft, interface: Interface | None) -> Any:
    """The promises that a call returns, in the shape of the function's own result."""
    label = f"the result of {draft.subject}"
    if interface is None:
        return Promise(Edge(trace, NOTHING, UNKNOWN, draft.id, label))
    if interface.style == "none":
        return Promise(Edge(trace, None, {"type": "null"}, draft.id, label))
    draft.outputs = {output.name: output.type.schema for output in interface.outputs}
    made = [
        Promise(Edge(trace, bindings.FromNode(draft.id, name), schema, draft.id, label))
        for name, schema in draft.outputs.items()
    ]
    found = interface.unpack(made)
    return several_outputs.refusing(found) if interface.style in ("several", "named") else found


def bind(trace: Trace, draft: Draft, interface: Interface, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Bind the arguments of a call to the inputs of its target."""
    inputs = interface.inputs
    bound = draft.bindings
    if kwargs or len(args) > interface.positional:
        subject = f"{trace.subject}, node {draft.id}"
        trace.problems += mistakes.unbound(subject, interface, args, kwargs, lambda: trace.place(draft.place))
    for item, value in zip(inputs, args, strict=False):
        bound[item.name] = _argument(trace, draft, item, value)
    for name, value in kwargs.items():
        known = interface.by_name.get(name)
        if known is not None:
            bound[name] = _argument(trace, draft, known, value)
    if len(bound) != len(inputs):
        for item in inputs:
            if item.required and item.name not in bound:
                subject = f"{trace.subject}, node {draft.id}"
                trace.problems.append(mistakes.missing_input(item, subject, trace.place(draft.place)))


def _argument(trace: Trace, draft: Draft, item: Input, value: object) -> Binding:
    if type(value) is Promise:  # by far the most, and nearly all of them of the very type
        edge = value._alula_edge
        if (
            edge.schema is item.type.schema
            and edge.trace is trace
            and trace.sees(edge.node)
            and edge.binding is not None
        ):
            return edge.binding
    place = Target(lambda: trace.place(draft.place), f"node {draft.id}, input {item.name}", f"the input {item.name}")
    return fit.fit(trace, value, item.type, place)
