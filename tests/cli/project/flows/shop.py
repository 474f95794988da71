"""A workflow with an input of every kind, for tests of the command line."""

# ruff: noqa: UP037, F821  (File["csv"] is a type of its own, not a forward reference)

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from alula import File, LaunchPlan, task, workflow


class Colour(enum.Enum):
    RED = "r"
    DARK_BLUE = 3


@dataclass
class Size:
    width: int
    height: float = 1.5
    unit: Literal["cm", "in"] = "cm"


@dataclass
class Order:
    size: Size
    tags: list[str] = field(default_factory=list)
    note: str | None = None


@task
def tell(parts: list[str]) -> str:
    return "; ".join(parts)


@task
def show(value: Any) -> str:
    return repr(value)


@task
def whole(count: int, ratio: float, ready: bool, name: str, env: str) -> str:
    return f"{count!r} {ratio!r} {ready!r} {name!r} {env!r}"


@workflow
def plain(count: int, ratio: float = 0.5, ready: bool = False, name: str = "none", env: str = "dev") -> str:
    """Simple inputs.

    Args:
        count: How many,
            on more than one line.
        ready: Whether to go.
        env: An input may be called like an option.
    """
    return whole(count, ratio, ready, name, env)


@task
def order_text(
    order: Order, colour: Colour, sizes: list[int], when: datetime.datetime, wait: datetime.timedelta
) -> str:
    return f"{order} {colour.name} {sizes} {when.isoformat()} {wait.total_seconds():g}"


@workflow
def rich(
    order: Order,
    colour: Colour = Colour.RED,
    sizes: list[int] = [1],
    when: datetime.datetime = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    wait: datetime.timedelta = datetime.timedelta(minutes=90),
) -> str:
    """Structured inputs."""
    return order_text(order, colour, sizes, when, wait)


@task
def count_lines(file: File["csv"], path: Path, island: str | None) -> tuple[int, int, str]:
    return len(file.read_text().splitlines()), len(path.read_text()), repr(island)


@workflow
def files(file: File["csv"], path: Path, island: str | None = "Dream") -> tuple[int, int, str]:
    return count_lines(file, path, island)


@task
def fail(x: int) -> int:
    raise ValueError(f"{x} is too much")


@workflow
def failing(x: int = 3) -> int:
    """Fails."""
    return fail(x)


bulk = LaunchPlan("bulk-orders", plain, inputs={"count": 100, "name": "bulk"}, fixed_inputs={"ratio": 0.25})
