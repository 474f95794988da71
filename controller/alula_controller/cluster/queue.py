"""A level-based queue of keys: what is added says only that something about the key may have changed.

One key is worked on by one worker at a time; a key that is added while it waits is worked on once, one that is added
while it is worked on is worked on once more. A failure comes back later, with a delay that doubles and is shaken, so
that a poison object slows nobody down but itself. Nothing is kept: after a restart everything is listed and added
anew.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from alula_controller import logs, metrics
from alula_controller.cluster import errors

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)

FIRST_DELAY = 0.25
LONGEST_DELAY = 120.0
SHORTEST_WAIT = 0.001  # below it, floating point makes waits that do not end


class WorkQueue(Generic[K]):
    """Keys to work on, and the workers that do.

    Args:
        name: what the queue is called in metrics and logs.
        handle: works on one key; returns seconds after which to come back, or None.
        workers: how many keys are worked on at a time.
        per_second: how many keys may be begun in a second (a burst of as many is fine).
        may_work: asked before each key; while it says no, keys wait.
        shake: a random number in [0, 1), injected by tests.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[K], Awaitable[float | None]],
        *,
        workers: int = 8,
        per_second: float = 50.0,
        may_work: Callable[[], bool] = lambda: True,
        shake: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._handle = handle
        self._workers = workers
        self._rate = per_second
        self._may_work = may_work
        self._shake = shake
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._running: set[K] = set()
        self._again: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._changed = asyncio.Event()
        self._tokens = per_second
        self._refilled = 0.0
        self.finished = 0

    def __len__(self) -> int:
        return len(self._due)

    def idle(self) -> bool:
        """Nothing is due now and nothing is worked on (what is due later does not count)."""
        now = self._now()
        return not self._running and not any(due <= now for due in self._due.values())

    def add(self, key: K, delay: float = 0.0) -> None:
        """Work on `key` after `delay` seconds, or earlier if it waits already."""
        due = self._now() + delay
        waiting = self._again if key in self._running else self._due
        if key in waiting and waiting[key] <= due:
            return
        waiting[key] = due
        if waiting is self._due:
            heapq.heappush(self._heap, (due, next(self._order), key))
            metrics.QUEUE_DEPTH.labels(queue=self.name).set(len(self._due))
            self._changed.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._refilled = self._now()
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._work(), name=f"{self.name} worker {number}")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _work(self) -> None:
        while True:
            key = await self._next()
            try:
                later = await self._attempt(key)
            finally:
                self._running.discard(key)
            self.finished += 1
            again = self._again.pop(key, None)
            if again is not None:
                self.add(key, max(0.0, again - self._now()))
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
            result, later = "error", self._backoff(key)
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
        """The key that has been due for longest, taken out of the queue."""
        while True:
            wait = self._wait()
            if wait is None:
                due, _, key = heapq.heappop(self._heap)
                if self._due.get(key) != due or key in self._running:
                    continue
                del self._due[key]
                metrics.QUEUE_DEPTH.labels(queue=self.name).set(len(self._due))
                self._running.add(key)
                self._tokens -= 1
                return key
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                pass

    def _wait(self) -> float | None:
        """None if a key may be begun now, else for how long nothing can be (new keys aside)."""
        now = self._now()
        self._tokens = min(self._rate, self._tokens + (now - self._refilled) * self._rate)
        self._refilled = now
        if not self._heap:
            return 3600.0
        if not self._may_work():
            return 0.5
        wait = max(self._heap[0][0] - now, (1 - self._tokens) / self._rate)
        return max(wait, SHORTEST_WAIT) if wait > SHORTEST_WAIT / 10 else None
