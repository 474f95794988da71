"""Mapped workflows that decide by their own item: conditions on it, and maps and repeats over what lies in it.

See `cases` for the outcome that each must have.
"""

from __future__ import annotations

from dataclasses import dataclass

from alula import NonRecoverable, conditional, is_none, map_task, repeat, task, workflow

HOSTILE = "{{=1+1}} {{workflow.uid}} é '\" \\ <&> $(x)"


@dataclass
class Sample:
    """What a list may hold; every third one is too long for a line."""

    name: str
    size: int
    tags: list[int]
    note: str | None = None


@task
def samples(n: int) -> list[Sample]:
    """As many samples."""
    names = [HOSTILE, "plain", "long"]
    return [
        Sample(names[i % 3], i, list(range(i)), "x" * 500 if i % 3 == 2 else None if i % 2 else "y") for i in range(n)
    ]


@task
def named(sample: Sample, how: str) -> str:
    """What became of a sample."""
    return f"{how} {sample.size}"


@task
def double(x: int) -> int:
    """Map one item."""
    return 2 * x


@task
def less(x: int) -> int:
    """The other branch."""
    return x - 1


@task
def total(xs: list[int]) -> int:
    """Read a list that no pod collected."""
    return sum(xs)


@task
def numbers(n: int) -> list[int]:
    """A list whose length only the run knows."""
    return list(range(n))


@task
def rows(n: int) -> list[list[int]]:
    """Lists of several lengths, one of them empty."""
    return [list(range(i)) for i in range(n)]


@task
def cubes(n: int) -> list[list[list[int]]]:
    """Lists of lists of lists."""
    return [[list(range(j)) for j in range(i)] for i in range(n)]


@task
def unless(x: int) -> int:
    """An item that may fail."""
    if x == 1:
        raise NonRecoverable("failed on purpose with 1")
    return x


@workflow
def judged(sample: Sample) -> str:
    """By a number, a text, and what may be None."""
    choice = conditional("choose")
    choice = choice.if_(sample.size > 3).then(named(sample, "large"))
    choice = choice.elif_(sample.name == HOSTILE).then(named(sample, "hostile"))
    choice = choice.elif_(is_none(sample.note)).then(named(sample, "bare"))
    return choice.else_().then(named(sample, "small"))


@workflow
def sampled(n: int) -> list[str]:
    """Records that a task makes."""
    return map_task(judged)(samples(n))


@workflow
def chosen(x: int) -> int:
    """By the item itself."""
    return conditional("choose").if_(x > 2).then(double(x)).else_().then(less(x))


@workflow
def results(n: int) -> list[int]:
    """Items that a map makes, and those that a map of workflows makes of them."""
    return map_task(chosen)(map_task(chosen)(map_task(double)(numbers(n))))


@workflow
def written(n: int) -> list[int]:
    """A list in the workflow, and one of several sources."""
    return map_task(chosen)(map_task(chosen).named("first")([double(n), n, 7, less(n)]))


@workflow
def within(x: int) -> int:
    """Passes its item on, twice."""
    return conditional("outer").if_(x < 4).then(chosen(x)).else_().then(less(x))


@workflow
def passed(n: int) -> list[int]:
    """An item on which a workflow in a branch of a workflow decides."""
    return map_task(within)(numbers(n))


@workflow
def tagged(sample: Sample) -> int:
    """A map over a field of the item."""
    return total(map_task(double)(sample.tags))


@workflow
def fields(n: int) -> list[int]:
    """Maps over fields of items."""
    return map_task(tagged)(samples(n))


@workflow
def row(xs: list[int]) -> int:
    """A map over the item, with a workflow that decides by its own."""
    return total(map_task(chosen)(xs))


@workflow
def matrix(n: int) -> list[int]:
    """Maps over items."""
    return map_task(row)(rows(n))


@workflow
def packed(xs: list[int]) -> int:
    """The item in batches."""
    return total(map_task(double, batch=2)(xs))


@workflow
def packs(n: int) -> list[int]:
    """Maps in batches over items."""
    return map_task(packed)(rows(n))


@workflow
def plane(xss: list[list[int]]) -> int:
    """A map over the item, over whose items a map goes."""
    return total(map_task(row)(xss))


@workflow
def cube(n: int) -> list[int]:
    """Maps over items of items."""
    return map_task(plane)(cubes(n))


@workflow
def until(x: int) -> int:
    """Rounds that the item begins and bounds."""
    return repeat(less, until=lambda x: x <= 1, max=4)(x)


@workflow
def settling(n: int) -> list[int]:
    """Repeats in items."""
    return map_task(until)(numbers(n))


@workflow
def known(x: int | None) -> int:
    """What an item that failed left."""
    return conditional("there").if_(is_none(x)).then(less(0)).else_().then(double(3))


@workflow
def spared(n: int) -> list[int]:
    """Items that failed."""
    return map_task(known)(map_task(unless, min_successes=1)(numbers(n)))


@workflow
def inputs(xss: list[list[int]]) -> list[int]:
    """Items of an input of the run."""
    return map_task(row)(xss)


@workflow
def asked(n: int) -> list[int]:
    """Items of an input, by a workflow that gives them."""
    return inputs(rows(n))
