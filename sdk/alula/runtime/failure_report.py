"""Where a failure is told: the log, the termination message, the record in the store; and the exit code for Argo.

Called by `running` when an attempt has failed, and by its watch when it does not end. Each place is tried whatever
became of the others: a failure must not be lost because the store is part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula.runtime import failing, logs, termination_message
from alula.runtime.errors import Stop, Terminated
from alula_api.contract import exits, failures, values
from alula_api.contract.failures import FailureRecord

if TYPE_CHECKING:
    from alula.runtime.attempts import Attempt
    from alula_data.stores.protocols import Store

TERMINATED = 143
"""128 + SIGTERM, as for any process that was asked to end."""

_PATIENCE = 2
"""Attempts at writing the record: an unreachable store has made us wait long enough."""


def conclude(attempt: Attempt, error: BaseException) -> int:
    """Reports a failure everywhere; returns the exit code."""
    record = failing.record(attempt, error)
    logs.write(_traceback(record, error))
    termination_message.leave(attempt.place, failures.termination_message(record))
    code = exits.RETRYABLE if record.retryable else exits.FATAL
    try:
        store = _patient(attempt)
        _store(store, record)
        if record.retryable and record.kind == failures.USER and _used_up(store, record, _share(attempt)):
            code = exits.FATAL
    except Exception as problem:  # the record is worth less than the exit code
        logs.line(f"the failure could not be recorded in the store: {problem}")
        if record.retryable and record.kind == failures.USER and record.attempt > _share(attempt):
            code = exits.FATAL  # for want of records every earlier attempt counts
    again = "is fatal" if code == exits.FATAL else "may be tried again"
    logs.line(f"{record.code}, attempt {record.attempt}, {again}: {record.message.partition(chr(10))[0]}")
    return TERMINATED if isinstance(error, Terminated) else code


def _share(attempt: Attempt) -> int:
    """How many of the user's failures are forgiven."""
    return attempt.call.retries if attempt.call else 0


def _used_up(store: Store, record: FailureRecord, forgiven: int) -> bool:
    """Whether the user's failures so far, this one included, are more than are forgiven.

    Records of later attempts are left from before somebody retried the run by hand, and do not count.
    """
    folder = failures.path(record.run, record.node, record.attempt).rsplit("/", 2)[0]
    found = 0
    for head in store.list(folder):
        number = head.key.rsplit("/", 2)[-2]
        if not number.isdecimal() or int(number) > record.attempt or not head.key.endswith("/failure.json"):
            continue
        try:
            earlier = FailureRecord.from_json(values.parse(store.get(head.key)))
        except values.InvalidValue:
            continue
        found += earlier.kind == failures.USER
    return found > forgiven


def _store(store: Store, record: FailureRecord) -> None:
    path = failures.path(record.run, record.node, record.attempt)
    store.put(path, values.dumps(record.to_json()).encode())


def _patient(attempt: Attempt) -> Store:
    from alula_data import retries
    from alula_data.stores import opening

    policy = retries.Policy(attempts=_PATIENCE)
    return opening.open_store(attempt.place.store, endpoint=attempt.place.endpoint, policy=policy)


def _traceback(record: FailureRecord, error: BaseException) -> str:
    """The user's frames where the failure is theirs, all frames where it is ours."""
    if record.traceback:
        return record.traceback
    if isinstance(error, Stop) or record.kind == failures.USER:
        return ""
    import traceback

    return "".join(traceback.format_exception(error))
