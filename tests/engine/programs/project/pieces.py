"""What random programs are made of: tasks that are pure functions of small numbers, some of which fail for some."""

from __future__ import annotations

from dataclasses import dataclass

from alula import NonRecoverable, task

SIZE = 19
"""Numbers stay below it, so that a comparison holds about as often as not."""


@dataclass
class Pair:
    """What is not always there, not always short, and holds a list."""

    left: int
    right: int | None
    even: bool
    many: list[int]
    text: str


@task(cache=True)
def inc(x: int) -> int:
    """The next number."""
    return (x + 1) % SIZE


@task
def add(x: int, y: int = 5) -> int:
    """Both together."""
    return (x + y) % SIZE


@task(cache=True)
def picky(x: int) -> int:
    """The same number, unless it does not like it."""
    if x % 4 == 3:
        raise NonRecoverable(f"failed on purpose with {x}")
    return x


@task(cache=True)
def half(x: int) -> int | None:
    """Half of an even number."""
    return None if x % 2 else x // 2


@task(cache=True)
def known(x: int | None) -> int:
    """A number in any case."""
    return 7 if x is None else x


@task(cache=True)
def numbers(n: int) -> list[int]:
    """As many as the number says, at most three."""
    return [(n + i) % SIZE for i in range(n % 4)]


@task
def total(xs: list[int]) -> int:
    """All of them together, with their places."""
    return sum((i + 1) * x for i, x in enumerate(xs)) % SIZE


@task(cache=True)
def counted(xs: list[int | None]) -> int:
    """What there is, with its places."""
    return sum((i + 1) * (11 if x is None else x) for i, x in enumerate(xs)) % SIZE


@task(cache=True)
def pair(x: int, y: int) -> Pair:
    """A record that travels inline if its number is even."""
    return Pair(x, None if y % 3 == 0 else y, x % 2 == 0, [x, y][: y % 3], "x" * (2000 if x % 2 else 3))


@task(cache=True)
def pairs(n: int) -> list[Pair]:
    """As many as the number says, at most three, of which every second one is long."""
    return [
        Pair(n + i, None if i == 2 else i, i % 2 == 0, [n] * i, "é{{=1}}" if i % 2 else "y" * 150) for i in range(n % 4)
    ]


@task(cache=True)
def better(p: Pair, by: int = 2) -> Pair:
    """The next record: what it lacks comes and goes, and so does its length."""
    left = (p.left + by) % SIZE
    return Pair(left, None if p.right else left, not p.even, [*p.many, left][-3:], "x" * (left * 60))


@task
def pace(x: int, y: int) -> tuple[int, int]:
    """Both, which take the places of both."""
    return (x + y) % SIZE, (y + 1) % SIZE


@task
def heavy(ps: list[Pair]) -> int:
    """Everything in all of them, with their places."""
    return sum((i + 1) * (p.left + len(p.many) + len(p.text)) for i, p in enumerate(ps)) % SIZE


@task
def weigh(p: Pair) -> int:
    """Everything in a record."""
    return (p.left + 2 * (p.right or 0) + 3 * len(p.many) + len(p.text)) % SIZE


@task(cache=True)
def two(x: int) -> tuple[int, int]:
    """Two outputs."""
    return (x + 2) % SIZE, (3 * x) % SIZE


@task(cache=True)
def split(x: int) -> tuple[int, list[int]]:
    """A number and a list, as two outputs."""
    return (x + 3) % SIZE, [x] * (x % 3)


@task(cache=True)
def rows(n: int) -> list[list[int]]:
    """As many lists as the number says, at most three, of which the first is empty."""
    return [[(n + i) % SIZE] * i for i in range(n % 4)]


@task(cache=True)
def spread(xss: list[list[int]]) -> int:
    """All of them together, with their places."""
    return sum((i + 1) * (j + 2) * x for i, xs in enumerate(xss) for j, x in enumerate(xs)) % SIZE


@task
def same_int(x: int) -> int:
    """What a program gave, to be compared."""
    return x


@task
def same_opt(x: int | None) -> int | None:
    """What a program gave, to be compared."""
    return x


@task
def same_ints(x: list[int]) -> list[int]:
    """What a program gave, to be compared."""
    return x


@task
def same_rows(x: list[list[int]]) -> list[list[int]]:
    """What a program gave, to be compared."""
    return x


@task
def same_opts(x: list[int | None]) -> list[int | None]:
    """What a program gave, to be compared."""
    return x


@task
def same_pair(x: Pair) -> Pair:
    """What a program gave, to be compared."""
    return x


@task
def same_pairs(x: list[Pair]) -> list[Pair]:
    """What a program gave, to be compared."""
    return x
