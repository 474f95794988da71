"""A level-based queue of keys: what is added says only that something about the key may have changed.

One key is worked on by one worker at a time; a key that is added while it waits is worked on once, one that is added
while it is worked on is worked on once more. Lanes (namespaces) take turns. Keys that were added `behind` come after
all others, but for one in eight, so that they are worked on in the end. A failure comes back later, with a delay that
doubles and is shaken, so that a poison object slows down only itself.

Nothing is kept while we may not work, and nothing across a restart: `process` lists and adds everything that may need
work when it begins to act.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from alula_controller import logs, metrics
from alula_controller.cluster import errors
from alula_controller.cluster.turns import Turns

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)

FIRST_DELAY = 0.25
LONGEST_DELAY = 120.0
SHORTEST_WAIT = 0.001  # below it, floating point makes waits that do not end
ONE_BEHIND_IN = 8


@dataclass(frozen=True, slots=True)
class QueueKey:
    """What is to be looked at.

    Attributes:
        namespace: Of the object.
        name: Of the object.
        kind: What is looked at: the object's kind, or what of it. Metrics and logs name it.
    """

    namespace: str
    name: str
    kind: str

    @property
    def lane(self) -> str:
        """What is done one after another."""
        return self.namespace

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(slots=True)
class _Wait:
    """A key that waits: until when, and whether behind all others."""

    due: float
    behind: bool


class WorkQueue(Generic[K]):
    """Keys to work on, and the workers that do.

    Args:
        name: what the queue is called in metrics and logs.
        handle: works on one key; returns seconds after which to come back, or None.
        lane: lanes take turns; one lane unless given.
        workers: how many keys are worked on at a time.
        per_lane: how many of one lane; all workers unless given.
        per_second: how many keys may be begun in a second (a burst of as many is fine).
        may_work: while it says no, nothing is begun and nothing that is added is kept.
        shake: a random number in [0, 1), injected by tests.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[K], Awaitable[float | None]],
        *,
        lane: Callable[[K], Hashable] = lambda key: None,
        workers: int = 8,
        per_lane: int | None = None,
        per_second: float = 50.0,
        may_work: Callable[[], bool] = lambda: True,
        shake: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._handle = handle
        self._lane = lane
        self._workers = workers
        self._per_lane = per_lane or workers
        self._rate = per_second
        self._may_work = may_work
        self._shake = shake
        self._waiting: dict[K, _Wait] = {}
        self._later: list[tuple[float, int, K]] = []  # a heap; entries that `_waiting` disagrees with are void
        self._ready: Turns[K] = Turns()
        self._ready_behind: Turns[K] = Turns()
        self._order = itertools.count()
        self._taken = 0
        self._running: set[K] = set()
        self._busy: dict[Hashable, int] = {}  # keys worked on, by lane
        self._full: set[Hashable] = set()  # lanes with as many as may be
        self._again: dict[K, _Wait] = {}
        self._failures: dict[K, int] = {}
        self._changed = asyncio.Event()
        self._tokens = per_second
        self._refilled = 0.0
        self.finished = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: K) -> bool:
        return key in self._waiting or key in self._running

    def idle(self) -> bool:
        """Nothing is due now and nothing is worked on (what is due later does not count)."""
        now = self._now()
        return not self._running and not any(wait.due <= now for wait in self._waiting.values())

    def add(self, key: K, delay: float = 0.0, *, behind: bool = False) -> None:
        """Work on `key` after `delay` seconds, or earlier if it waits already."""
        if not self._may_work():
            return
        wait = _Wait(self._now() + delay, behind)
        if key in self._running:
            again = self._again.setdefault(key, wait)
            self._again[key] = _Wait(min(again.due, wait.due), again.behind and behind)
            return
        present = self._waiting.get(key)
        if present is not None:
            if present.due <= wait.due and (behind or not present.behind):
                return
            self._ready_behind.discard(key, self._lane(key))
            wait = _Wait(min(present.due, wait.due), present.behind and behind)
        self._waiting[key] = wait
        self._push(key, wait)
        self._tell()

    def discard(self, key: K) -> None:
        """Forget `key`: there is nothing to do about it. One that is worked on is not interrupted."""
        self._again.pop(key, None)
        self._failures.pop(key, None)
        if self._waiting.pop(key, None) is not None:
            for ready in (self._ready, self._ready_behind):
                ready.discard(key, self._lane(key))
            self._tell()

    def clear(self) -> None:
        """Forget all keys."""
        for forgotten in (self._waiting, self._later, self._again, self._failures):
            forgotten.clear()
        self._ready, self._ready_behind = Turns(), Turns()
        self._tell()

    async def run(self) -> None:
        """Work until cancelled."""
        self._refilled = self._now()
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._work(), name=f"{self.name} worker {number}")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _tell(self) -> None:
        metrics.QUEUE_DEPTH.labels(queue=self.name).set(len(self._waiting))
        self._changed.set()

    def _push(self, key: K, wait: _Wait) -> None:
        heapq.heappush(self._later, (wait.due, next(self._order), key))
        if len(self._later) > 2 * len(self._waiting) + 64:  # mostly void entries
            self._later = [(each.due, next(self._order), key) for key, each in self._waiting.items()]
            heapq.heapify(self._later)

    async def _work(self) -> None:
        while True:
            key = await self._next()
            try:
                later = await self._attempt(key)
            finally:
                self._leave(key)
            self.finished += 1
            again = self._again.pop(key, None)
            if again is not None:
                self.add(key, max(0.0, again.due - self._now()), behind=again.behind)
            if later is not None:
                self.add(key, later)

    async def _attempt(self, key: K) -> float | None:
        """Handle `key`; the delay after which to come back."""
        began = self._now()
        kind = str(getattr(key, "kind", self.name))
        try:
            later = await self._handle(key)
        except errors.Conflict as error:
            log.info("read again: %s", error, extra=logs.about(key=str(key)))
            result, later = "conflict", self._backoff(key)
        except errors.ClusterError as error:
            log.warning("will try again: %s", error, extra=logs.about(key=str(key)))
            result, later = "error", max(self._backoff(key), error.retry_after)
        except Exception:
            log.exception("a defect of ours; will try again", extra=logs.about(key=str(key)))
            result, later = "error", self._backoff(key)
        else:
            result = "ok"
            self._failures.pop(key, None)
        metrics.RECONCILES.labels(kind=kind, result=result).inc()
        metrics.RECONCILE_SECONDS.labels(kind=kind).observe(self._now() - began)
        return later

    def _backoff(self, key: K) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - 1, 16))
        return delay * (0.5 + self._shake())

    async def _next(self) -> K:
        """The key whose turn it is, taken out of the queue."""
        while True:
            wait = self._wait()
            if wait is None:
                return self._take()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                pass

    def _take(self) -> K:
        self._taken += 1
        front, behind = self._ready.any(self._full), self._ready_behind.any(self._full)
        last = behind and (not front or self._taken % ONE_BEHIND_IN == 0)
        key = (self._ready_behind if last else self._ready).take(self._full)
        del self._waiting[key]
        self._running.add(key)
        lane = self._lane(key)
        self._busy[lane] = self._busy.get(lane, 0) + 1
        if self._busy[lane] >= self._per_lane:
            self._full.add(lane)
        self._tokens -= 1
        metrics.QUEUE_DEPTH.labels(queue=self.name).set(len(self._waiting))
        return key

    def _leave(self, key: K) -> None:
        self._running.discard(key)
        lane = self._lane(key)
        self._busy[lane] -= 1
        self._full.discard(lane)
        if not self._busy[lane]:
            del self._busy[lane]

    def _wait(self) -> float | None:
        """None if a key may be begun now, else for how long nothing can be (new keys aside)."""
        now = self._now()
        self._tokens = min(self._rate, self._tokens + (now - self._refilled) * self._rate)
        self._refilled = now
        if not self._may_work():
            return 0.5 if self._waiting else 3600.0
        while self._later and self._later[0][0] <= now + SHORTEST_WAIT / 10:
            due, _, key = heapq.heappop(self._later)
            wait = self._waiting.get(key)
            if wait is not None and wait.due == due:
                (self._ready_behind if wait.behind else self._ready).put(key, self._lane(key))
        if self._ready.any(self._full) or self._ready_behind.any(self._full):
            patience = (1 - self._tokens) / self._rate
        elif self._later:
            patience = self._later[0][0] - now
        else:
            return 3600.0
        return max(patience, SHORTEST_WAIT) if patience > SHORTEST_WAIT / 10 else None
