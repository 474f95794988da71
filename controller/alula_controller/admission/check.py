"""What a person or a schedule gave to a run, checked against the plan before any pod. Pure; called by `gather`.

The texts are those of `spec.arguments` in the API, as they were typed; `givens` says what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alula_api.contract import diagnostics, givens, schemas, values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import plans
from alula_api.contract.graphs.bindings import Value, wire_of

LARGEST = 256 << 10  # bytes of all inputs together; they lie in the run's object, and in the arguments of pods


@dataclass(frozen=True)
class Checked:
    """The run's inputs, or everything that is wrong with them."""

    inputs: Mapping[str, Value]
    problems: tuple[Diagnostic, ...] = ()


def check(plan: plans.Plan, arguments: Mapping[str, Any], run: str) -> Checked:
    """Check `spec.arguments` of a run against the inputs of its plan."""
    given, problems = _given(plan, arguments, run)
    found: dict[str, Value] = {}
    for each in plan.inputs:
        subject = f"run {run}, input {each.name}"
        if each.fixed is not None:
            if each.name in given:
                message = f"{each.name} is fixed by the launch plan and must not be given"
                problems.append(Diagnostic(Code.FIXED_INPUT, message, subject=subject))
            text: str | None = each.fixed
        else:
            text = given.get(each.name, each.default)
        if text is None:
            expected = schemas.describe(dict(each.type))
            problems.append(
                Diagnostic(Code.MISSING_INPUT, f"{each.name} must be given", subject=subject, expected=expected)
            )
            continue
        value = _value(each, text, subject)
        if isinstance(value, Diagnostic):
            problems.append(value)
        else:
            found[each.name] = value
    size = sum(len(safe(each)) for each in found.values())
    if size > LARGEST and not problems:
        hint = "pass large data as a File or frame; a reference to it is short"
        message = f"the inputs are {size} bytes; together they must be at most {LARGEST}"
        problems.append(Diagnostic(Code.TOO_LARGE, message, subject=f"run {run}", hint=hint))
    return Checked(found, tuple(problems))


def safe(value: Value) -> str:
    """A value as it travels through Argo."""
    return values.argo_safe(values.dumps(wire_of(value)))


def _given(plan: plans.Plan, arguments: Mapping[str, Any], run: str) -> tuple[dict[str, str], list[Diagnostic]]:
    """The texts by name, and what is wrong with how they are given."""
    allowed = [each.name for each in plan.inputs]
    given: dict[str, str] = {}
    problems = []
    for parameter in _list(arguments.get("parameters")):
        name = str(parameter.get("name"))
        if name not in allowed:
            nearest = diagnostics.closest(name, allowed)
            hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(allowed) or 'none'}"
            message = f"this workflow has no input {name[:100]!r}"
            problems.append(Diagnostic(Code.UNKNOWN_INPUT, message, subject=f"run {run}", hint=hint))
        elif parameter.get("value") is not None:
            given[name] = str(parameter["value"])
        elif parameter.get("valueFrom"):
            message = f"{name} must be given as a value, not by valueFrom"
            problems.append(Diagnostic(Code.BAD_VALUE, message, subject=f"run {run}, input {name}"))
    if _list(arguments.get("artifacts")):
        hint = "give a reference to stored data as the value of an input"
        message = "a run takes parameters and no artifacts"
        problems.append(Diagnostic(Code.UNKNOWN_INPUT, message, subject=f"run {run}", hint=hint))
    return given, problems


def _list(value: object) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _value(given: plans.Input, text: str, subject: str) -> Value | Diagnostic:
    schema = dict(given.type)
    try:
        return givens.argument(text, schema)
    except values.InvalidValue as error:
        problems = "; ".join(str(problem) for problem in error.problems[:5])
        message = f"{given.name} does not fit: {problems}"
        return Diagnostic(Code.BAD_VALUE, message, subject=subject, expected=schemas.describe(schema))
