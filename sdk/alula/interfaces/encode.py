"""From Python values to wire values and back, where their type is known: the one encoder, with diagnostics.

Used for the arguments of traced calls, launch plans, runs, and the attempts of tasks. `alula.types` knows single types
and the contract's codecs know JSON; here they meet, so that a value has one wire form however it came in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.interfaces import mistakes
from alula.types.mismatches import Flaw, Mismatch
from alula_api.contract import values

if TYPE_CHECKING:
    from alula.interfaces.interface import HasInterface
    from alula.types.carriers import Carrier
    from alula.types.pytypes import PyType
    from alula_api.contract.diagnostics import Diagnostic
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only


def to_json(type: PyType, value: object, carrier: Carrier) -> Json:
    """The wire value of a Python value, in normal form.

    Raises:
        Mismatch: It does not fit the type.
    """
    return _normal(type, type.to_json(value, carrier))


def to_text(type: PyType, value: object, carrier: Carrier) -> str:
    """The wire value as canonical text, as it stands in a resource.

    Raises:
        Mismatch: It does not fit the type.
    """
    return values.dumps(to_json(type, value, carrier))


def from_json(type: PyType, value: Json, carrier: Carrier) -> object:
    """The Python value of a wire value.

    Raises:
        Mismatch: It does not fit the type.
    """
    return type.from_json(_normal(type, value), carrier)


def _normal(type: PyType, value: Json) -> Json:
    try:
        return values.codec(type.schema).normal(value)
    except values.InvalidValue as invalid:
        raise Mismatch(flaws=[_flaw(problem) for problem in invalid.problems]) from None


def _flaw(problem: values.Problem) -> Flaw:
    return Flaw(() if problem.path == "$" else (problem.path[1:],), problem.message)


def inputs(
    target: HasInterface, given: Mapping[str, object], carrier: Carrier, place: Callable[[], str] = str
) -> dict[str, Json]:
    """The wire values of those inputs of `target` that are given; other names are not looked at.

    Raises:
        ValueMismatch: With everything that does not fit.
    """
    wire: dict[str, Json] = {}
    problems: list[Diagnostic] = []
    for item in target.interface.inputs:
        if item.name in given:
            try:
                wire[item.name] = to_json(item.type, given[item.name], carrier)
            except Mismatch as mismatch:
                problems += mistakes.wrong_input(item, mismatch, target.subject, place())
    if problems:
        raise errors.ValueMismatch(problems)
    return wire


def arguments(target: HasInterface, wire: Mapping[str, Json], carrier: Carrier) -> dict[str, Any]:
    """The Python values of wire values of inputs; inputs with a default may be left out.

    Raises:
        ValueMismatch: With everything that is unknown, missing, or does not fit.
    """
    found: dict[str, Any] = {}
    known = target.interface.by_name
    problems = [mistakes.unknown_input(name, target.subject, known) for name in wire if name not in known]
    for item in target.interface.inputs:
        if item.name in wire:
            try:
                found[item.name] = from_json(item.type, wire[item.name], carrier)
            except Mismatch as mismatch:
                problems += mistakes.wrong_input(item, mismatch, target.subject)
        elif item.required:
            problems.append(mistakes.missing_input(item, target.subject))
    if problems:
        raise errors.ValueMismatch(problems)
    return found


def outputs(target: HasInterface, result: object, carrier: Carrier) -> dict[str, Json]:
    """The wire values of what the function of `target` returned, in declared order.

    Raises:
        ValueMismatch: With everything that does not fit.
    """
    interface = target.interface
    try:
        parts = interface.pack(result)
    except Mismatch as mismatch:
        raise mistakes.wrong_output(target, "", mismatch) from None
    wire: dict[str, Json] = {}
    problems: list[Diagnostic] = []
    for output, part in zip(interface.outputs, parts, strict=True):
        try:
            wire[output.name] = to_json(output.type, part, carrier)
        except Mismatch as mismatch:
            problems += mistakes.wrong_output(target, output.name, mismatch).diagnostics
    if problems:
        raise errors.ValueMismatch(problems)
    return wire
