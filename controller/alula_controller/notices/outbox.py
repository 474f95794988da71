"""The notices that wait to be sent, place by place, and how each place is doing. In memory only: what is owed stands in
the cluster, and what does not fit here waits there.

One place is sent one notice at a time, at a bounded rate; after a failure it is left alone for a while that doubles.
No place waits for another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from alula_controller.cluster.queue import QueueKey

BURST = 10.0
"""Notices that a place is sent at once; after them one a second."""
PER_SECOND = 1.0
MAX_WAITING = 500
"""Notices of a place that are remembered; the others are found again in the cluster when it has room."""
MANY_PLACES = 4096
"""Places beyond which those are forgotten that nothing is owed to."""
FIRST_DELAY, LONGEST_DELAY = 1.0, 600.0
KIND = "NoticePlace"


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice to send.

    Attributes:
        when: What happened: a `notices.When`.
        place: Who is told.
        plan: The launch plan.
        workflow: The Workflow, as far as is known.
        about: The uid of the run, or the scheduled time.
        run: The run; empty for scheduled times that have none.
        created: When the run was.
        reason: Why there is no run.
    """

    when: str
    place: str
    plan: str
    workflow: str
    about: str
    run: str = ""
    created: str = ""
    reason: str = ""

    @property
    def notice(self) -> str:
        """As it stands in the run's mark."""
        return f"{self.when}/{self.place}"


@dataclass
class _Place:
    waiting: dict[Owed, int] = field(default_factory=dict)  # in their order, with the attempts at each
    sent: set[Owed] = field(default_factory=set)  # that were taken and are not marked so yet
    tokens: float = BURST
    at: float = 0.0
    failures: int = 0
    rests: float = 0.0  # until when it is left alone
    trouble: str = ""


class Outbox:
    """All places that something is owed to.

    Args:
        wake: called with a place that has got something to be sent.
        clock: monotonic seconds.
        shake: a random number in [0, 1), injected by tests.
    """

    def __init__(
        self,
        wake: Callable[[QueueKey], None],
        clock: Callable[[], float],
        shake: Callable[[], float] = random.random,
    ) -> None:
        self._wake = wake
        self._clock = clock
        self._shake = shake
        self._places: dict[QueueKey, _Place] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._places.clear()

    def add(self, namespace: str, owed: Owed) -> bool:
        """Remember a notice, once; whether there was room for it."""
        key = QueueKey(namespace, owed.place, KIND)
        if len(self._places) >= MANY_PLACES:
            self._forget_idle()
        place = self._places.setdefault(key, _Place(at=self._clock()))
        if owed not in place.waiting:
            if len(place.waiting) >= MAX_WAITING:
                return False
            place.waiting[owed] = 0
        self._wake(key)
        return True

    def _forget_idle(self) -> None:
        """Places that nothing is owed to: their names come from what people write."""
        self._places = {key: place for key, place in self._places.items() if place.waiting}

    def first(self, key: QueueKey) -> Owed | None:
        """The notice whose turn it is; None for none."""
        place = self._places.get(key)
        return next(iter(place.waiting), None) if place is not None else None

    def wait(self, key: QueueKey) -> float:
        """Seconds for which nothing may be sent there; 0 for none."""
        place = self._places[key]
        now = self._clock()
        place.tokens = min(BURST, place.tokens + (now - place.at) * PER_SECOND)
        place.at = now
        return max(0.0, place.rests - now, (1.0 - place.tokens) / PER_SECOND)

    def began(self, key: QueueKey) -> None:
        """Something is being sent there."""
        self._places[key].tokens -= 1.0

    def took(self, key: QueueKey, owed: Owed) -> None:
        """The place has taken a notice; it is still to be marked so."""
        place = self._places[key]
        place.sent.add(owed)
        place.failures, place.rests = 0, 0.0

    def was_taken(self, key: QueueKey, owed: Owed) -> bool:
        """Whether only the mark is missing."""
        return owed in self._places[key].sent

    def failed(self, key: QueueKey, owed: Owed, after: float = 0.0) -> int:
        """The place has not taken a notice: others come first, and none for a while. How often it was tried."""
        place = self._places[key]
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(place.failures, 16)) * (0.5 + self._shake())
        place.failures += 1
        place.rests = self._clock() + max(delay, after)
        place.waiting[owed] = place.waiting.get(owed, 0) + 1
        self.later(key, owed)
        return place.waiting[owed]

    def later(self, key: QueueKey, owed: Owed) -> None:
        """Let the others come first."""
        place = self._places[key]
        if owed in place.waiting:
            place.waiting[owed] = place.waiting.pop(owed)

    def done(self, key: QueueKey, owed: Owed) -> None:
        """Nothing is left to do about a notice."""
        place = self._places[key]
        place.waiting.pop(owed, None)
        place.sent.discard(owed)
        if not place.waiting and not place.trouble and place.tokens >= BURST - 1:
            del self._places[key]

    def trouble(self, key: QueueKey, said: str) -> bool:
        """Remember what is wrong with a place, empty for nothing; whether it is news."""
        place = self._places.get(key)
        if place is None or place.trouble == said:
            return False
        place.trouble = said
        return True

    def troubles(self, namespace: str) -> Iterator[tuple[str, str]]:
        """What is wrong with the places of a namespace."""
        for key, place in sorted(self._places.items(), key=lambda each: each[0].name):
            if key.namespace == namespace and place.trouble:
                yield key.name, place.trouble

    def __len__(self) -> int:
        return sum(len(place.waiting) for place in self._places.values())
