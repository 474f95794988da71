"""Runs tasks one after another in the caller's own thread, so that a debugger stops where the user expects.

Used for `--workers 1` and for the plain call of a workflow.
"""

from __future__ import annotations

from alula.local.drive import alarms
from alula.local.drive.attempts import Work
from alula.local.drive.dispatch import Dispatcher
from alula.progress.clocks import Clock

__tracebackhide__ = True  # pytest shows the user's frames only


def drive(dispatcher: Dispatcher, work: Work, clock: Clock) -> None:
    """Run to the end; returns when nothing runs and nothing will.

    An attempt past its timeout is interrupted where the platform can (main thread of a POSIX process, no debugger
    attached); elsewhere its late result is discarded when it comes.
    """
    schedule = dispatcher.schedule
    while not schedule.over:
        attempt = dispatcher.begin(clock.now())
        if attempt is None:
            due = dispatcher.next_due
            if due is None:  # a graph without cycles always has something ready, resting or over
                raise AssertionError("nothing is ready, though the run is not over")
            clock.sleep(max(0.0, due - clock.now()))
            dispatcher.expire(clock.now())
            schedule.wake(clock.now())
            continue
        timeout = None if attempt.deadline is None else max(0.001, attempt.deadline - attempt.started)
        outcome = work(attempt) if timeout is None else alarms.limited(work, attempt, timeout)
        now = clock.now()
        if outcome is None or (timeout is not None and now - attempt.started > timeout and not alarms.debugging()):
            outcome = dispatcher.expired(attempt, now)
        dispatcher.conclude(attempt, outcome, now)
