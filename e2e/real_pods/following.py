"""A map of twenty items with a branch on what they give, for real pods."""

from alula import conditional, map_task, task, workflow


@task(cache=True)
def numbers(count: int) -> list[int]:
    """As many numbers as are asked for."""
    return list(range(count))


@task(cache=True)
def square(x: int) -> int:
    """One number's square."""
    return x * x


@task(cache=True)
def total(xs: list[int]) -> int:
    """Their sum."""
    return sum(xs)


@task
def large(n: int) -> str:
    """Runs for a large sum."""
    return f"{n} is large"


@task
def small(n: int) -> str:
    """Runs for a small one."""
    return f"{n} is small"


@workflow
def follow(count: int = 20) -> str:
    """Sum the squares and say what the sum is."""
    found = total(map_task(square, concurrency=5)(numbers(count)))
    return conditional("size").if_(found > 1000).then(large(found)).else_().then(small(found))
