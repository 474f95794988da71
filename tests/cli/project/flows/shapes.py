"""A workflow with a branch, a map of which items fail, and a repeat."""

from __future__ import annotations

from alula import conditional, map_task, repeat, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
def invert(x: int) -> float:
    return 1 / x


@task
def praise(x: int) -> str:
    return f"{x} is much"


@task
def pity(x: int) -> str:
    return f"{x} is little"


@task
def told(failure: str = "") -> None:
    return None


@workflow
def many(xs: list[int]) -> list[float | None]:
    return map_task(invert, min_successes=1)(xs)


@workflow(on_failure=told)
def shapes(x: int, xs: list[int]) -> tuple[str, int, list[float | None], list[float]]:
    word = conditional("size").if_(x > 100).then(praise(x)).else_().then(pity(x))
    grown = repeat(double, until=lambda y: y > 50, max=8)(x)
    kept = many(xs)
    return word, grown, kept, map_task(invert)(xs)
