"""pandas frames: what a task returned is what the next one gets, or column and row of what cannot be are named."""

# ruff: noqa: E501 - tables of samples

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import zoneinfo
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alula.types import compiling
from alula.types.frames import pandas, tables
from alula.types.mismatches import Mismatch
from tests.types import frame_strategies, random_frames, sight
from tests.types.shelf import Shelf

FRAME = compiling.compile(pd.DataFrame)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
EAST = datetime.timezone(datetime.timedelta(hours=2))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def travel(value: pd.DataFrame, shelf: Shelf) -> pd.DataFrame:
    back: pd.DataFrame = FRAME.from_json(FRAME.to_json(value, shelf), shelf)
    return back


def objects(*values: Any) -> pd.DataFrame:
    return pd.DataFrame({"v": pd.Series(list(values), dtype=object)})


def arrow(values: list[Any], type: pa.DataType) -> pd.DataFrame:
    return pd.DataFrame({"v": pd.Series(values, dtype=pd.ArrowDtype(type))})


GOOD: dict[str, Any] = {
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
    "no columns": pd.DataFrame(index=["x", "y"]),
    "rows alone": pd.DataFrame(index=pd.RangeIndex(3)),
    "numbers": pd.DataFrame({"i": [1, 2], "f": [1.5, np.nan], "b": [True, False], "u": np.array([1, 2], "uint8")}),
    "numbers that parquet lacks": pd.DataFrame({"c": [1j, np.nan], "h": np.array([1, 2], "f2"), "b": np.array([1, 2], ">i4")}),
    "text": pd.DataFrame({"s": ["a", "ü"], "missing": ["x", None]}),
    "nullable": pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
    "categories": pd.DataFrame({"c": pd.Categorical(["x", "y"], categories=["z", "y", "x"], ordered=True)}),
    "categories of numbers": pd.DataFrame({"c": pd.Categorical([1, None], categories=pd.Index([3, 1], dtype="int8"))}),
    "categories of tuples and other things": pd.DataFrame({"c": pd.Categorical([(1, 2)], categories=pd.Index([3, (1, 2)], tupleize_cols=False))}),
    "categories of intervals": pd.DataFrame({"c": pd.cut([1, 5, 9], 3)}),
    "times": pd.DataFrame({
        "naive": pd.to_datetime(["2026-01-01", None]), "seconds": np.array(["2026-01-01", "NaT"], "M8[s]"),
        "aware": pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Berlin"), "span": pd.to_timedelta([1, None], unit="s"),
        "offset": pd.to_datetime(["2026-01-01", None]).tz_localize(EAST), "period": pd.PeriodIndex(["2026-01", None], freq="M"),
    }),
    "an instant far away": pd.DataFrame({"t": np.array([2**56, 0], "M8[s]"), "d": np.array([2**56, 0], "m8[s]")}),
    "sparse": pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}),
    "text as objects": objects("a", None, "b"),
    "text with nan": objects("a", float("nan")),
    "text with NA": objects("a", pd.NA),
    "all that can be missing": objects(None, float("nan"), pd.NA, pd.NaT),
    "ints as objects": objects(1, 2),
    "ints with a gap": objects(1, None),
    "large ints": objects(2**80, 1),
    "mixed types": objects(1, "x", 1.0, True, None),
    "lone surrogates": objects("\ud800"),
    "dates": objects(datetime.date(2026, 1, 1), None),
    "times of day": objects(datetime.time(1, 2, 3, 4), datetime.time(5, tzinfo=EAST)),
    "two offsets": objects(datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2024, 1, 2, 1, 30, tzinfo=EAST)),
    "an hour that comes twice": objects(*(datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))),
    "decimals": objects(decimal.Decimal("1.0"), decimal.Decimal("1.00"), decimal.Decimal("NaN")),
    "dicts": objects({"a": 1}, {"b": 2}, {1: {"$set": [1]}}),
    "sets": objects({1}, frozenset({2})),
    "tuples": objects((1, 2), (3, (4,))),
    "lists": objects([1], [2, [3]], []),
    "numpy arrays": objects(np.array([1, 2]), np.zeros((2, 0)), np.array(["a", None], dtype=object), np.float32(1.5)),
    "scalars of pandas": objects(pd.Timestamp("2026-01-01", tz="Europe/Berlin"), pd.Timedelta(5), pd.Period("2026-01"), pd.Interval(1, 2)),
    "Arrow lists": arrow([[1], [2, 3], None], pa.list_(pa.int64())),
    "Arrow structs": arrow([{"a": 1, "b": [float("nan")]}, None], pa.struct([("a", pa.int8()), ("b", pa.list_(pa.float64()))])),
    "Arrow dictionaries": arrow(["x", None], pa.dictionary(pa.int8(), pa.string())),
    "Arrow seconds": arrow([datetime.datetime(2026, 1, 1), None], pa.timestamp("s", "Europe/Berlin")),
    "Arrow types that parquet lacks": arrow([datetime.date(2026, 1, 1)], pa.date64()),
    "vectors": arrow([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)),
    "vectors with a gap": arrow([[1.0, 2.0], None], pa.list_(pa.float32(), 2)),
    "a list of nothing": arrow([[None], [None, None]], pa.list_(pa.null())),
    "labels that are numbers": pd.DataFrame(np.eye(2)),
    "labels of several types": pd.DataFrame([[1, 2, 3]], columns=["a", 3, None]),
    "labels that are dates": pd.DataFrame([[1, 2]], columns=pd.date_range("2026", periods=2, name="day")),
    "labels in levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")], names=["x", None])),
    "a label twice": pd.DataFrame([[1, "x"]], columns=["a", "a"]),
    "a label like the index": pd.DataFrame({"__index_0__": [1]}, index=["x"]),
    "a pivot": pd.DataFrame({"a": ["x", "y"], "b": [1, 2], "c": [3.0, 4.0]}).pivot(index="a", columns="b", values="c"),
    "statistics": pd.DataFrame({"k": ["x", "y"], "c": [3.0, 4.0]}).groupby("k").agg({"c": ["mean", "std"]}),
    "an index of text": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "a mixed index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", 1], dtype=object)),
    "a named index": pd.DataFrame({"a": [1, 2]}, index=pd.Index([10, 20], name=("key", 1))),
    "a MultiIndex": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_product([["x"], pd.date_range("2026", periods=2)], names=["k", 0])),
    "a MultiIndex with a level that is unused": pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)]))[1:],
    "an index that was sampled": pd.DataFrame({"a": range(10)}).sample(frac=0.5, random_state=1),
    "an index of times": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026-01-01", periods=2, freq="MS", tz="US/Eastern")),
    "labels that are lists, lists among them": pd.DataFrame(
        [[1, 2, 3]], columns=pd.Index([0, None, [[]]], dtype=object)
    ),
    "labels that are categories, tuples among them": pd.DataFrame(
        [[1]], columns=pd.CategoricalIndex([5], categories=pd.Index([(1, ""), 5], dtype=object, tupleize_cols=False))
    ),
    "an index of categories": pd.DataFrame({"a": [1]}, index=pd.CategoricalIndex(["x"], categories=["y", "x"])),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_frame_comes_back_as_it_was(name: str, shelf: Shelf) -> None:
    value = GOOD[name]
    seen = sight.of_frame(value)
    back = travel(value, shelf)
    assert sight.of_frame(back) == seen
    assert FRAME.to_json(back, shelf) == FRAME.to_json(value, shelf)
    pd.testing.assert_frame_equal(back, value)


