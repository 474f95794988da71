"""The inputs of a run: Python values to wire values, and what is wrong with them. Called by `api`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places
from alula_api.contract import values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.interfaces.interface import Input
    from alula.types.carriers import Carrier
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only


def encode(target: Any, inputs: Mapping[str, Any], carrier: Carrier) -> dict[str, Json]:
    """Python values of a run's inputs as wire values.

    Raises:
        ValueMismatch: With everything that does not fit.
    """
    from alula.declare import calls
    from alula.types.mismatches import Mismatch

    wire: dict[str, Json] = {}
    problems = []
    for item in target.interface.inputs:
        if item.name not in inputs:
            continue
        subject = f"{target.subject}, input {item.name}"
        try:
            wire[item.name] = values.codec(item.type.schema).normal(item.type.to_json(inputs[item.name], carrier))
        except Mismatch as mismatch:
            problems += calls.unfit(mismatch, Code.BAD_VALUE, subject, item.type.label, str(places.caller()))
        except values.InvalidValue as invalid:
            problems += calls.invalid(invalid, subject, item.type.label, source=str(places.caller()))
    if problems:
        raise errors.ValueMismatch(problems)
    return wire


def check_names(target: Any, inputs: Mapping[str, Any]) -> None:
    """Refuse inputs that do not exist, and the lack of those that must be given."""
    from alula.declare import calls

    known = target.interface.by_name
    unknown = [name for name in inputs if name not in known]
    missing = [item for item in target.interface.inputs if item.required and item.name not in inputs]
    if unknown or missing:
        source = str(places.caller())
        problems = [calls.unknown_input(name, target.subject, known, source) for name in unknown]
        problems += [calls.missing_input(item, target.subject, source) for item in missing]
        raise errors.ValueMismatch(problems)


def with_defaults(given: Mapping[str, Json], inputs: tuple[Input, ...]) -> dict[str, Json]:
    """A value for every input, in declared order."""
    return {item.name: given.get(item.name, item.default) for item in inputs}


def check_fixed(target: Any, inputs: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Refuse inputs that a launch plan fixes."""
    problems = [
        Diagnostic(
            Code.FIXED_INPUT,
            f"the launch plan fixes the input {name!r}",
            source=str(places.caller()),
            subject=target.subject,
            hint="drop it, or run the workflow itself",
        )
        for name in inputs
        if name in fixed
    ]
    if problems:
        raise errors.ValueMismatch(problems)
