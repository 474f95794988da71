"""Values that do not fit their type, for the golden of messages."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from alula import Directory, File, NaiveDatetime
from tests.types.samples import Box, Color, Level, Mode, Nested, Point, Size, Tree


@dataclasses.dataclass
class Deeper(Point):
    z: float = 0.0


@dataclasses.dataclass
class Positive:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n must be positive")


class Text(str):
    pass


NAIVE = datetime.datetime(2026, 1, 31, 12)
LOOP = Tree(1)
LOOP.children.append(LOOP)
CASES: dict[str, tuple[Any, Any]] = {
    "text for a number": (int, "7"),
    "a whole float for an int": (int, 7.0),
    "a float for an int": (int, 7.5),
    "a bool for an int": (int, True),
    "an int for a bool": (bool, 1),
    "an IntEnum for an int": (int, Level.LOW),
    "an int that a float cannot hold": (float, 2**53 + 1),
    "an int beyond all floats": (float, 10**400),
    "text for a float": (float, "1.5"),
    "a decimal for a float": (float, decimal.Decimal("1.5")),
    "bytes for text": (str, b"x"),
    "a subclass of str": (str, Text("x")),
    "a StrEnum for text": (str, Mode.FAST),
    "a bytearray for bytes": (bytes, bytearray(b"x")),
    "None for text": (str, None),
    "something for None": (None, 0),
    "a class for a value": (int, int),
    "a long text": (int, "x" * 500),
    "a numpy array for a float": (float, np.array([1.5])),
    "a numpy float for an int": (int, np.float64(7.0)),
    "a naive datetime": (datetime.datetime, NAIVE),
    "an aware datetime for a naive one": (NaiveDatetime, NAIVE.replace(tzinfo=datetime.UTC)),
    "a date for a datetime": (datetime.datetime, NAIVE.date()),
    "a datetime for a date": (datetime.date, NAIVE),
    "text for a datetime": (datetime.datetime, "2026-01-31"),
    "text for a date": (datetime.date, "2026-01-31"),
    "not a time": (datetime.datetime, pd.NaT),
    "nanoseconds": (NaiveDatetime, pd.Timestamp("2026-01-31 12:00:00.000000001")),
    "nanoseconds of numpy": (NaiveDatetime, np.datetime64("2026-01-31T12:00:00.000000001")),
    "seconds for a timedelta": (datetime.timedelta, 90),
    "the value of an Enum": (Color, "r"),
    "the name of an Enum": (Color, "GREEN"),
    "no member of an Enum": (Color, "blue"),
    "no value of a Literal": (Literal["a", "b"], "c"),
    "True for a Literal of 1": (Literal[1, 2], True),
    "an item of a list": (list[int], [1, "2", 3, None]),
    "a tuple for a list": (list[int], (1, 2)),
    "a generator for a list": (list[int], (n for n in [1])),
    "an array for a list": (list[float], np.array([1.0, 2.0])),
    "a list for a set": (set[int], [1, 2]),
    "too few for a tuple": (tuple[int, str], (1,)),
    "an item of a tuple": (tuple[int, str], ("1", 2)),
    "a tuple for a NamedTuple": (Size, (1, 2.0)),
    "a field of a NamedTuple": (Size, Size("1", 2.0)),
    "a key of a dict": (dict[str, int], {1: 1}),
    "a value of a dict": (dict[str, int], {"a": 1, "b": "2"}),
    "a list for a dict": (dict[str, int], [("a", 1)]),
    "a key of a map": (dict[int, str], {"1": "a"}),
    "a dict for a dataclass": (Point, {"x": 1.0}),
    "the class for an instance": (Point, Point),
    "a subclass of a dataclass": (Point, Deeper(1.0)),
    "several fields of a dataclass": (Point, Point("1", None, ["a", 2])),
    "deep inside": (Nested, Nested(points=[Point(1.0), Point(1.0, tags=[3])], by_name={"a": Point(1.0)})),
    "a field of a generic dataclass": (Box[int], Box("x")),
    "a value that contains itself": (Tree, LOOP),
    "no variant of a union": (int | str | None, 1.5),
    "inside a variant of a union": (list[int] | dict[str, int], {"a": "x"}),
    "a tuple under Any": (Any, {"a": [(1, 2)]}),
    "nan under Any": (Any, [float("nan")]),
    "an object under Any": (Any, {"a": fractions.Fraction(1, 2)}),
    "a key that is no text": (dict, {"a": {1: 2}}),
    "a path as text for a File": (File, "report.html"),
    "a Path for a File": (File, Path("report.html")),
    "an address for a File": (File, "https://example.com/x.csv"),
    "a File of an address": (File, File("s3://bucket/x.csv")),
    "a Directory of an address": (Directory, Directory("GS://bucket/x/")),
    "a Path of an address": (Path, Path("https://example.com/x.csv")),
    "a File that does not exist": (File, File("missing.txt")),
    "a folder for a File": (File, File("tests")),
    "a file for a Directory": (Directory, Directory("pyproject.toml")),
    "a File of another format": (File["html"], File("pyproject.toml")),
    "text for a Path": (Path, "pyproject.toml"),
    "a dict for a frame": (pd.DataFrame, {"a": [1]}),
    "a series for a frame": (pd.DataFrame, pd.Series([1])),
    "a Flag": (enum.IntFlag, 1),
}
