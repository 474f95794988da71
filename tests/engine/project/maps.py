"""Maps: lists of every origin and length. See `cases` for the outcome that each must have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from alula import NonRecoverable, conditional, map_task, task, workflow


@dataclass
class Row:
    """What a list may hold beside scalars."""

    name: str
    number: int


@task
def numbers(n: int) -> list[int]:
    """A list whose length only the run knows."""
    return list(range(n))


@task
def texts(n: int) -> list[str]:
    """Texts that an engine could take for something to evaluate, short and long."""
    hostile = ["{{=1+1}}", "{{workflow.uid}}", "é '\" \\ <&>", "null", "[1, 2]", "=x", "@x", ""]
    return [hostile[i % len(hostile)] * (1 if i < 8 else 40) for i in range(n)]


@task
def rows(n: int) -> list[Row]:
    """Records, of which some do not fit into a line."""
    return [Row("x" * (i * 100), 2**60 + i) for i in range(n)]


@task
def double(x: int, plus: int = 0) -> int:
    """Map one item."""
    return 2 * x + plus


@task
def weigh(x: int, text: str) -> str:
    """Map items of two lists."""
    return f"{x} {text}"


@task
def both(x: int) -> tuple[int, str]:
    """Several outputs."""
    return x, f"n{x}"


@task
def same(text: str) -> str:
    """Give the item back."""
    return text


@task
def passed(row: Row) -> Row:
    """Give a record back, with a number that no double holds."""
    return Row(row.name, row.number + 1)


@task
def seven(x: int) -> int:
    """Fail for one item."""
    if x == 3:
        raise NonRecoverable(f"failed on purpose with {x}")
    return x


@task
def total(xs: list[int]) -> int:
    """Read a list that no pod collected."""
    return sum(xs)


@task
def join(parts: list[str]) -> str:
    """Read texts."""
    return "|".join(parts)


@task
def count(rows: list[Row]) -> int:
    """Read records."""
    return sum(row.number - 2**60 for row in rows) * 1000 + sum(len(row.name) for row in rows)


@workflow
def doubled(n: int) -> tuple[int, list[int]]:
    """Over a task's list, with a constant and with a default."""
    xs = numbers(n)
    return total(map_task(double)(xs, plus=n)), map_task(double)(x=xs)


@workflow
def given(n: int) -> list[int]:
    """Over a list that stands in the workflow, with an input bound to all items."""
    return map_task(partial(double, plus=n))([1, 2, 3])


@workflow
def inputs(n: int, xs: list[int] = [5, 6, 7]) -> list[int]:
    """Over an input of the workflow."""
    return map_task(double)(xs, plus=n)


@workflow
def single(n: int) -> list[int]:
    """Over a list of single results."""
    return map_task(double)([double(n), double(n, 1), n])


@workflow
def twice(n: int) -> list[int]:
    """Over the results of a map."""
    return map_task(double)(map_task(double)(numbers(n)), plus=1)


@task
def equal(left: list[str], right: list[str]) -> list[bool]:
    """Compare byte for byte."""
    return [a == b for a, b in zip(left, right, strict=True)]


@workflow
def hostile(n: int) -> list[bool]:
    """Texts arrive byte for byte, from here and from the store."""
    found = texts(n)
    return equal(found, map_task(same)(found))


@workflow
def records(n: int) -> int:
    """Items that lie in the store, in and out."""
    return count(map_task(passed)(rows(n)))


@workflow
def paired(n: int) -> list[str]:
    """Two lists, which are of one length only for some n."""
    return map_task(weigh)(numbers(n), texts(3))


@workflow
def pairs(n: int) -> tuple[int, str]:
    """Several outputs become pairs lists."""
    xs, names = map_task(both)(numbers(n))
    return total(xs), join(names)


@workflow
def fails(n: int) -> int:
    """One item fails."""
    return total(map_task(seven)(numbers(n)))


@workflow
def limited(n: int) -> int:
    """Two items at a time, of which one may fail."""
    return total(map_task(seven, concurrency=2)(numbers(n)))