@pytest.mark.parametrize("name", GOOD)
def test_a_frame_that_stays_in_memory_is_what_the_store_gives(name: str) -> None:
    value = GOOD[name]
    fresh = pandas.CODEC.snapshot(value)
    assert sight.of_frame(fresh()) == sight.of_frame(value)


@given(value=frame_strategies.frames())
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_any_frame_comes_back_as_it_was_through_the_store_and_in_memory(
    value: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random_frames.try_frame(value, tmp_path_factory.getbasetemp() / "any.parquet")


@given(size=st.integers(0, 3), data=st.data())
@pytest.mark.parametrize("kind", frame_strategies.KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_columns_of_every_dtype_come_back_and_can_be_changed(kind: Any, size: int, data: st.DataObject) -> None:
    random_frames.try_column(data.draw(kind(size)))


def test_nothing_that_can_be_changed_is_shared() -> None:
    value = objects([1], {"a": [2]})
    fresh = pandas.CODEC.snapshot(value)
    value["v"][0].append(98)
    fresh()["v"][0].append(99)
    fresh()["v"][1]["a"].append(99)
    assert list(fresh()["v"]) == [[1], {"a": [2]}]


def test_equal_frames_have_one_identity(shelf: Shelf) -> None:
    assert FRAME.to_json(GOOD["text"].copy(), shelf) == FRAME.to_json(GOOD["text"], shelf)
    assert FRAME.to_json(objects({"b", "a", "c"}), shelf) == FRAME.to_json(objects({"c", "b", "a"}), shelf)


def test_attributes_of_a_frame_are_kept(shelf: Shelf) -> None:
    value = pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)
    value.attrs = {"unit": "mm", "limits": (1, 2)}
    back = travel(value, shelf)
    assert back.attrs == value.attrs
    assert not back.flags.allows_duplicate_labels


def test_what_is_written_can_be_read_by_others(shelf: Shelf) -> None:
    reference = FRAME.to_json(pd.DataFrame({"a": [1], "b": ["x"]}, index=["r"]), shelf)
    read = pa.parquet.read_table(shelf.folder / reference["digest"] / "frame.parquet")
    assert read.to_pydict() == {"a": [1], "b": ["x"], "__index_0__": ["r"]}


class Color(enum.Enum):
    RED = 1


class Pair(collections.namedtuple("Pair", "x y")):
    pass


class Loop(list[Any]):
    pass


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
BUSINESS = pd.date_range("2026-01-01", periods=2, freq=pd.offsets.CustomBusinessDay(holidays=["2026-01-02"]))
BAD: dict[str, tuple[Any, str, str]] = {
    "an object": (objects("x", object()), "column 'v', row 1: a value of type object has no form in parquet", "make columns"),
    "an enum in a list": (objects([1, Color.RED]), "column 'v', row 0 at [1]: Color.RED has no form", "write its .name"),
    "an enum in a dict": (objects({"a": (1, Color.RED)}), "column 'v', row 0 at ['a'][1]: Color.RED", "write its .name"),
    "a named tuple": (objects(Pair(1, 2)), "column 'v', row 0: Pair(", "write tuple(...)"),
    "a subclass of a list": (objects(Loop()), "column 'v', row 0: the Loop []", "write list(...)"),
    "an ordered dict": (objects(collections.OrderedDict(a=1)), "column 'v', row 0: OrderedDict(", "write dict(...)"),
    "a frame in a frame": (objects(pd.Series([1])), "column 'v', row 0: a value of type pandas.Series", "series.tolist()"),
    "a list in itself": (objects(ENDLESS), "nested more than 64 deep", ""),
    "an index of objects": (pd.DataFrame({"a": [1]}, index=pd.Index([Color.RED], dtype=object)), "the index, row 0: Color.RED", ""),
    "a level of objects": (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_arrays([[1], [Color.RED]])), "the index, level 1, row 0", ""),
    "a label": (pd.DataFrame([[1]], columns=pd.Index([Color.RED], dtype=object)), "the labels of the columns, row 0: Color.RED", ""),
    "a name of an index": (pd.DataFrame({"a": [1]}, index=pd.Index([1], name=Color.RED)), "the index, its name: Color.RED", ""),
    "a category": (pd.DataFrame({"c": pd.Categorical([Color.RED])}), "column 'c', its categories, row 0: Color.RED", ""),
    "a frequency with holidays": (pd.DataFrame({"a": [1, 2]}, index=BUSINESS), "the index has the frequency", "df.index.freq = None"),
    "a number that is not portable": (pd.DataFrame({"a": np.array([1], "longdouble")}), "column 'a' has the dtype float128", "astype"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_has_no_faithful_form_is_refused_in_the_store_and_in_memory(name: str, shelf: Shelf) -> None:
    value, message, hint = BAD[name]
    with pytest.raises(Mismatch) as caught:
        FRAME.to_json(value, shelf)
    assert message in str(caught.value)
    assert hint in caught.value.flaws[0].hint
    with pytest.raises(Mismatch) as again:
        pandas.CODEC.snapshot(value)
    assert str(again.value) == str(caught.value)


def test_all_columns_that_cannot_be_written_are_named_at_once(shelf: Shelf) -> None:
    value = pd.DataFrame({"a": pd.Series([object()], dtype=object), "b": pd.Series([Color.RED], dtype=object)})
    with pytest.raises(Mismatch) as caught:
        FRAME.to_json(value, shelf)
    assert [flaw.message[:10] for flaw in caught.value.flaws] == ["column 'a'", "column 'b'"]


def test_a_file_of_another_writer_is_read_as_pandas_reads_it(tmp_path: Path, shelf: Shelf) -> None:
    value = pd.DataFrame({"a": [1, 2], "s": ["x", None]}, index=pd.Index([5, 6], name="k"))
    value.to_parquet(tmp_path / "given.parquet")
    reference = shelf.commit_file(tmp_path / "given.parquet", type="frame", name="frame.parquet", format="parquet")
    pd.testing.assert_frame_equal(FRAME.from_json(reference.to_json(), shelf), value)


def test_a_file_of_another_writer_that_pandas_cannot_read_is_refused(tmp_path: Path, shelf: Shelf) -> None:
    GOOD["Arrow lists"].to_parquet(tmp_path / "given.parquet")
    reference = shelf.commit_file(tmp_path / "given.parquet", type="frame", name="frame.parquet", format="parquet")
    with pytest.raises(Mismatch, match="pandas cannot read this parquet file"):
        FRAME.from_json(reference.to_json(), shelf)


def test_a_frame_of_a_later_form_is_refused(tmp_path: Path, shelf: Shelf) -> None:
    table = pa.table({"a": [1]}).replace_schema_metadata({tables.KEY: '{"version": 2}'})
    pa.parquet.write_table(table, tmp_path / "later.parquet")
    reference = shelf.commit_file(tmp_path / "later.parquet", type="frame", name="frame.parquet", format="parquet")
    with pytest.raises(Mismatch, match="has the form 2, and this alula reads 1"):
        FRAME.from_json(reference.to_json(), shelf)


def test_a_subclass_is_refused(shelf: Shelf) -> None:
    class Geo(pd.DataFrame):
        pass

    with pytest.raises(Mismatch, match="expected a pandas DataFrame"):
        FRAME.to_json(Geo({"a": [1]}), shelf)


def test_a_plain_call_gets_a_frame_of_its_own_that_a_pod_would_get_too() -> None:
    given = pd.DataFrame({"a": [1, 2], "b": [[1], [2]]})
    seen = FRAME.check(given)
    pd.testing.assert_frame_equal(seen, given)
    seen.loc[0, "a"] = 7
    seen["b"][0].append(3)
    assert given["a"][0] == 1
    assert given["b"][0] == [1]
    with pytest.raises(Mismatch, match=r"column 'b', row 0"):
        FRAME.check(pd.DataFrame({"b": [object()]}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\nAndr\xe9\n", "table.csv must be UTF-8, and holds the byte 0xe9"),
        (b"", "table.csv cannot be read: No columns"),
    ],
)
def test_a_text_table_that_is_none_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(data)
    with pytest.raises(Mismatch, match=message):
        pandas.CODEC.read_text(tmp_path / "table.csv", ",")
