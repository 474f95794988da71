"""What a workflow's function returned, as one binding an output. Called once at the end of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.graph import body_errors, fit, unfinished
from alula.graph.fit import Target
from alula.graph.promises import NOTHING, Promise
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch, kind
from alula_api.contract import schemas
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.graph.trace import Trace
    from alula.interfaces.interface import Interface, Output
    from alula.types.pytypes import PyType
    from alula_api.contract.graphs.bindings import Binding

Outputs = tuple[tuple[str, "Binding"], ...]


def outputs(trace: Trace, interface: Interface, result: object) -> Outputs:
    """The bindings of the declared outputs; fewer after a mistake, which is then in the trace's problems."""
    if interface.style == "none":
        return _none(trace, result)
    parts = [result] if interface.style == "single" else _parts(trace, interface, result)
    if parts is None:
        return ()
    pairs = zip(interface.outputs, parts, strict=True)
    return tuple((output.name, _output(trace, output, part, len(interface.outputs) > 1)) for output, part in pairs)


def _here(trace: Trace) -> str:
    return body_errors.returned(trace.function)


def _none(trace: Trace, result: object) -> Outputs:
    if result is None or unfinished.is_void(result):
        return ()
    if isinstance(result, Promise) and result._alula_edge.binding is None:
        return ()
    suggestion = schemas.describe(result._alula_edge.schema) if isinstance(result, Promise) else "T"
    message = "it returns a value, but declares no output"
    hint = f"write `-> {suggestion}`, or return nothing"
    trace.problem(Code.MISSING_ANNOTATION, message, _here(trace), subject="its result", hint=hint)
    return ()


def _parts(trace: Trace, interface: Interface, result: object) -> list[Any] | None:
    """The values of several outputs."""
    names = ", ".join(output.name for output in interface.outputs)
    if isinstance(result, Promise):
        message = f"it returns {result._alula_edge.label}, one value, but declares the outputs {names}"
    elif not isinstance(result, tuple):
        message = f"it returns {kind(result)}, but declares the outputs {names}"
    elif len(result) != len(interface.outputs):
        count = "1 value" if len(result) == 1 else f"{len(result)} values"
        message = f"it returns {count}, but declares the outputs {names}"
    else:
        return list(result)
    hint = "return a tuple with one value for each of them"
    trace.problem(Code.EDGE_TYPE, message, _here(trace), subject="its result", hint=hint)
    return None


def _output(trace: Trace, output: Output, value: object, several: bool) -> Binding:
    place = Target(lambda: _here(trace), f"output {output.name}" if several else "its result", "the declared result")
    if several:
        place = place._replace(what=f"the output {output.name}")
    if value is None and not _takes_none(output.type):
        message = "it returns None, but declares an output"
        hint = "return the result of a task; is a `return` missing?"
        trace.problem(
            Code.EDGE_TYPE, message, _here(trace), subject=place.subject, expected=output.type.label, hint=hint
        )
        return NOTHING
    return fit.fit(trace, value, output.type, place)


def _takes_none(target: PyType) -> bool:
    try:
        target.to_json(None, REFUSAL)
    except Mismatch:
        return False
    return True
