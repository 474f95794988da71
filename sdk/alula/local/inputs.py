"""The inputs of a run: Python values to wire values, and what is wrong with them. Called by `api`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places
from alula.interfaces import encode as encoding
from alula.interfaces import mistakes
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.interfaces.callee import Callee
    from alula.interfaces.interface import Input
    from alula.types.carriers import Carrier
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only


def encode(target: Callee, inputs: Mapping[str, Any], carrier: Carrier) -> dict[str, Json]:
    """Python values of a run's inputs as wire values.

    Raises:
        ValueMismatch: With everything that does not fit.
    """
    return encoding.inputs(target, inputs, carrier, lambda: str(places.caller()))


def check_names(target: Callee, inputs: Mapping[str, Any]) -> None:
    """Refuse inputs that do not exist, and the lack of those that must be given."""
    known = target.interface.by_name
    unknown = [name for name in inputs if name not in known]
    missing = [item for item in target.interface.inputs if item.required and item.name not in inputs]
    if unknown or missing:
        source = str(places.caller())
        problems = [mistakes.unknown_input(name, target.subject, known, source) for name in unknown]
        problems += [mistakes.missing_input(item, target.subject, source) for item in missing]
        raise errors.ValueMismatch(problems)


def with_defaults(given: Mapping[str, Json], inputs: tuple[Input, ...]) -> dict[str, Json]:
    """A value for every input, in declared order."""
    return {item.name: given.get(item.name, item.default) for item in inputs}


def check_fixed(target: Callee, inputs: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
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
