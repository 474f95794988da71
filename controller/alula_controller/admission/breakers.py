"""Whether a domain's store is asked at all: one that gave no answer is left alone for a while, and runs go in unfilled.

Used by `cache_lookup`, one breaker for each domain. Pure but for its clock.
"""

from __future__ import annotations

from collections.abc import Callable

REST_SECONDS = 30.0


class Breaker:
    """Lets questions through until one is not answered; then one question in `REST_SECONDS` until one is.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._silent = False
        self._until = 0.0

    def lets_through(self) -> bool:
        """Whether to ask now. While the store is silent, who is let through is the only one that asks for a while."""
        if not self._silent:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + REST_SECONDS
        return True

    def answered(self) -> None:
        """The store gave an answer, whatever it was."""
        self._silent = False

    def gave_no_answer(self) -> bool:
        """The store is silent; whether that is news."""
        news = not self._silent
        self._silent = True
        self._until = self._clock() + REST_SECONDS
        return news
