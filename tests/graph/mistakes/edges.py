from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from alula import File, task, workflow


@dataclass
class Scores:
    accuracy: float
    species: list[str]


class Split(NamedTuple):
    train: list[int]
    test: list[int]


@task
def name() -> str:
    return "x"


@task
def count(n: int) -> int:
    return n


@task
def maybe(n: int) -> int | None:
    return n or None


@task
def many(n: int) -> list[int]:
    return [n]


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def score() -> Scores:
    return Scores(0.5, [])


@task
def split(n: int) -> Split:
    return Split([n], [n])


@task
def show(share: float) -> File[Literal["html"]]:
    return File("x.html")


@task
def read(table: File[Literal["csv"]]) -> int:
    return 1


@workflow
def every_edge_is_checked(n: int, label: str, ratio: float) -> int:
    count(name())
    count(label)
    count(ratio)
    count(maybe(n))
    count(many(n))
    total(count(n))
    total([count(n), name(), "three"])
    show(score())
    read(show(0.5))
    total(split(n))
    total(split(n).train)
    return total(many(n))


@workflow
def constants_are_checked(n: int) -> int:
    count("7")
    count(7.0)
    count(True)
    count(n=None)
    total([1, 2, "3"])
    total(range(3))
    read("table.csv")
    read(File("table.csv"))
    return count(2)
