"""When each key is to be looked at, by the wall clock: a heap, so that what is far away costs nothing.

The loop that drives it asks once a second, so a clock that steps is followed at once.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Agenda(Generic[K]):
    """Keys, each with the moment at which it is due."""

    def __init__(self) -> None:
        self._when: dict[K, datetime] = {}
        self._heap: list[tuple[datetime, int, K]] = []  # entries that `_when` disagrees with are void
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._when)

    def __contains__(self, key: K) -> bool:
        return key in self._when

    def put(self, key: K, moment: datetime | None) -> None:
        """Have `key` looked at at `moment`, and not before; never, if None."""
        if moment is None:
            self._when.pop(key, None)
            return
        if self._when.get(key) == moment:
            return
        self._when[key] = moment
        heapq.heappush(self._heap, (moment, next(self._order), key))
        if len(self._heap) > 2 * len(self._when) + 64:  # mostly void entries
            self._heap = [(when, next(self._order), each) for each, when in self._when.items()]
            heapq.heapify(self._heap)

    def due(self, now: datetime) -> Iterator[K]:
        """The keys whose moment has come, taken out."""
        while self._heap and self._heap[0][0] <= now:
            moment, _, key = heapq.heappop(self._heap)
            if self._when.get(key) == moment:
                del self._when[key]
                yield key

    def first(self) -> datetime | None:
        """The earliest moment; None without any."""
        while self._heap and self._when.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        """Forget all keys."""
        self._when.clear()
        self._heap.clear()
