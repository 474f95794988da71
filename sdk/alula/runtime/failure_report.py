"""Reports a failure: the log, the termination message, the record in the store; and the exit code for Argo.

Called by `running` when an attempt has failed, and by its watch when it does not end. Each place is tried whatever
became of the others: a failure must not be lost because the store is part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula.attempt import failures as classes
from alula.attempt.errors import Stop
from alula.runtime import failure_records, logs, termination_message
from alula.runtime.signals import Terminated, TimedOut
from alula_api.contract import exits, failures
from alula_api.contract.codes import Code
from alula_api.contract.failures import FailureRecord
from alula_api.contract.retries import Budget

if TYPE_CHECKING:
    from alula.runtime.attempts import Attempt
    from alula_data.stores.protocols import Store

TERMINATED = 143
"""128 + SIGTERM, as for any process that was asked to end."""

_PATIENCE = 2
"""Attempts at writing the record: an unreachable store has made us wait long enough."""


class Recorded(Exception):
    """A failure of which another process has made the record, and written what the log has of it."""

    def __init__(self, record: FailureRecord) -> None:
        super().__init__(record.message)
        self.record = record


def recorded(attempt: Attempt, error: BaseException) -> FailureRecord:
    """Writes a failure into the log and nowhere else; returns its record."""
    record = _record(attempt, error)
    logs.traceback(_traceback(record, error))
    return record


def conclude(attempt: Attempt, error: BaseException) -> int:
    """Reports a failure everywhere; returns the exit code."""
    record = error.record if isinstance(error, Recorded) else recorded(attempt, error)
    termination_message.leave(attempt.env, failures.termination_message(record, attempt.env.memory))
    again = record.retryable
    try:
        store = _patient(attempt)
        uid = attempt.env.run_uid
        failure_records.write(store, uid, record)
        if again:
            again = _allowed(attempt, record, failure_records.of_user(store, uid, record.node, record.attempt))
    except Exception as problem:  # the record is worth less than the exit code
        logs.line(f"the failure could not be recorded in the store: {problem}")
        # For want of records every earlier attempt counts as one of this kind.
        again = again and _allowed(attempt, record, record.attempt if record.kind == failures.USER else 0)
    next_step = "may be tried again" if again else "is fatal"
    logs.line(f"{record.code}, attempt {record.attempt}, {next_step}: {record.message.partition(chr(10))[0]}", "error")
    if not again:
        return exits.INPUT_LOST if record.code == Code.INPUT_LOST else exits.FATAL
    return TERMINATED if isinstance(error, Terminated) else exits.RETRYABLE


def _record(attempt: Attempt, error: BaseException) -> FailureRecord:
    env, call, task = attempt.env, attempt.call, attempt.task
    if isinstance(error, TimedOut):
        finding = classes.overdue(env.timeout)
    elif isinstance(error, Terminated):
        finding = classes.killed(f"the pod was asked to end while {attempt.phase.value}: preempted, evicted or stopped")
    else:
        finding = classes.classify(error, attempt.phase, attempt.uses, attempt.root)
    return classes.record(
        finding,
        run=env.run,
        node=env.node,
        attempt=env.attempt,
        task=call.task if call else "",
        source=str(task.source) if task else "",
        inputs=attempt.inputs,
        secrets=[secret.name for secret in task.options.secrets] if task else (),
    )


def _allowed(attempt: Attempt, record: FailureRecord, of_user: int) -> bool:
    """Whether another attempt may follow, `of_user` of those so far having failed in the user's code."""
    budget = attempt.call.budget if attempt.call else Budget()
    return budget.allows(of_user, record.attempt - of_user)


def _patient(attempt: Attempt) -> Store:
    from alula_data import retries
    from alula_data.stores import opening

    policy = retries.Policy(attempts=_PATIENCE)
    return opening.open_store(attempt.env.store, endpoint=attempt.env.endpoint, policy=policy)


def _traceback(record: FailureRecord, error: BaseException) -> str:
    """The user's frames where the failure is theirs, all frames where it is ours."""
    if record.traceback:
        return record.traceback
    if isinstance(error, Stop) or record.kind == failures.USER:
        return ""
    import traceback

    return "".join(traceback.format_exception(error))
