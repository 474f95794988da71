"""What an exception means: whose failure it is, its code and message, and whether another attempt may help.

Called by `failure_report` once an attempt has failed. The rules: whatever the user's function raises is theirs, and
worth another attempt unless it is NonRecoverable; a value that does not fit is theirs and is not; a store without an
answer is the system's and is; data that is gone is the system's and is not.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from alula import errors
from alula.attempt import redact, tracebacks
from alula.runtime.attempts import Attempt, Phase
from alula.runtime.errors import Stop, Terminated, TimedOut
from alula_api.contract import durations, failures
from alula_api.contract.codes import Code
from alula_api.contract.failures import FailureRecord

if TYPE_CHECKING:
    from alula_data.errors import StoreError

_MOST_CAUSES = 20


def record(attempt: Attempt, error: BaseException) -> FailureRecord:
    """The failure record of `error`, raised where the attempt stands now."""
    if isinstance(error, Stop):
        return _record(attempt, error.kind, error.code, str(error), retryable=error.retryable, source=error.source)
    if isinstance(error, TimedOut):
        limit = durations.text(attempt.place.timeout)
        return _record(attempt, failures.USER, Code.TASK_TIMEOUT, f"it took longer than its timeout of {limit}")
    if isinstance(error, Terminated):
        message = f"the pod was asked to end while {attempt.phase.value}: preempted, evicted or stopped"
        return _record(attempt, failures.SYSTEM, Code.TASK_KILLED, message)
    lost = _store_error(error, attempt)
    if lost is not None:
        return _of_store(attempt, lost)
    if isinstance(error, errors.UserError):
        return _of_mismatch(attempt, error)
    if attempt.phase in (Phase.FUNCTION, Phase.OUTPUTS):
        return _of_user(attempt, error)
    if attempt.phase is Phase.LOADING:
        return _of_user(
            attempt, error, code=Code.BAD_SOURCE, retryable=not isinstance(error, (ImportError, SyntaxError))
        )
    message = f"{type(error).__name__} while {attempt.phase.value}: {redact.message(error)}"
    return _record(attempt, failures.SYSTEM, Code.INTERNAL, message, exception=redact.exception_name(error))


def _of_store(attempt: Attempt, error: StoreError) -> FailureRecord:
    from alula_data.errors import Damaged, NotFound

    if attempt.phase in (Phase.INPUTS, Phase.FUNCTION) and isinstance(error, (Damaged, NotFound)):
        return _record(attempt, failures.SYSTEM, Code.INPUT_LOST, str(error), retryable=False)
    return _record(attempt, failures.SYSTEM, error.code, str(error))


def _of_mismatch(attempt: Attempt, error: errors.UserError) -> FailureRecord:
    first = error.diagnostics[0]
    message = "\n".join(redact.told(diagnostic) for diagnostic in error.diagnostics)
    if attempt.phase is Phase.FUNCTION:  # raised by the user's own call of something of ours
        return _of_user(attempt, error, code=first.code, retryable=False)
    return _record(attempt, failures.USER, first.code, message, retryable=False, source=first.source)


def _of_user(
    attempt: Attempt, error: BaseException, *, code: Code = Code.TASK_FAILED, retryable: bool = True
) -> FailureRecord:
    message = redact.message(error)
    if isinstance(error, SystemExit):
        message = f"the task called sys.exit({error.code!r}) instead of returning"
    return _record(
        attempt,
        failures.USER,
        code,
        message,
        exception=redact.exception_name(error),
        traceback=tracebacks.user_traceback(error),
        retryable=retryable and not isinstance(error, errors.NonRecoverable),
        source=tracebacks.where(error, attempt.root),
    )


def _record(
    attempt: Attempt,
    kind: str,
    code: Code,
    message: str,
    *,
    exception: str = "",
    traceback: str = "",
    retryable: bool = True,
    source: str = "",
) -> FailureRecord:
    place, call, task = attempt.place, attempt.call, attempt.task
    return FailureRecord(
        kind=kind,
        code=str(code),
        message=attempt.discreet(message),
        exception=exception,
        traceback=attempt.discreet(traceback),
        node=place.node,
        run=place.run,
        attempt=place.attempt,
        task=call.task if call else "",
        retryable=retryable,
        inputs=attempt.shown_inputs(),
        source=source or (str(task.source) if task else ""),
    )


def _store_error(error: BaseException, attempt: Attempt) -> StoreError | None:
    """The error of our own store that is, or is behind, `error`: libraries wrap what a file's path raised."""
    if "alula_data.errors" not in sys.modules:
        return None
    from alula_data.errors import StoreError

    seen: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if seen is None:
            return None
        if isinstance(seen, StoreError) and (attempt.phase is not Phase.FUNCTION or attempt.uses(seen.url)):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
