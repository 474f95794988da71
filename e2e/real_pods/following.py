"""Graphs that follow their data, for real pods: a map of twenty items with a branch on what they give, and a core of
the other constructs in one run.
"""

from alula import NonRecoverable, conditional, map_task, repeat, task, workflow


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


@task(retries=1)
def step(n: int) -> int:
    """One more."""
    return n + 1


@task
def picky(x: int, refused: int) -> int:
    """Fails for one number."""
    if x == refused:
        raise NonRecoverable(f"{{{{=1+1}}}} does not take {x}")
    return x


@task
def known(xs: list[int | None]) -> str:
    """In words."""
    return " ".join("-" if x is None else str(x) for x in xs)


@workflow
def climb(n: int, top: int) -> int:
    """Rounds of a repeat, of which not all are needed."""
    return repeat(step, until=lambda n: n >= top, max=5)(n)


@workflow
def core(n: int = 1) -> tuple[str, int]:
    """A repeat in a sub-workflow, items that may fail, a branch that is taken and one that is not."""
    reached = climb(n, top=3)
    kept = map_task(picky, min_successes=2)([0, 1, 2], refused=1)
    some = conditional("some").if_(reached >= 3).then(known(kept)).else_().then("none")
    beyond = conditional("beyond").if_(reached > 9).then(step(reached))
    _ = beyond >> step.named("after")(reached)
    return some, reached
