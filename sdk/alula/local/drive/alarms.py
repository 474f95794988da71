"""A timeout for code in the main thread, by the process's alarm signal. Called by `serial` only."""

from __future__ import annotations

import signal
import sys
import threading
import time

from alula.local.drive.attempts import Attempt, Outcome, Work

__tracebackhide__ = True  # pytest shows the user's frames only


class Overdue(BaseException):
    """Raised inside the user's code when its time is over; a BaseException, so that `except Exception` lets it pass."""


def debugging() -> bool:
    """Whether a debugger traces this thread: time does not count while a person looks."""
    if sys.gettrace() is not None:
        return True
    if sys.version_info >= (3, 12):
        return sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID) is not None
    return False


def limited(work: Work, attempt: Attempt, seconds: float) -> Outcome | None:
    """The outcome of `work`, or None when it was interrupted after `seconds`.

    Without a main thread or without alarms (Windows) it runs unlimited, and the caller looks at the clock afterwards.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return work(attempt)

    def ring(*_: object) -> None:
        if not attempt.over and not debugging():
            raise Overdue

    previous = signal.signal(signal.SIGALRM, ring)
    began = time.monotonic()
    # A task may itself call a workflow: the outer alarm is set again afterwards.
    outer, _ = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
    try:
        outcome = work(attempt)
        attempt.over = True  # from here on the alarm is ignored
        return outcome
    except Overdue:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 1e-6))
