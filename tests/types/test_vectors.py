"""Python types and values become the texts of the contract's vectors, and these texts become the values again."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
import pytest

from alula import Directory, File, NaiveDatetime
from alula.types import compiling
from alula.types.carriers import Probe
from alula_api.contract import values
from alula_api.contract.families import Schema
from tests import vectors
from tests.types.shelf import Shelf


class Color(enum.Enum):
    RED = 1
    GREEN = {"a": 1, "b": 2}


@dataclasses.dataclass
class Point:
    y: float
    x: int = 3
    tags: str = "a"


@dataclasses.dataclass
class E:
    pass


@dataclasses.dataclass
class Tree:
    n: int
    kids: list[Tree] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class R:
    f: File["html"] | None  # noqa: F821, UP037
    n: int


class Pair(NamedTuple):
    at: datetime.datetime
    n: int


def plain(schema: Any) -> Any:
    """A type without its words for people, and without the order of fields that not every vector states."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    hidden = {"title", "description", "x-alula-fields", "x-alula-default", "x-alula-module"}
    return {n: plain(item) for n, item in sorted(schema.items()) if n not in hidden and (n, item) != ("required", [])}


ANNOTATIONS: list[Any] = [
    int, float, bool, None, str, bytes, datetime.datetime, NaiveDatetime, datetime.date, datetime.timedelta,
    Color, Literal[1, "1", True, None], int | None, float | None, int | str | list[float], Color | None,
    int | float, str | datetime.datetime, list[int], list[float], list[list[str]], tuple[int, ...],
    tuple[int, float, str], tuple[()], Pair, set[int], frozenset[str], set[float], set[datetime.datetime],
    set[tuple[int, str]], dict[str, int], dict[str, dict[str, float]], dict[str, Point], dict[int, str],
    dict[datetime.date, dict[str, int]], dict[datetime.datetime, int], dict[float, None], Point, E, list[Point], Tree,
    Any, dict, list[Any], tuple[int, int], dict[float, int], File, File["html"], Directory, list[File], R,
    dict[str, File], File | Directory, pd.DataFrame,
]  # fmt: skip
BY_TYPE = {repr(plain(compiling.compile(annotation).schema)): annotation for annotation in ANNOTATIONS}

PYTHON: dict[str, Any] = {
    "an int beyond int64": 2**70,
    "an int under number becomes a float": 7.0,
    "a float": 0.1,
    "minus zero stays": -0.0,
    "not a number": math.nan,
    "minus infinity": -math.inf,
    "text with a template": "{{=1+1}}",
    "text with control characters": "\0\1\b\t\n\f\r\x1f\x7f\x80",
    "text beyond the first plane": "\U0001f600 \xe9 e\u0301 \u2028",
    "bytes": b"\0\1\2\xff",
    "a datetime with an offset": datetime.datetime(
        2026, 1, 31, 8, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
    ),
    "a naive datetime": datetime.datetime(2026, 1, 31, 8, 0, 0, 1),
    "a date": datetime.date(2026, 1, 31),
    "a negative duration": -datetime.timedelta(hours=36),
    "an enum by name": Color.GREEN,
    "a literal true": True,
    "an optional int that is null": None,
    "a tagged union": 1.0,
    "a tuple": (1, 1.0, "1"),
    "a set of ints, sorted as text": {3, 10, 2, -1},
    "a map with int keys": {10: "a", 9: "b"},
    "a record in declared order, defaults filled in": Point(1.0),
    "a dict of records": {"q": Point(2.0, 1), "p": Point(1.0)},
    "a type that contains itself": Tree(1, [Tree(2), Tree(4, [Tree(3)])]),
    "any JSON that looks like an envelope": {"$stored": 1},
}


OTHERWISE = {
    "a datetime whose offset has seconds": "Python's values are sent in UTC then, as ISO 8601 knows minutes only",
    "a set of floats": "a Python set takes 0.0 and -0.0 for one",
    "a frame": "its content is read to become a value",
}
"""Vectors that do not pass through a Python value as they are, and why."""


def annotation(schema: Schema) -> Any:
    return BY_TYPE[repr(plain(schema))]


def equal(one: Any, other: Any) -> bool:
    return repr(one) == repr(other) if isinstance(one, float) else one == other


@pytest.mark.parametrize("case", vectors.VALUES, ids=vectors.name)
def test_the_type_of_every_vector_is_that_of_a_python_type(case: dict[str, Any]) -> None:
    assert plain(compiling.compile(annotation(case["schema"])).schema) == plain(case["schema"])


@pytest.mark.parametrize("case", [case for case in vectors.VALUES if case["name"] in PYTHON], ids=vectors.name)
def test_a_python_value_becomes_exactly_the_vectors_texts(case: dict[str, Any]) -> None:
    compiled = compiling.compile(annotation(case["schema"]))
    codec = values.codec(compiled.schema)
    value = compiled.to_json(PYTHON[case["name"]], Probe())
    assert codec.wire(value) == case["wire"]
    assert values.argo_safe(codec.wire(value)) == case["argo_safe"]
    assert codec.identity(value) == case["identity"]
    found = compiled.from_json(codec.normal(values.parse(case["argo_safe"])), Probe())
    assert equal(found, PYTHON[case["name"]])


def test_every_name_here_is_that_of_a_vector() -> None:
    assert {*PYTHON, *OTHERWISE} <= {case["name"] for case in vectors.VALUES}


@pytest.mark.parametrize("case", [case for case in vectors.VALUES if case["name"] not in OTHERWISE], ids=vectors.name)
def test_a_vector_passes_through_python_unchanged(case: dict[str, Any], tmp_path: Path) -> None:
    compiled, shelf = compiling.compile(annotation(case["schema"])), Shelf(tmp_path)
    codec = values.codec(compiled.schema)
    value = compiled.from_json(codec.normal(values.parse(case["argo_safe"])), shelf)
    back = codec.normal(compiled.to_json(value, shelf))
    assert codec.wire(back) == case["wire"]
    assert codec.identity(back) == case["identity"]
    assert shelf.fetched == []


@pytest.mark.parametrize("case", vectors.REFUSED, ids=vectors.name)
def test_what_the_contract_refuses_reaches_no_function(case: dict[str, Any]) -> None:
    compiled = compiling.compile(annotation(case["schema"]))
    with pytest.raises(values.InvalidValue):
        values.codec(compiled.schema).normal(values.parse(case["given"]))
