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
    from alula.interfaces import encode

    progress.phase = Phase.INPUTS
    arguments = encode.arguments(task, inputs, carrier)
    progress.phase = Phase.FUNCTION
    result = call(task, arguments, function)
    progress.phase = Phase.OUTPUTS
    return encode.outputs(task, result, carrier)


def call(task: Task[..., Any], arguments: Mapping[str, Any], function: Callable[..., Any] | None = None) -> Any:
    """The task's function on Python values; a coroutine function runs to its end."""
    from alula.declare import calls

    return calls.settled((function or task.function)(**arguments))
