"""Trying again what a store could not answer: bounded, with growing pauses and jitter.

Used by the stores, and by `content` where a whole transfer starts over. Only `Unavailable` is tried again: it is the
one error that says that the same request may succeed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from alula_data import errors

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how patiently.

    Attributes:
        attempts: requests in all, at least one.
        first: seconds of the first pause; each next one is twice as long.
        longest: seconds that no pause exceeds.
        seconds: after which one request of small objects is given up; 0 leaves it to the store, which has large ones in
            mind.
    """

    attempts: int = 6
    first: float = 0.2
    longest: float = 5.0
    seconds: float = 0.0

    def pause(self, attempt: int, chance: float) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 1): between half and all of what is due."""
        due = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        return due * (0.5 + chance / 2)


DEFAULT = Policy()


def call(policy: Policy, function: Callable[[int], Result], sleep: Callable[[float], None] | None = None) -> Result:
    """Returns `function(attempt)`, called again while it raises Unavailable and attempts are left.

    Args:
        policy: how often and how patiently.
        function: gets the attempt's number, from 1.
        sleep: stands in for `time.sleep` in tests.
    """
    attempt = 1
    while True:
        try:
            return function(attempt)
        except errors.Unavailable:
            if attempt >= policy.attempts:
                raise
        (sleep or time.sleep)(policy.pause(attempt, _chance()))
        attempt += 1


def _chance() -> float:
    """A number from 0 to 1; `random` takes longer to load than a pod takes to look up its cache."""
    return int.from_bytes(os.urandom(4), "big") / 0xFFFFFFFF
