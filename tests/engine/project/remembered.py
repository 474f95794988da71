"""Cached tasks in and behind conditionals: what the cache answers runs in no pod."""

from __future__ import annotations

from alula import NonRecoverable, conditional, map_task, order, repeat, task, workflow


@task(cache=True)
def measure(n: int) -> int:
    """A value that decides."""
    return n * 10


@task(cache=True)
def grow(n: int) -> int:
    """Cached."""
    return n + 1


@task
def fresh(n: int) -> int:
    """Not cached."""
    return n + 2


@task(cache=True)
def picky(n: int) -> int:
    """Cached, where it does not fail."""
    if n == 0:
        raise NonRecoverable("failed on purpose with 0")
    return n


@task(cache=True)
def total(xs: list[int]) -> int:
    """Read a list that no pod collected."""
    return sum(xs)


@workflow
def items(n: int) -> int:
    """Items of which some are cached by runs with another n."""
    return total(map_task(grow, concurrency=2)(map_task(grow)([1, 2, n])))


@workflow
def unfinished(n: int) -> int:
    """One item fails, and is alone to be repeated."""
    return total(map_task(picky)([1, 2, n]))


@task
def there(first: list[int | None], second: list[int | None]) -> int:
    """Read lists of which some need not be there."""
    return sum(x for x in (*first, *second) if x is not None)


@workflow
def batches(n: int) -> int:
    """Batches whose items may fail, of which the second map finds what the first one made."""
    first = map_task(grow, batch=2, min_successes=1)([1, 2, n])
    second = map_task(grow, batch=2, min_successes=1).named("again")([1, 2, n])
    order(first, second)
    return there(first, second)


@task(cache=True)
def step(n: int) -> int:
    """A round."""
    return n + 1


@workflow
def rounds(n: int) -> int:
    """All rounds that run are cached, and what is behind them."""
    return step.named("behind")(repeat(step, until=lambda n: n >= 14, max=6)(n))


@workflow
def further(n: int) -> int:
    """The same rounds as those of `rounds`, and then two more."""
    return fresh(repeat(step, until=lambda n: n >= 17, max=9)(n))


@task(cache=True)
def text(n: int) -> str:
    """Too long for an item of a list, and short enough for a cache entry."""
    return str(n) * 300


@task(cache=True)
def length(texts: list[str]) -> int:
    """Read all of them."""
    return len("".join(texts))


@workflow
def texts(n: int) -> int:
    """Items whose results lie in the store."""
    return length(map_task(text)([1, 2, n]))


@workflow
def many(xs: list[int]) -> list[int]:
    """As many items as are given."""
    return map_task(grow)(xs)


@workflow
def whole(n: int) -> int:
    """All of it is cached."""
    found = measure(n)
    chosen = conditional("pick").if_((found > 30) & (n > 1)).then(grow(grow(found))).else_().then(found)
    return grow.named("behind")(chosen)


@workflow
def partly(n: int) -> int:
    """The branch that is taken ends in a task that is not cached."""
    found = measure(n)
    chosen = conditional("pick").if_(found > 30).then(fresh(grow(found))).else_().then(found)
    return grow.named("behind")(chosen)


@task(cache=True)
def listed(n: int) -> list[int]:
    """A list of which parts are asked for."""
    return list(range(n))


@workflow
def deciding(x: int) -> int:
    """Cached, whichever branch is taken."""
    return conditional("own").if_(x > 1).then(grow(x)).else_().then(step(x))


@workflow
def decided(n: int) -> int:
    """Each item decides for itself."""
    return total(map_task(deciding)(map_task(deciding)(listed(n))))


@task(cache=True)
def spread(rows: list[list[int]]) -> int:
    """Read a list of lists that no pod collected."""
    return sum(map(sum, rows))


@workflow
def row(n: int) -> list[int]:
    """The list of a map."""
    return map_task(grow)(listed(n))


@workflow
def rows(n: int) -> int:
    """Lists of maps in a mapped workflow."""
    return spread(map_task(row)(listed(n)))