@task
def known(xs: list[int | None]) -> str:
    """Say which results there are."""
    return " ".join("-" if x is None else str(x) for x in xs)


@workflow
def enough(n: int) -> tuple[str, list[int | None]]:
    """One item may fail, by a share."""
    found = map_task(seven, min_success_ratio=0.75)(numbers(n))
    return known(found), found


@workflow
def share(n: int) -> str:
    """One item may fail of five, by a share, and none of four."""
    return known(map_task(seven, min_success_ratio=0.8)(numbers(n)))


@workflow
def tolerant(n: int) -> str:
    """Sub-workflows of which four must succeed, two at a time."""
    return known(map_task(risky, min_successes=4, concurrency=2)(numbers(n)))


@workflow
def strict(x: int) -> str:
    """A map of which two items must succeed, of fewer of them."""
    return known(map_task(seven, min_successes=2)(numbers(x)))


@task
def told(parts: list[str | None]) -> str:
    """Say which texts there are."""
    return "|".join(part or "-" for part in parts)


@workflow
def lenient(n: int) -> str:
    """Items that fail because their own maps do, and may."""
    return told(map_task(strict, min_success_ratio=0.25)(numbers(n)))


@workflow
def branched(n: int) -> int:
    """A map that need not run."""
    xs = numbers(n)
    return conditional("choose").if_(n > 2).then(total(map_task(double)(xs))).else_().then(0)


@workflow
def below(xs: list[int]) -> list[int]:
    """A map in a sub-workflow, over its input."""
    return map_task(double)(xs)


@workflow
def station(x: int, n: int) -> tuple[int, str]:
    """Several tasks for an item, one of them a condition on what another one makes."""
    doubled = double(x, plus=n)
    chosen = conditional("high").if_(doubled > 3).then(double(doubled)).else_().then(doubled)
    return chosen, weigh(x, "item")


@workflow
def graphs(n: int) -> tuple[int, list[str]]:
    """A sub-workflow for each item, with an input bound to all."""
    made, told = map_task(station, concurrency=2)(numbers(n), n=1)
    return total(made), told


@workflow
def spread(x: int) -> int:
    """A map inside an item of a map, in a branch."""
    inner = numbers(x)
    return conditional("some").if_(total(inner) > 0).then(total(map_task(double)(inner))).else_().then(0)


@workflow
def layered(n: int) -> list[int]:
    """A map in a branch in a map."""
    return map_task(spread)(numbers(n))


@workflow
def chained(n: int) -> int:
    """A sub-workflow with an item of a map of sub-workflows, of which one may fail."""
    return total(map_task(risky)(map_task(spread)(numbers(n))))


@workflow
def risky(x: int) -> int:
    """Two tasks in a row, of which the first may fail."""
    return double(seven(double(x, plus=3)))


@workflow
def nested(n: int) -> tuple[int, list[int]]:
    """A sub-workflow whose input is a task's list, and one whose input is a map's."""
    first = below(numbers(n))
    return total(first), below(first)


@task
def tripled(text: str) -> str:
    """A result that does not fit into a line, where the text is long."""
    return text * 3


@workflow
def long(n: int) -> int:
    """Over a list of single results, of which one lies in the store."""
    return measured(map_task(tripled)([text(n), text.named("short")(1)]))


@task
def text(n: int) -> str:
    """As long as it is asked to be."""
    return "é" * n


@workflow
def lists(n: int) -> list[int]:
    """Over a list of lists, which maps made or tasks."""
    return map_task(total)([map_task(double)(numbers(n)), numbers(n), map_task(double)(numbers(0))])


@workflow
def deep(n: int) -> list[int]:
    """Over a list of lists, which hold values in the store."""
    return map_task(measured)([map_task(tripled)(texts(n)), map_task(tripled)([text(n), text(1)])])


@task
def measured(found: list[str]) -> int:
    """Read all of a list."""
    return sum(map(len, found))
