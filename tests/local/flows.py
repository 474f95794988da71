"""Tasks and workflows that the tests here run."""

# ruff: noqa: UP037, F821  (File["txt"] is a type of its own, not a forward reference)

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from alula import Cache, File, task, workflow


@dataclass
class Point:
    x: int
    y: float = 0.5


class Pair(NamedTuple):
    small: int
    large: int


@task
def inc(x: int) -> int:
    return x + 1


@task
def add(a: int, b: int = 100) -> int:
    return a + b


@task
def half(x: float) -> float:
    return x / 2


@task
def split(x: int) -> Pair:
    return Pair(x, 1000 * x)


@task
def point(x: int) -> Point:
    return Point(x)


@task
def total(items: list[int]) -> int:
    return sum(items)


@task
def listed(x: int) -> list[int]:
    return [x, x + 1]


@task
def spoil(items: list[int]) -> int:
    items.append(99)
    return len(items)


@task
def nothing() -> None:
    return None


@workflow
def chain(x: int = 1) -> int:
    return inc(inc(inc(x)))


@workflow
def parts(x: int) -> tuple[int, float, int]:
    pair = split(x)
    where = point(pair.large)
    return where.x, where.y, total([pair.small, x, 5])


@workflow
def sub(x: int, y: int = 10) -> int:
    return add(inc(x), y)


@workflow
def outer(x: int) -> int:
    first = sub(x)
    second = sub(first, y=1)
    return inc(second)


@workflow
def shared(x: int) -> tuple[int, int, list[int]]:
    made = listed(x)
    return spoil(made), spoil(made), made


@workflow
def widened(x: int) -> float:
    return half(inc(x))


@workflow
def ordered(x: int) -> int:
    first = nothing()
    second = inc(x)
    first >> second
    return second


# Frames and files


@task
def table(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"a": range(rows)})


@task
def overwrite(frame: pd.DataFrame) -> int:
    frame.iloc[0, 0] = 99
    frame["b"] = 1
    return int(frame["a"].sum())


@task
def height(frame: pd.DataFrame) -> int:
    return int(frame["a"].sum()) + len(frame.columns)


@task(cache=Cache(version="1"))
def cached_height(frame: pd.DataFrame) -> int:
    return len(frame)


@workflow
def frames(rows: int) -> tuple[int, int, int]:
    made = table(rows)
    return overwrite(made), overwrite(made), height(made)


@workflow
def frames_to_cached(rows: int) -> int:
    return cached_height(table(rows))


@workflow
def framed(rows: int) -> pd.DataFrame:
    return table(rows)


@task
def write(text: str) -> File["txt"]:
    file = File.new("note.txt")
    file.path.write_text(text)
    return file


@task
def read(file: File["txt"]) -> str:
    return file.read_text()


@workflow
def files(text: str) -> tuple[File["txt"], str]:
    file = write(text)
    return file, read(file)
