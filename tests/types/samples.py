"""Python types and strategies of their values, for round trips; classes live here so that their names resolve."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import typing
from typing import Any, Generic, Literal, NamedTuple, Optional, TypeVar, Union

from hypothesis import strategies as st

from alula import NaiveDatetime
from tests import strategies

T = TypeVar("T")


class Color(enum.Enum):
    RED = "r"
    GREEN = 2
    SCARLET = "r"  # noqa: PIE796 - an alias of RED


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.StrEnum):
    FAST = "fast"
    SLOW = "slow"


class Size(NamedTuple):
    width: int
    height: float = 1.0


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    size: Size = Size(1, 2.0)  # noqa: RUF009 - immutable
    color: Color = Color.GREEN


@dataclasses.dataclass(kw_only=True)
class Nested:
    points: list[Point]
    by_name: dict[str, Frozen]
    maybe: Point | None = None


@dataclasses.dataclass
class Tree:
    value: int
    children: list[Tree] = dataclasses.field(default_factory=list)
    parent: Optional[Tree] = None  # noqa: UP045


@dataclasses.dataclass
class Left:
    right: Right | None = None


@dataclasses.dataclass
class Right:
    left: Left | None = None
    n: int = 1


@dataclasses.dataclass
class Box(Generic[T]):
    content: T
    more: list[T] = dataclasses.field(default_factory=list)


def zones() -> st.SearchStrategy[datetime.tzinfo]:
    minutes = st.integers(-23 * 60, 23 * 60)
    return st.one_of(st.just(datetime.UTC), minutes.map(lambda m: datetime.timezone(datetime.timedelta(minutes=m))))


AWARE = st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 1, 1), timezones=zones())
TEXTS = strategies.texts()
FLOATS = st.floats(allow_nan=False)
POINTS = st.builds(Point, FLOATS, FLOATS, st.lists(TEXTS, max_size=3))
SIZES = st.builds(Size, st.integers(), FLOATS)
FROZEN = st.builds(Frozen, TEXTS, SIZES, st.sampled_from(Color))
TREES = st.recursive(
    st.builds(Tree, st.integers()),
    lambda inner: st.builds(Tree, st.integers(), st.lists(inner, max_size=3), st.none() | inner),
    max_leaves=6,
)
LITERAL = Literal["a", 1, True, None]

SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, strategies.integers()),
    (float, FLOATS),
    (bool, st.booleans()),
    (str, TEXTS),
    (None, st.none()),
    (bytes, st.binary(max_size=20)),
    (datetime.datetime, AWARE),
    (NaiveDatetime, st.datetimes()),
    (datetime.date, st.dates()),
    (datetime.timedelta, st.timedeltas()),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
    (Mode, st.sampled_from(Mode)),
    (LITERAL, st.sampled_from(["a", 1, True, None])),
    (Literal["a", "b"], st.sampled_from(["a", "b"])),
]

COMPOUND: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Point, POINTS),
    (Frozen, FROZEN),
    (
        Nested,
        st.builds(Nested, points=st.lists(POINTS, max_size=2), by_name=st.dictionaries(TEXTS, FROZEN, max_size=2)),
    ),
    (Tree, TREES),
    (Left, st.just(Left(Right(Left(Right(None, 7)), 8)))),
    (Box[int], st.builds(Box, st.integers(), st.lists(st.integers(), max_size=3))),
    (Box[Point], st.builds(Box, POINTS, st.lists(POINTS, max_size=2))),
    (Size, SIZES),
    (tuple[int, str], st.tuples(st.integers(), TEXTS)),
    (tuple[()], st.just(())),
    (dict, st.dictionaries(TEXTS, strategies.json_values(5), max_size=3)),
    (Any, strategies.json_values(8)),
    (list, st.lists(strategies.json_values(4), max_size=3)),
    (int | str, st.integers() | TEXTS),
    (int | float | None, st.integers() | FLOATS | st.none()),
    (str | bytes | datetime.date, TEXTS | st.binary(max_size=5) | st.dates()),
    (Point | Frozen, POINTS | FROZEN),
    (Union[Point, Frozen, int, None], POINTS | FROZEN | st.integers() | st.none()),  # noqa: UP007
    (list[int] | dict[str, int], st.lists(st.integers()) | st.dictionaries(TEXTS, st.integers())),
    (dict[tuple[str, int], float], st.dictionaries(st.tuples(TEXTS, st.integers()), FLOATS, max_size=3)),
    (dict[Frozen, int], st.dictionaries(FROZEN, st.integers(), max_size=3)),
    (dict[int | None, str], st.dictionaries(st.none() | st.integers(), TEXTS, max_size=3)),
    (set[tuple[int, str]], st.sets(st.tuples(st.integers(), TEXTS), max_size=3)),
    (list[int] | list[str], st.lists(st.integers()) | st.lists(TEXTS, min_size=1)),
]

SIMPLE_KEYS = [sample for sample in SCALARS if sample[0] not in {float, None, LITERAL}]


@st.composite
def typed(draw: st.DrawFn, depth: int = 3) -> tuple[Any, st.SearchStrategy[Any]]:
    """Any annotation, nested up to `depth`, and a strategy of its values."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(SCALARS + COMPOUND))
    shape = draw(st.sampled_from(["list", "tuples", "dict", "map", "set", "frozenset", "optional", "tuple"]))
    if shape in {"set", "frozenset", "map"}:
        key, keys = draw(st.sampled_from(SIMPLE_KEYS))
        if shape == "map":
            item, items = draw(typed(depth - 1))
            return dict[key, item], st.dictionaries(keys, items, max_size=3)
        made = set if shape == "set" else frozenset
        return made[key], (st.sets if shape == "set" else st.frozensets)(keys, max_size=4)
    item, items = draw(typed(depth - 1))
    if shape == "optional":
        return typing.Optional[item], st.none() | items  # noqa: UP045
    if shape == "tuple":
        other, others = draw(typed(depth - 1))
        return tuple[item, other], st.tuples(items, others)
    if shape == "tuples":
        return tuple[item, ...], st.lists(items, max_size=4).map(tuple)
    if shape == "dict":
        return dict[str, item], st.dictionaries(TEXTS, items, max_size=4)
    return list[item], st.lists(items, max_size=4)
