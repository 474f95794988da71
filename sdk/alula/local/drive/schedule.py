"""Which step of a run may start, be tried again, or never start: bookkeeping without threads, clock or I/O.

`dispatch` is the only caller and passes the time in. Every operation costs O(1) amortised plus the edges it
crosses, so a run costs O(steps + edges); nothing here recurses.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from alula_api.contract import failures, retries


class State(Enum):
    """Where a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    RESTING = "resting"  # between two attempts
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which wait, a failed step is tried again; at once without a backoff."""

    budget: retries.Budget
    backoff: retries.Backoff | None = None


ONCE = RetryPolicy(retries.Budget(0, 0))


class Schedule:
    """The states of all steps.

    A *virtual* step does nothing: it succeeds by itself as soon as its dependencies have.
    """

    def __init__(
        self, dependencies: Sequence[Sequence[int]], policies: Sequence[RetryPolicy], virtual: Sequence[bool]
    ) -> None:
        self.states = [State.WAITING] * len(dependencies)
        self.attempts = [0] * len(dependencies)
        self.running = 0
        self.failing = False
        self._failures = [0] * len(dependencies)
        """Of the user's code; the other attempts that failed were lost to the system."""
        self._policies = policies
        self._virtual = virtual
        self._open = [len(set(names)) for names in dependencies]
        self._dependents: list[list[int]] = [[] for _ in dependencies]
        for step, names in enumerate(dependencies):
            for name in set(names):
                self._dependents[name].append(step)
        self._ready: deque[int] = deque()
        self._rests: list[tuple[float, int]] = []
        # From a copy of the counts: completing a virtual step opens others, which it releases itself.
        for step, count in enumerate([*self._open]):
            if count == 0:
                self._release(step)

    @property
    def ready(self) -> int:
        """How many steps `take` could hand out now."""
        return 0 if self.failing else len(self._ready)

    @property
    def over(self) -> bool:
        """Nothing runs and nothing will."""
        return self.running == 0 and (self.failing or (not self._ready and not self._rests))

    @property
    def next_wake(self) -> float | None:
        """When the next resting step may be tried again."""
        return self._rests[0][0] if self._rests and not self.failing else None

    def take(self) -> int | None:
        """The next step to start, now counted as running; None when none may start."""
        if self.failing or not self._ready:
            return None
        step = self._ready.popleft()
        self.states[step] = State.RUNNING
        self.attempts[step] += 1
        self.running += 1
        return step

    def succeed(self, step: int) -> None:
        """The running `step` is done; what waited for it alone becomes ready."""
        self._stop(step)
        self._complete(step)

    def fail(self, step: int, *, retryable: bool, now: float, kind: str = failures.USER) -> float | None:
        """The running `step` failed: the seconds until it is tried again, or None if that was the end of it.

        The first final failure stops the run: nothing starts any more, and steps that rest have failed. What is tried
        again comes before what has not begun, so that one task after the other reads as in the workflow.
        """
        self._stop(step)
        policy = self._policies[step]
        self._failures[step] += kind == failures.USER
        user = self._failures[step]
        if retryable and policy.budget.allows(user, self.attempts[step] - user) and not self.failing:
            rest = policy.backoff.rest(self.attempts[step]) if policy.backoff is not None else 0.0
            if rest > 0:
                self.states[step] = State.RESTING
                heapq.heappush(self._rests, (now + rest, step))
            else:
                self.states[step] = State.WAITING
                self._ready.appendleft(step)
            return rest
        self.states[step] = State.FAILED
        self.failing = True
        for _, resting in self._rests:
            self.states[resting] = State.FAILED
        self._rests.clear()
        return None

    def wake(self, now: float) -> None:
        """Make ready every step whose rest is over."""
        while self._rests and self._rests[0][0] <= now:
            _, step = heapq.heappop(self._rests)
            self.states[step] = State.WAITING
            self._ready.appendleft(step)

    def _stop(self, step: int) -> None:
        if self.states[step] is not State.RUNNING:
            raise AssertionError(f"step {step} is {self.states[step].value}, not running")
        self.running -= 1

    def _release(self, step: int) -> None:
        if self._virtual[step]:
            self._complete(step)
        else:
            self._ready.append(step)

    def _complete(self, step: int) -> None:
        completed = [step]
        while completed:
            step = completed.pop()
            self.states[step] = State.DONE
            for dependent in self._dependents[step]:
                self._open[dependent] -= 1
                if self._open[dependent] == 0:
                    if self._virtual[dependent]:
                        completed.append(dependent)
                    else:
                        self._ready.append(dependent)
