"""What an exception means: whose failure it is, its code and message, and whether another attempt may help.

Called once an attempt has failed, by the pod's `failure_report` and the local runner's `work.failures`, so that a
failure has one class wherever it happens. The rules: whatever the user's function raises is theirs, and worth another
attempt unless it is NonRecoverable; a value that does not fit is theirs and is not; our own store without an answer is
the system's and is; data of ours that is gone is the system's and is not, because only what made it can help. What the
function does with foreign data is the function's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from alula import errors
from alula.attempt import redact
from alula.attempt.errors import Stop
from alula.attempt.invoke import Phase
from alula.code import tracebacks
from alula_api.contract import durations, failures, pods
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula_api.contract.values import Json
    from alula_data.errors import StoreError

MAX_CAUSES = 20
"""Exceptions behind an exception that are looked at."""


class Finding(NamedTuple):
    """What is wrong, before it is known which attempt of which task it was."""

    kind: str
    code: str
    message: str
    retryable: bool = True
    exception: str = ""
    traceback: str = ""
    source: str = ""


def classify(error: BaseException, phase: Phase, owns_store: Callable[[str], bool], root: str = "") -> Finding:
    """What `error` means.

    Args:
        error: What ended the attempt.
        phase: How far the attempt had come.
        owns_store: Whether the store at a URL is the domain's.
        root: Folder of the user's code, from which places in it are named; the working directory when empty.
    """
    if isinstance(error, errors.Given):
        return Finding(failures.USER, Code.TASK_FAILED, str(error), retryable=False)
    if isinstance(error, Stop):
        return Finding(error.kind, error.code, str(error), retryable=False, source=error.source)
    store = _store_error(error, None if phase is not Phase.FUNCTION else owns_store)
    if store is not None:
        return _of_store(store, phase)
    if isinstance(error, errors.UserError):
        first = error.diagnostics[0]
        if phase is Phase.FUNCTION:  # raised by the user's own call of something of ours
            return _of_user(error, first.code, root, retryable=False)
        message = "\n".join(redact.one_line(diagnostic) for diagnostic in error.diagnostics)
        return Finding(failures.USER, first.code, message, retryable=False, source=first.source)
    if phase in (Phase.FUNCTION, Phase.OUTPUTS):
        return _of_user(error, Code.TASK_FAILED, root)
    if phase is Phase.LOADING:
        return _of_user(error, Code.BAD_SOURCE, root, retryable=not isinstance(error, (ImportError, SyntaxError)))
    message = f"{type(error).__name__} while {phase.value}: {redact.message(error)}"
    return Finding(failures.SYSTEM, Code.INTERNAL, message, exception=redact.exception_name(error))


def overdue(seconds: float) -> Finding:
    """An attempt's time is over."""
    message = f"it took longer than its timeout of {durations.text(seconds)}"
    return Finding(failures.USER, Code.TASK_TIMEOUT, message)


def late(seconds: float) -> Finding:
    """The time of a whole run is over."""
    message = f"the run took longer than its deadline of {durations.text(seconds)}"
    return Finding(failures.USER, Code.TASK_TIMEOUT, message, retryable=False)


def killed(how: str) -> Finding:
    """An attempt's process is gone, or was asked to go."""
    return Finding(failures.SYSTEM, Code.TASK_KILLED, how)


def record(
    finding: Finding,
    *,
    run: str,
    node: str,
    attempt: int,
    task: str,
    source: str,
    inputs: Mapping[str, Json],
    secrets: Iterable[str],
) -> failures.FailureRecord:
    """The record that people read: short inputs, no secrets.

    Args:
        finding: What is wrong.
        run: The run.
        node: Its node.
        attempt: From 1.
        task: The task's name in the cache key.
        source: Where the task is defined, named when the finding has no place of its own.
        inputs: The values of the inputs that were read.
        secrets: Environment variables whose values must not be shown.
    """
    variables = [*secrets, pods.Env.ACCESS_KEY, pods.Env.SECRET_KEY]

    def clean(text: str) -> str:
        return redact.without_secrets(text, variables)

    return failures.FailureRecord(
        kind=finding.kind,
        code=str(finding.code),
        message=clean(finding.message),
        exception=finding.exception,
        traceback=clean(finding.traceback),
        node=node,
        run=run,
        attempt=attempt,
        task=task,
        retryable=finding.retryable,
        inputs={name: clean(redact.short(value)) for name, value in inputs.items()},
        source=finding.source or source,
    )


def _of_store(error: StoreError, phase: Phase) -> Finding:
    from alula_data.errors import Damaged, NotFound

    if phase in (Phase.INPUTS, Phase.FUNCTION) and isinstance(error, (Damaged, NotFound)):
        return Finding(failures.SYSTEM, Code.INPUT_LOST, str(error), retryable=False)
    return Finding(failures.SYSTEM, error.code, str(error))


def _of_user(error: BaseException, code: Code, root: str, *, retryable: bool = True) -> Finding:
    message = redact.message(error)
    if isinstance(error, SystemExit):
        message = f"the task called sys.exit({error.code!r}) instead of returning"
    return Finding(
        failures.USER,
        code,
        message,
        retryable=retryable and not isinstance(error, errors.NonRecoverable),
        exception=redact.exception_name(error),
        traceback=tracebacks.user_traceback(error),
        source=tracebacks.where(error, root),
    )


def _store_error(error: BaseException, counts: Callable[[str], bool] | None) -> StoreError | None:
    """The store's error that is, or is behind, `error`: libraries wrap what a file's path raised."""
    from alula_data.errors import StoreError

    seen: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if seen is None:
            return None
        if isinstance(seen, StoreError) and (counts is None or counts(seen.url)):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
