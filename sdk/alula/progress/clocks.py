"""Time for a run: the real clock, and the protocol by which tests put a virtual one in its place.

The drivers of local runs are the only callers. Nothing else in `alula.local` may ask what time it is.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the drivers need of time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def wait(self, condition: threading.Condition, seconds: float | None, *, busy: bool) -> None:
        """Wait on `condition`, which the caller holds, until it is notified or `seconds` have passed.

        `busy` says whether an attempt is running: a virtual clock may jump ahead only when none is.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Wait in a driver that has one thread only."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None, *, busy: bool) -> None:
        """Wait for a notice or for time to pass, whether busy or not."""
        condition.wait(seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
