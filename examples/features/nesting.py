"""A workflow calls another one, twice, and orders two tasks that share no data."""

from __future__ import annotations

from alula import task, workflow


@task(cache=True)
def double(x: int) -> int:
    """Twice as much."""
    return 2 * x


@task
def add(a: int, b: int) -> int:
    """Their sum."""
    return a + b


@task
def announce(total: int) -> None:
    """Tell somebody."""


@workflow
def quadruple(x: int) -> int:
    """Four times as much, in two steps."""
    return double(double(x))


@workflow
def total(a: int = 1, b: int = 2) -> int:
    """The sum of two numbers, four times over."""
    sum_ = add(quadruple(a), quadruple(b))
    announce(sum_)
    return sum_
