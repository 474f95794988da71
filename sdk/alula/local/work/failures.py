"""What went wrong in an attempt as the record that people read. Called by `executor` and the drivers' callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.attempt import redact, tracebacks
from alula.local.drive.attempts import Failure
from alula_api.contract import durations, failures, problems
from alula_api.contract.codes import Code
from alula_data.errors import Damaged, NotFound, StoreError

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.values import Json


MOST_CAUSES = 20


def of_error(error: BaseException, task: Task[..., Any], context: Context) -> Failure:
    """The failure of an attempt in which `error` was raised."""
    store = _of_store(error)
    if isinstance(store, (Damaged, NotFound)):
        return _failure(context, task, failures.SYSTEM, Code.INPUT_LOST, str(store), retryable=False, error=error)
    if store is not None:
        return _failure(context, task, failures.SYSTEM, store.code, str(store), error=error)
    if isinstance(error, problems.InvalidValue):
        message = f"an input has no such part: {error}"
        return _failure(context, task, failures.USER, Code.BAD_VALUE, message, retryable=False)
    place = tracebacks.where(error)
    if isinstance(error, errors.UserError) and not place:
        # A value of the wrong type does not become right by trying again.
        first = error.diagnostics[0]
        message = "\n".join(redact.told(diagnostic) for diagnostic in error.diagnostics)
        return _failure(context, task, failures.USER, first.code, message, retryable=False, error=error)
    message = redact.message(error)
    if isinstance(error, SystemExit):
        message = f"the task called sys.exit({error.code!r}) instead of returning"
    return _failure(
        context,
        task,
        failures.USER,
        # A mismatch with a place was raised by the user's own call of something of ours.
        error.diagnostics[0].code if isinstance(error, errors.UserError) else Code.TASK_FAILED,
        message,
        exception=redact.exception_name(error),
        traceback=tracebacks.user_traceback(error),
        source=place,
        retryable=not isinstance(error, (errors.NonRecoverable, errors.UserError)),
        error=error,
    )


def overdue(task: Task[..., Any], context: Context, seconds: float) -> Failure:
    """The failure of an attempt whose time is over."""
    message = f"it took longer than its timeout of {durations.text(seconds)}"
    return _failure(context, task, failures.USER, Code.TASK_TIMEOUT, message)


def killed(task: Task[..., Any], context: Context, how: str) -> Failure:
    """The failure of an attempt whose process is gone."""
    return _failure(context, task, failures.SYSTEM, Code.TASK_KILLED, how)


def of_record(found: Json, task: Task[..., Any], context: Context) -> Failure:
    """The failure that a worker process reported."""
    record = failures.FailureRecord.from_json(found)
    return _failure(
        context, task, record.kind, record.code, record.message, exception=record.exception,
        traceback=record.traceback, source=record.source, retryable=record.retryable,
    )  # fmt: skip


def _of_store(error: BaseException) -> StoreError | None:
    """What the store said, also where the user's code has wrapped it."""
    seen: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if seen is None or isinstance(seen, StoreError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


class Context:
    """Where an attempt stands in its run, and what it was given."""

    __slots__ = ("attempt", "inputs", "node", "run")

    def __init__(self, run: str, node: str, attempt: int, inputs: Mapping[str, Json]) -> None:
        self.run = run
        self.node = node
        self.attempt = attempt
        self.inputs = inputs


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
    secrets = [secret.name for secret in task.options.secrets]

    def clean(text: str) -> str:
        return redact.discreet(text, secrets)

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
        inputs={name: clean(redact.short(value)) for name, value in context.inputs.items()},
        source=source or str(task.source),
    )
    return Failure(record, retryable, error)
