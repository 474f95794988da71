"""Ends from outside: the attempt's timeout, and SIGTERM.

Called by `running`; `failure_report` reads the exceptions. Both are raised in the user's code, so that its `finally`
blocks run; code that does not come back (a call into C, an exception swallowed) is ended by a second thread.
"""

from __future__ import annotations

import _thread
import signal
from collections.abc import Callable
from types import FrameType

GRACE = 5.0
"""Seconds that the user's code has for its `finally` blocks."""


class TimedOut(BaseException):
    """The attempt's time is over. No Exception, so that a user's `except Exception` does not swallow it."""


class Terminated(BaseException):
    """The pod was asked to end (SIGTERM): preemption, eviction, a stopped run."""


class Watch:
    """Watches over one attempt, from `start` to `stop`.

    Args:
        timeout: seconds, 0 for none.
        overrun: called from another thread when the attempt has not ended within the grace; must end the process.
    """

    def __init__(self, timeout: float, overrun: Callable[[BaseException], None]) -> None:
        self._timeout = timeout
        self._overrun = overrun
        self._stopped = _thread.allocate_lock()

    def start(self) -> None:
        """Begins to watch; call it on the main thread."""
        signal.signal(signal.SIGTERM, self._terminated)
        if self._timeout:
            self._stopped.acquire()
            signal.signal(signal.SIGALRM, self._timed_out)
            signal.setitimer(signal.ITIMER_REAL, self._timeout)
            _thread.start_new_thread(self._wait, ())

    def stop(self) -> None:
        """Ends the watch: from now on nothing is raised any more."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self._timeout:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self._stopped.locked():
                self._stopped.release()

    def leave(self) -> None:
        """Gives SIGTERM its usual meaning back, for what users' threads do while the process ends."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _wait(self) -> None:
        if not self._stopped.acquire(timeout=self._timeout + GRACE):
            self._overrun(TimedOut())

    def _timed_out(self, number: int, frame: FrameType | None) -> None:
        raise TimedOut

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated
