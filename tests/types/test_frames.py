"""pandas frames: parquet, index kept, what parquet would change in silence refused with column and row."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alula.types import compiling
from alula.types.mismatches import Mismatch
from tests.types.shelf import Shelf

FRAME = compiling.compile(pd.DataFrame)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def travel(value: pd.DataFrame, shelf: Shelf) -> pd.DataFrame:
    back: pd.DataFrame = FRAME.from_json(FRAME.to_json(value, shelf), shelf)
    return back


GOOD: dict[str, Any] = {
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
    "numbers": pd.DataFrame({"i": [1, 2], "f": [1.5, np.nan], "b": [True, False], "u": np.array([1, 2], "uint8")}),
    "text": pd.DataFrame({"s": ["a", "ü"], "missing": ["x", None]}),
    "text as objects": pd.DataFrame({"s": pd.Series(["a", None, "b"], dtype=object)}),
    "nullable": pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
    "categories": pd.DataFrame({"c": pd.Categorical(["x", "y", "x"], ordered=True)}),
    "times": pd.DataFrame({
        "naive": pd.to_datetime(["2026-01-01", None]),
        "aware": pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Berlin"),
        "span": pd.to_timedelta([1, None], unit="s"),
    }),
    "dates": pd.DataFrame({"d": [datetime.date(2026, 1, 1), None]}),
    "lists": pd.DataFrame({"l": [np.array([1, 2]), np.array([3])]}),
    "an index of text": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "a named index": pd.DataFrame({"a": [1, 2]}, index=pd.Index([10, 20], name="key")),
    "a MultiIndex": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", "n"])),  # noqa: E501
    "an index that was sampled": pd.DataFrame({"a": range(10)}).sample(frac=0.5, random_state=1),
    "an index of times": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026-01-01", periods=2, freq="D")),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_frame_comes_back_equal(name: str, shelf: Shelf) -> None:
    value = GOOD[name]
    back = travel(value, shelf)
    pd.testing.assert_frame_equal(back, value, check_freq=False, check_column_type=name != "empty")
    if name not in {"empty", "lists"}:
        assert list(back.dtypes) == list(value.dtypes)


def test_equal_frames_have_one_identity(shelf: Shelf) -> None:
    assert FRAME.to_json(GOOD["text"].copy(), shelf) == FRAME.to_json(GOOD["text"], shelf)


def objects(*values: Any) -> pd.Series[Any]:
    return pd.Series(values, dtype=object)


BAD: dict[str, tuple[Any, str]] = {
    "mixed types": (
        pd.DataFrame({"a": [1, 2], "b": objects("x", 3)}),
        "column 'b' holds str and, in row 1, the int 3",
    ),
    "mixed after a gap": (
        pd.DataFrame({"b": objects(None, "x", 1.5)}),
        "column 'b' holds str and, in row 2, the float 1.5",
    ),
    "int and float objects": (
        pd.DataFrame({"b": objects(1, 2.5)}),
        "column 'b' holds int and, in row 1, the float 2.5",
    ),
    "ints with a gap": (pd.DataFrame({"b": objects(1, None)}), "column 'b' holds int and, in row 1, nothing"),
    "a name twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the column 'a' exists twice"),
    "a name that is no text": (pd.DataFrame([[1, 2]], columns=["a", 3]), "the column name 3 is not a str"),
    "columns in levels": (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "MultiIndex"),
    "a mixed index": (
        pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", 1], dtype=object)),
        "column '(the index)' holds str",
    ),
    "objects": (pd.DataFrame({"o": [object(), object()]}), "cannot be written as parquet"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_parquet_would_change_is_refused(name: str, shelf: Shelf) -> None:
    value, message = BAD[name]
    with pytest.raises(Mismatch) as caught:
        FRAME.to_json(value, shelf)
    assert message in str(caught.value)


def test_all_mixed_columns_are_told_at_once(shelf: Shelf) -> None:
    value = pd.DataFrame({"a": pd.Series(["x", 3], dtype=object), "b": pd.Series([1, "y"], dtype=object)})
    with pytest.raises(Mismatch) as caught:
        FRAME.to_json(value, shelf)
    assert len(caught.value.flaws) == 2


def test_a_subclass_is_refused(shelf: Shelf) -> None:
    class Geo(pd.DataFrame):
        pass

    with pytest.raises(Mismatch, match="expected a pandas DataFrame"):
        FRAME.to_json(Geo({"a": [1]}), shelf)


def test_a_plain_call_gets_the_very_frame() -> None:
    value = GOOD["numbers"]
    assert FRAME.check(value) is value
