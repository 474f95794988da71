"""The identity of a value is what user code can see of it: one function for each type looks at exactly that.

Two values that a function tells apart have two identities (a wrong hit never). Where no function can, there is one.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pytest

from alula.types import compiling
from alula.types.carriers import REFUSAL
from alula_api.contract import values


class Colour(enum.Enum):
    RED = 1
    BLUE = 1.5


@dataclass(frozen=True)
class Point:
    x: int
    at: dt.datetime | None = None


class Pair(NamedTuple):
    a: int
    b: str


def at(hour: int, offset: int) -> dt.datetime:
    return dt.datetime(2026, 1, 1, hour, tzinfo=dt.timezone(dt.timedelta(hours=offset)))


Case = tuple[Any, Any, Any, Callable[[Any], Any]]
SEEN: dict[str, Case] = {
    "the sign of zero": (float, 0.0, -0.0, lambda x: math.copysign(1, x)),
    "the last bit of a float": (float, 0.1 + 0.2, 0.3, lambda x: x),
    "an int beyond a float": (int, 2**53, 2**53 + 1, lambda x: x),
    "a bool in a union with int": (bool | int, True, 1, type),
    "a float in a union with int": (int | float, 1, 1.0, type),
    "None in a union with text": (str | None, None, "None", type),
    "case and form of text": (str, "\u00e9", "e\u0301", len),
    "white space": (str, "a", "a ", len),
    "bytes": (bytes, b"\x00", b"\x00\x00", len),
    "the offset of a datetime": (dt.datetime, at(23, 0), at(1, 2) + dt.timedelta(days=1), lambda t: t.date()),
    "the offset of a datetime in a record": (Point, Point(1, at(2, 2)), Point(1, at(0, 0)), lambda p: p.at.hour),
    "the offset of a datetime in a list": (list[dt.datetime], [at(2, 2)], [at(0, 0)], lambda ts: ts[0].hour),
    "the offset of a datetime in a set": (set[dt.datetime], {at(2, 2)}, {at(0, 0)}, lambda ts: next(iter(ts)).hour),
    "the offset of a key": (dict[dt.datetime, int], {at(2, 2): 1}, {at(0, 0): 1}, lambda d: next(iter(d)).hour),
    "microseconds": (dt.timedelta, dt.timedelta(0), dt.timedelta(microseconds=1), bool),
    "the order of a dict": (dict[str, int], {"a": 1, "b": 2}, {"b": 2, "a": 1}, lambda d: next(iter(d))),
    "the order of a dict with other keys": (dict[int, int], {1: 1, 2: 2}, {2: 2, 1: 1}, lambda d: next(iter(d))),
    "the order of an inner dict": (list[dict[str, int]], [{"a": 1, "b": 2}], [{"b": 2, "a": 1}], lambda d: [*d[0]]),
    "the order of any JSON": (Any, {"a": 1, "b": 2}, {"b": 2, "a": 1}, lambda d: next(iter(d))),
    "the order of a list": (list[int], [1, 2], [2, 1], lambda x: x[0]),
    "an item twice": (list[int], [1], [1, 1], len),
    "a member": (Colour, Colour.RED, Colour.BLUE, lambda c: c.value),
    "a literal's type": (Literal[1, "1"], 1, "1", type),
    "a field": (Point, Point(1), Point(2), lambda p: p.x),
    "a field of a named tuple": (Pair, Pair(1, "a"), Pair(1, "b"), lambda p: p.b),
    "nan beside a number": (float, math.nan, 0.0, math.isnan),
}


def identity(annotation: Any, value: Any) -> str:
    compiled = compiling.compile(annotation)
    return values.codec(compiled.schema).identity(compiled.to_json(value, REFUSAL))


@pytest.mark.parametrize("name", SEEN)
def test_what_a_function_tells_apart_has_two_identities(name: str) -> None:
    annotation, one, other, look = SEEN[name]
    assert look(one) != look(other)
    assert identity(annotation, one) != identity(annotation, other)


NOT_SEEN: dict[str, tuple[Any, Any, Any]] = {
    "the order in which a set was built": (set[str], {"a", "b", "c"}, {"c", "b", "a"}),
    "one nan and another": (float, math.nan, float("-nan")),
    "an int where a float is declared": (float, 1, 1.0),
    "how a duration was put together": (dt.timedelta, dt.timedelta(hours=24), dt.timedelta(days=1)),
    "a tuple where a named tuple is declared": (Pair, Pair(1, "a"), Pair(b="a", a=1)),
    "a default that is written out": (Point, Point(1), Point(1, None)),
}


@pytest.mark.parametrize("name", NOT_SEEN)
def test_what_no_function_tells_apart_has_one_identity(name: str) -> None:
    annotation, one, other = NOT_SEEN[name]
    assert identity(annotation, one) == identity(annotation, other)
