"""A tuple is several outputs; a NamedTuple names them."""

from __future__ import annotations

from typing import NamedTuple

from alula import task, workflow


class Summary(NamedTuple):
    """Of some numbers."""

    least: int
    most: int


@task(cache=True)
def summarise(numbers: tuple[int, ...]) -> Summary:
    """Find both ends."""
    return Summary(min(numbers), max(numbers))


@task(cache=True)
def divide(a: int, b: int) -> tuple[int, int]:
    """Quotient and remainder."""
    return a // b, a % b


@workflow
def spread(numbers: tuple[int, ...] = (3, 9, 4)) -> tuple[int, int]:
    """How often the least number fits into the greatest, and what is left."""
    ends = summarise(numbers)
    quotient, remainder = divide(ends.most, ends.least)
    return quotient, remainder
