"""Why a notice was not taken, in words without anything secret: neither an address nor an answer is repeated whole."""

from __future__ import annotations


class NotTaken(Exception):
    """The notice was not taken.

    Attributes:
        reason: What to tell people.
        for_good: Whether the same notice can hardly be taken later: the service said so, or it cannot be made.
        after: Seconds that the service asks to be left alone for.
    """

    def __init__(self, reason: str, *, for_good: bool = False, after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.for_good = for_good
        self.after = after
