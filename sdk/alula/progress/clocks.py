"""Time for a run: the real clock, and the protocols by which tests put a virtual one in its place.

Called by the drivers of local runs and by what follows a remote run; nothing else there may ask what time it is.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Pace(Protocol):
    """What one thread needs of time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Clock(Pace, Protocol):
    """What the drivers of local runs need of time."""

    def wait(self, condition: threading.Condition, seconds: float | None, *, busy: bool) -> None:
        """Wait on `condition`, which the caller holds, until it is notified or `seconds` have passed.

        `busy` says whether an attempt is running: a virtual clock may jump ahead only when none is.
        """
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
