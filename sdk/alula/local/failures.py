"""What went wrong in an attempt as the record that people read. Called by `executing` and the drivers' callbacks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import errors, tracebacks
from alula.local.attempts import Failure
from alula_api.contract import durations, failures, problems, values
from alula_api.contract.codes import Code
from alula_data.errors import StoreError

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.values import Json

SHORT = 100
"""Characters of an input that are shown."""
LEAST_SECRET = 4
"""Shorter texts are not blotted out: they would be all over the traceback."""


def of_error(error: BaseException, task: Task[..., Any], context: Context) -> Failure:
    """The failure of an attempt in which `error` was raised."""
    if isinstance(error, StoreError):
        return _failure(context, task, failures.SYSTEM, error.code, str(error), retryable=True, error=error)
    if isinstance(error, errors.UserError):
        first = error.diagnostics[0]
        message = "\n".join(_told(diagnostic) for diagnostic in error.diagnostics)
        # A value of the wrong type does not become right by trying again.
        return _failure(context, task, failures.USER, first.code, message, retryable=False, error=error)
    return _failure(
        context,
        task,
        failures.USER,
        Code.TASK_FAILED,
        str(error),
        exception=_name(type(error)),
        traceback=tracebacks.user_traceback(error),
        source=tracebacks.where(error) or str(task.source),
        retryable=not isinstance(error, errors.NonRecoverable),
        error=error,
    )


def overdue(task: Task[..., Any], context: Context, seconds: float) -> Failure:
    """The failure of an attempt whose time is over."""
    message = f"it took longer than its timeout of {durations.text(seconds)}"
    return _failure(context, task, failures.USER, Code.TASK_TIMEOUT, message)


def killed(task: Task[..., Any], context: Context, how: str) -> Failure:
    """The failure of an attempt whose process is gone."""
    return _failure(context, task, failures.SYSTEM, Code.TASK_KILLED, how)


def of_value(error: problems.InvalidValue, task: Task[..., Any], context: Context) -> Failure:
    """The failure of an attempt whose inputs cannot be put together: a part of a value is not there."""
    return _failure(
        context, task, failures.USER, Code.BAD_VALUE, f"an input has no such part: {error}", retryable=False
    )


def lost(error: StoreError, task: Task[..., Any], context: Context) -> Failure:
    """The failure of an attempt whose input's data is gone or damaged."""
    return _failure(context, task, failures.SYSTEM, Code.INPUT_LOST, str(error), retryable=False, error=error)


def of_record(found: Json, task: Task[..., Any], context: Context) -> Failure:
    """The failure that a worker process reported."""
    record = failures.FailureRecord.from_json(found)
    return _failure(
        context, task, record.kind, record.code, record.message, exception=record.exception,
        traceback=record.traceback, source=record.source, retryable=record.retryable,
    )  # fmt: skip


class Context:
    """Where an attempt stands in its run, and what it was given."""

    __slots__ = ("attempt", "inputs", "node", "run")

    def __init__(self, run: str, node: str, attempt: int, inputs: Mapping[str, Json]) -> None:
        self.run = run
        self.node = node
        self.attempt = attempt
        self.inputs = inputs


def short(value: Json) -> str:
    """A value in few characters: for messages, never for programs."""
    if isinstance(value, dict) and {"type", "digest", "size"} <= value.keys():
        name = value.get("name") or ""
        kind = " ".join(part for part in (value.get("format", ""), value["type"]) if part)
        return f"{name} ({kind})" if name and value["type"] != "frame" else kind
    try:
        text = values.dumps(value) if not isinstance(value, str) else repr(value)
    except problems.InvalidValue:
        text = repr(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _failure(
    context: Context,
    task: Task[..., Any],
    kind: str,
    code: str,
    message: str,
    *,
    exception: str = "",
    traceback: str = "",
    source: str = "",
    retryable: bool = True,
    error: BaseException | None = None,
) -> Failure:
    secrets = [os.environ.get(secret.name, "") for secret in task.options.secrets]

    def clean(text: str) -> str:
        for secret in secrets:
            if len(secret) >= LEAST_SECRET:
                text = text.replace(secret, "***")
        return text

    record = failures.FailureRecord(
        kind=kind,
        code=str(code),
        message=clean(message),
        exception=exception,
        traceback=clean(traceback),
        node=context.node,
        run=context.run,
        attempt=context.attempt,
        task=task.key,
        retryable=retryable,
        inputs={name: clean(short(value)) for name, value in context.inputs.items()},
        source=source or str(task.source),
    )
    return Failure(record, retryable, error)


def _told(diagnostic: Any) -> str:
    parts = [diagnostic.message]
    if diagnostic.subject:
        parts.append(f"({diagnostic.subject})")
    if diagnostic.expected:
        parts.append(f"; expected {diagnostic.expected}")
    if diagnostic.hint:
        parts.append(f"; {diagnostic.hint}")
    return " ".join(parts).replace(" ; ", "; ")


def _name(cls: type[BaseException]) -> str:
    """As Python prints it at the end of a traceback."""
    return cls.__qualname__ if cls.__module__ in {"builtins", "__main__"} else f"{cls.__module__}.{cls.__qualname__}"
