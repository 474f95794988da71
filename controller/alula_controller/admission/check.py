"""What a person or a schedule gave to a run, checked against the plan before any pod. Pure; called by `gather`.

The texts are those of `spec.arguments` in the API, as they were typed; `givens` says what they mean. No message holds
one: Argo copies the message of a run that failed into an Event, and others read Events and logs than inputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alula_api.contract import diagnostics, givens, schemas, values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import comparables, plans
from alula_api.contract.graphs.bindings import Value, value_of, wire_of

MAX_VALUE = 96 << 10
"""Bytes of one input as it travels: Argo hands an argument of 128 KiB to a pod in another way, and a run's object, in
which the value lies several times, has 1 MiB."""
MAX_ALL = 256 << 10
"""Bytes of all inputs together."""
_PLACE = r"\$(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\])+"
_AS_FILE = "declare it as a File or a frame: then a reference to stored data travels, which is short"
_IN_A_TASK = "let a task take the input and return what is read"


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
    problems += _sizes(found, run)
    return Checked(found, tuple(problems)) if problems else _with_parts(plan, found, run)


def _with_parts(plan: plans.Plan, found: dict[str, Value], run: str) -> Checked:
    """The inputs, and beside them what conditions compare of them."""
    types = {each.name: dict(each.type) for each in plan.inputs}
    parts: dict[str, Value] = {}
    problems = []
    for part in plan.parts:
        try:
            for name, value in comparables.publish([part], found, types).items():
                parts[name] = value_of(value)
        except values.InvalidValue as error:
            subject = f"run {run}, input {part.source}"
            problem = error.problems[0]
            asks = "a condition compares it" if part.form == "scalar" else "a map goes over it"
            asks = f"{asks}, item by item" if part.each else asks
            problems.append(Diagnostic(problem.code, f"{asks}, and it {problem.message}", subject=subject))
    size = sum(len(safe(value)) for value in parts.values())
    if not problems and size > MAX_ALL:
        message = (
            f"what conditions and maps read of the inputs is {size:,} bytes; together it must be at most {MAX_ALL:,}"
        )
        problems.append(Diagnostic(Code.TOO_LARGE, message, subject=f"run {run}", hint=_IN_A_TASK))
    return Checked({**found, **parts}, tuple(problems))


def safe(value: Value) -> str:
    """A value as it travels through Argo."""
    return values.argo_safe(values.dumps(wire_of(value)))


def strange(plan: plans.Plan) -> str:
    """Why nothing can be checked against a plan: a type that this version does not know. Empty where all are known."""
    types = [(f"input {each.name}", each.type) for each in plan.inputs]
    for task, spec in plan.tasks.items():
        types += [(f"output {name} of task {task}", each) for name, each in spec.outputs.items()]
    for what, schema in types:
        try:
            values.codec(dict(schema))
        except values.InvalidValue:
            return f"the type of {what} is of another version of alula; register the workflow again and start a new run"
    return ""


def _sizes(found: Mapping[str, Value], run: str) -> list[Diagnostic]:
    """What is too large for the arguments of a pod, or for the run's object."""
    sizes = {name: len(safe(value)) for name, value in found.items()}
    problems = [
        Diagnostic(
            Code.TOO_LARGE,
            f"{name} is {size:,} bytes; an input must be at most {MAX_VALUE:,}",
            subject=f"run {run}, input {name}",
            hint=_AS_FILE,
        )
        for name, size in sizes.items()
        if size > MAX_VALUE
    ]
    if not problems and sum(sizes.values()) > MAX_ALL:
        message = f"the inputs are {sum(sizes.values()):,} bytes; together they must be at most {MAX_ALL:,}"
        problems.append(Diagnostic(Code.TOO_LARGE, message, subject=f"run {run}", hint=_AS_FILE))
    return problems


def _given(plan: plans.Plan, arguments: Mapping[str, Any], run: str) -> tuple[dict[str, str], list[Diagnostic]]:
    """The texts by name, and what is wrong with how they are given."""
    allowed = [each.name for each in plan.inputs]
    given: dict[str, str] = {}
    problems = []
    for parameter in _list(arguments.get("parameters")):
        name = str(parameter.get("name"))
        if name not in allowed:
            hint = diagnostics.did_you_mean(name, allowed, f"it takes {', '.join(allowed) or 'none'}", str)
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
        places = _places(error, set(values.dumps(schema).split('"')))
        message = f"{given.name} does not fit" + (f" at {', '.join(places)}" if places else "")
        return Diagnostic(Code.BAD_VALUE, message, subject=subject, expected=schemas.describe(schema))


def _places(error: values.InvalidValue, words: set[str]) -> list[str]:
    """Where in a value it does not fit, by indexes and by names of fields that the type has: keys are values too."""
    found = dict.fromkeys(
        problem.path
        for problem in error.problems
        if re.fullmatch(_PLACE, problem.path) and words.issuperset(re.findall(r"[A-Za-z_]\w*", problem.path))
    )
    return list(found)[:5]
