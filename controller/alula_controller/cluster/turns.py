"""Keys that are due, and whose turn it is: lanes take turns, and within a lane the oldest key comes first.

Used by `queue` with a lane for each namespace, so that a crowd of one domain's keys delays another domain's by one key
at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Turns(Generic[K]):
    """A set of keys in lanes."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[Hashable, OrderedDict[K, None]] = OrderedDict()

    def any(self, full: Container[Hashable] = ()) -> bool:
        """Whether a key may be taken from a lane that is not `full`."""
        return any(lane not in full for lane in self._lanes)

    def put(self, key: K, lane: Hashable) -> None:
        """Add `key` at the end of its lane; one that is there keeps its place."""
        self._lanes.setdefault(lane, OrderedDict()).setdefault(key)

    def take(self, full: Container[Hashable] = ()) -> K:
        """Take out the oldest key of the lane whose turn it is, passing over full ones. Then others have their turn."""
        lane = next(each for each in self._lanes if each not in full)
        keys = self._lanes[lane]
        key, _ = keys.popitem(last=False)
        if keys:
            self._lanes.move_to_end(lane)
        else:
            del self._lanes[lane]
        return key

    def discard(self, key: K, lane: Hashable) -> None:
        """Take `key` out, if it is there."""
        keys = self._lanes.get(lane)
        if keys is not None:
            keys.pop(key, None)
            if not keys:
                del self._lanes[lane]
