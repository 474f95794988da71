"""One call of a task from JSON to JSON: decode the inputs, call the function, encode the outputs.

Shared by the local runner and the pod, so that both see the same values. It knows no store, cache, retry or log; what
the user's function raises passes through untouched.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alula.declare.tasks import Task
    from alula.types.carriers import Carrier
    from alula_api.contract.diagnostics import Diagnostic

__tracebackhide__ = True  # pytest shows the user's frames only


class Phase(enum.Enum):
    """How far an attempt came; what an exception means depends on it."""

    STARTING = "starting"
    LOADING = "loading the code"
    INPUTS = "reading the inputs"
    FUNCTION = "in the function"
    OUTPUTS = "writing the outputs"


class Progress(Protocol):
    """Where an attempt's phase is noted."""

    phase: Phase


def invoke(
    task: Task[..., Any],
    inputs: Mapping[str, Any],
    carrier: Carrier,
    progress: Progress,
    *,
    function: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Run a task's function on wire values.

    Args:
        task: The task.
        inputs: A JSON value for each input; those with a default may be left out. No `$stored` envelopes.
        carrier: Fetches files and frames of the inputs, commits those of the outputs.
        progress: Its phase is kept up to date.
        function: Called instead of the task's own function.

    Returns:
        A JSON value for each output, in declared order; `values.codec(schema)` makes wire text of them.

    Raises:
        ValueMismatch: An input or output does not fit its type; trying again cannot help.
        BaseException: Whatever the function raises.
    """
    progress.phase = Phase.INPUTS
    arguments = decode(task, inputs, carrier)
    progress.phase = Phase.FUNCTION
    result = call(task, arguments, function)
    progress.phase = Phase.OUTPUTS
    return encode(task, result, carrier)


def decode(task: Task[..., Any], inputs: Mapping[str, Any], carrier: Carrier) -> dict[str, Any]:
    """Wire values to Python values, all problems at once."""
    from alula import errors
    from alula.declare import calls
    from alula.types.mismatches import Mismatch
    from alula_api.contract import values
    from alula_api.contract.codes import Code
    from alula_api.contract.problems import InvalidValue

    arguments: dict[str, Any] = {}
    problems = [calls.unknown_input(name, task.subject, task.interface.by_name) for name in inputs
                if name not in task.interface.by_name]  # fmt: skip
    for item in task.interface.inputs:
        if item.name not in inputs:
            if item.required:
                problems.append(calls.missing_input(item, task.subject))
            continue
        subject = f"{task.subject}, input {item.name}"
        try:
            arguments[item.name] = item.type.from_json(
                values.codec(item.type.schema).normal(inputs[item.name]), carrier
            )
        except Mismatch as mismatch:
            problems += calls.unfit(mismatch, Code.BAD_VALUE, subject, item.type.label)
        except InvalidValue as invalid:
            problems += calls.invalid(invalid, subject, item.type.label)
    if problems:
        raise errors.ValueMismatch(problems)
    return arguments


def call(task: Task[..., Any], arguments: Mapping[str, Any], function: Callable[..., Any] | None = None) -> Any:
    """The task's function on Python values; a coroutine function runs to its end."""
    from alula.declare import calls

    return calls.runnable(function or task.function)(**arguments)


def encode(task: Task[..., Any], result: Any, carrier: Carrier) -> dict[str, Any]:
    """The function's result to one wire value an output, all problems at once."""
    from alula import errors
    from alula.declare import calls
    from alula.types.mismatches import Mismatch
    from alula_api.contract import values
    from alula_api.contract.codes import Code
    from alula_api.contract.problems import InvalidValue

    interface = task.interface
    try:
        parts = interface.pack(result)
    except Mismatch as mismatch:
        raise calls.wrong_output(task, "", mismatch) from None
    outputs: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for output, part in zip(interface.outputs, parts, strict=True):
        try:
            outputs[output.name] = values.codec(output.type.schema).normal(output.type.to_json(part, carrier))
        except Mismatch as mismatch:
            problems += calls.wrong_output(task, output.name, mismatch).diagnostics
        except InvalidValue as invalid:
            subject = f"{task.subject}, output {output.name}"
            problems += calls.invalid(invalid, subject, output.type.label, Code.OUTPUT_TYPE)
    if problems:
        raise errors.ValueMismatch(problems)
    return outputs
