"""What messages say about an annotation that alula cannot carry; `alula.interfaces.signatures` shows it."""

from __future__ import annotations

from typing import Any


class Unsupported(Exception):
    """An annotation that has no place in the contract.

    Attributes:
        annotation: The part that is not supported.
        reason: Why, in words.
        nearest: The supported type that comes nearest; may be empty.
    """

    def __init__(self, annotation: Any, reason: str, nearest: str = "") -> None:
        super().__init__(reason)
        self.annotation = annotation
        self.reason = reason
        self.nearest = nearest
