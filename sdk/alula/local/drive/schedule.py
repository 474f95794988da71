"""When what a walk has made ready is tried, tried again, or given up: budgets and rests, without threads, clock or I/O.

`dispatch` is the only caller and passes the time in. Which spot may start at all, the walk decides.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from alula_api.contract import failures, retries

if TYPE_CHECKING:
    from alula_api.contract.graphs.frames import Spot
    from alula_api.contract.graphs.walks import Walk
    from alula_api.contract.values import Json


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which wait, a failed task is tried again; at once without a backoff."""

    budget: retries.Budget
    backoff: retries.Backoff | None = None


ONCE = RetryPolicy(retries.Budget(0, 0))


class _Failures(NamedTuple):
    """Failed attempts at a spot, by kind."""

    user: int
    system: int


_NONE = _Failures(0, 0)


class Schedule:
    """A walk whose tasks are tried more than once.

    Args:
        walk: Of the run.
        policies: How tasks are tried again, by their names; others once only.
    """

    def __init__(self, walk: Walk, policies: Mapping[str, RetryPolicy]) -> None:
        self.walk = walk
        self._policies = policies
        self._failures: dict[Spot, _Failures] = {}
        self._rests: list[tuple[float, int, Spot]] = []
        self._rested = 0

    @property
    def ready(self) -> int:
        """How many spots `take` could hand out now."""
        return len(self.walk.ready)

    @property
    def running(self) -> int:
        """How many spots run now."""
        return self.walk.running

    @property
    def over(self) -> bool:
        """Nothing runs and nothing will."""
        return self.walk.over

    @property
    def next_wake(self) -> float | None:
        """When the next resting spot may be tried again."""
        return self._rests[0][0] if self._rests else None

    @property
    def next_rest(self) -> tuple[Spot, int] | None:
        """The resting spot that may be tried again first, and the number of its last attempt."""
        spot = self._rests[0][2] if self._rests else None
        return None if spot is None else (spot, sum(self._failures[spot]))

    def take(self) -> tuple[Spot, int] | None:
        """The next spot to start, now running, and the number of this attempt at it; None when none may start."""
        spot = self.walk.take()
        if spot is None:
            return None
        return spot, 1 + sum(self._failures.get(spot, _NONE)) if self._failures else 1

    def succeed(self, spot: Spot, outputs: Mapping[str, Json]) -> None:
        """The running `spot` is done; what waited for it alone becomes ready."""
        self.walk.finish(spot, outputs)

    def fail(self, spot: Spot, *, retryable: bool, now: float, kind: str = failures.USER) -> float | None:
        """The running `spot` failed: the seconds until it is tried again, or None if that was the end of it.

        The first final failure stops the run: nothing starts any more, and what rests has failed. What is tried again
        comes before what has not begun, so that one task after the other reads as in the workflow.
        """
        walk, policy = self.walk, self._policies.get(spot.task, ONCE)
        user, system = self._failures.get(spot, _NONE)
        count = _Failures(user + 1, system) if kind == failures.USER else _Failures(user, system + 1)
        if not retryable or walk.failing or not policy.budget.allows(*count):
            self._failures.pop(spot, None)
            walk.fail(spot)
            if walk.failing:
                self._rests.clear()
            return None
        self._failures[spot] = count
        rest = policy.backoff.rest(sum(count)) if policy.backoff is not None else 0.0
        if rest > 0:
            walk.rest(spot)
            self._rested += 1
            heapq.heappush(self._rests, (now + rest, self._rested, spot))
        else:
            walk.retry(spot)
        return rest

    def give_up(self, spot: Spot) -> None:
        """What can neither begin nor end, because a value that it needs cannot be made, has failed."""
        self.walk.fail(spot)
        if self.walk.failing:
            self._rests.clear()

    def wake(self, now: float) -> None:
        """Make ready every spot whose rest is over."""
        while self._rests and self._rests[0][0] <= now:
            self.walk.retry(heapq.heappop(self._rests)[2])
