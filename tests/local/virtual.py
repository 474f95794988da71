"""A clock for tests: it jumps over every rest, and otherwise stands until a test advances it."""

from __future__ import annotations

import threading


class VirtualClock:
    """Implements `alula.progress.clocks.Clock`."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._waiting: threading.Condition | None = None
        self._seen = threading.local()

    def now(self) -> float:
        self._seen.time = self.time
        return self.time

    def wait(self, condition: threading.Condition, seconds: float | None, *, busy: bool) -> None:
        if seconds is not None and not busy:
            self.sleep(seconds)
            return
        with self._lock:
            self._waiting = condition
            if seconds is not None and self.time >= self._seen.time + seconds:
                return  # advanced between `now` and here
        condition.wait(30)  # a test that hangs must fail

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; may be called from a running task."""
        with self._lock:
            self.time += seconds
            waiting = self._waiting
        if waiting is not None:
            with waiting:
                waiting.notify_all()
