"""Starts attempts, records outcomes, enforces timeouts; shared by the serial and the threaded driver.

Called by `serial` and `threads` only, which must hold their lock meanwhile. Decides nothing about order or retries
(`schedule` does) and runs no user code.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Protocol

from alula.local.drive.attempts import Attempt, Failure, Outcome
from alula.local.drive.schedule import Schedule

if TYPE_CHECKING:
    from alula_api.contract.graphs.frames import Spot


class Observer(Protocol):
    """Who wants to know what happens; called in order, never from two threads at once."""

    def started(self, attempt: Attempt) -> None:
        """`attempt` begins."""
        ...

    def retrying(self, attempt: Attempt, failure: Failure, rest: float, now: float) -> None:
        """`attempt` failed; its task is tried again after `rest` seconds."""
        ...

    def finished(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """`attempt` was the last one at its task."""
        ...

    def abandoned(self, attempt: Attempt) -> None:
        """`attempt` passed its timeout and goes on in a thread whose result is discarded."""
        ...


class Dispatcher:
    """A schedule with timeouts, reporting to an observer.

    Args:
        schedule: What may start, and when.
        timeouts: Seconds that an attempt may take, by the name of its task; no limit for others.
        observer: Takes note of every change.
        overdue: Makes the failure of an attempt that passed its timeout.
        preparation: Seconds that an attempt may take before it is `ready`, and its timeout begins; 0 where attempts
            begin with the user's function.
        deadline: When the time of the whole run is over.
        late: Makes the failure of an attempt that is ended then.
        aborted: Makes the failure of an attempt that is ended because another task failed; None where attempts may
            then finish.
        blocked: Takes note of a graph, a branch or a map that needs a value that cannot be made, before it is failed.
    """

    def __init__(
        self,
        schedule: Schedule,
        timeouts: Mapping[str, float],
        observer: Observer,
        overdue: Callable[[Attempt], Failure],
        preparation: float = 0.0,
        *,
        deadline: float | None = None,
        late: Callable[[Attempt], Failure] | None = None,
        aborted: Callable[[Attempt], Failure] | None = None,
        blocked: Callable[[Spot, float], None] | None = None,
    ) -> None:
        self.schedule = schedule
        self._timeouts = timeouts
        self.observer = observer
        self.overdue = overdue
        self.preparation = preparation
        self._aborted, self._blocked = aborted, blocked
        self._deadline, self._late = deadline, late
        self._deadlines: list[tuple[float, int, Attempt]] = []
        self._begun = 0

    @property
    def next_due(self) -> float | None:
        """When `expire` or `schedule.wake` next has something to do."""
        while self._deadlines and self._is_stale(self._deadlines[0]):
            heapq.heappop(self._deadlines)
        wake = self.schedule.next_wake
        times = (self._deadlines[0][0] if self._deadlines else None, wake, self._deadline if wake is not None else None)
        return min((time for time in times if time is not None), default=None)

    def begin(self, now: float) -> Attempt | None:
        """Start what is ready next."""
        taken = self.schedule.take()
        if taken is None:
            return None
        spot, number = taken
        timeout = self._timeouts.get(spot.task)
        attempt = Attempt(spot, number, now, timeout)
        if timeout is not None:
            self._limit(attempt, now + timeout + self.preparation)
        elif self._deadline is not None:
            self._limit(attempt, self._deadline)
        self.observer.started(attempt)
        return attempt

    def ready(self, attempt: Attempt, now: float) -> None:
        """The preparation of `attempt` is over."""
        if attempt.timeout is not None and not attempt.over:
            self._limit(attempt, now + attempt.timeout)

    def conclude(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """Take the outcome of an attempt that is not over yet."""
        attempt.over = True
        if isinstance(outcome, Failure):
            rest = self.schedule.fail(attempt.spot, retryable=outcome.retryable, now=now, kind=outcome.record.kind)
            if rest is not None:
                self.observer.retrying(attempt, outcome, rest, now)
                return
            self.observer.finished(attempt, outcome, now)
        else:
            self.observer.finished(attempt, outcome, now)
            self.schedule.succeed(attempt.spot, outcome.outputs)
        self.give_up(now)

    def give_up(self, now: float) -> None:
        """Fail what has come to need a value that cannot be made; asked at the beginning, and here after each task."""
        blocked = self.schedule.walk.blocked
        while blocked and self._blocked is not None:
            spot = blocked[0]
            self._blocked(spot, now)
            self.schedule.give_up(spot)

    def expire(self, now: float) -> list[Attempt]:
        """Fail every attempt whose time is over, and at the end of the run's what rests; returns the attempts."""
        expired = []
        while self._deadlines and self._deadlines[0][0] <= now:
            entry = heapq.heappop(self._deadlines)
            if self._is_stale(entry):
                continue
            attempt = entry[2]
            expired.append(attempt)
            self.conclude(attempt, self.expired(attempt, now), now)
        rest = self.schedule.next_rest if self._deadline is not None and now >= self._deadline else None
        if rest is not None:  # whatever else rests fails with it
            attempt = Attempt(*rest, now, None)
            self.conclude(attempt, self.expired(attempt, now), now)
        return expired

    def expired(self, attempt: Attempt, now: float) -> Failure:
        """The failure of an attempt whose time is over, or the run's, after which nothing starts any more."""
        if self._deadline is None or self._late is None or now < self._deadline:
            return self.overdue(attempt)
        self.schedule.walk.stop()
        return self._late(attempt)

    def abort(self, under_way: Collection[Attempt], now: float) -> list[Attempt]:
        """After a failure that ends all: fail what is under way; returns it. Nothing where attempts may finish."""
        if self._aborted is None or not self.schedule.walk.failing:
            return []
        ended = [attempt for attempt in under_way if not attempt.over]
        for attempt in ended:
            self.conclude(attempt, self._aborted(attempt), now)
        return ended

    def _limit(self, attempt: Attempt, deadline: float) -> None:
        self._begun += 1
        attempt.deadline = deadline if self._deadline is None else min(deadline, self._deadline)
        heapq.heappush(self._deadlines, (attempt.deadline, self._begun, attempt))

    def _is_stale(self, entry: tuple[float, int, Attempt]) -> bool:
        """Whether the attempt is over or has got another deadline since."""
        return entry[2].over or entry[2].deadline != entry[0]
