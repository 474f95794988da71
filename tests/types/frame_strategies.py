"""Frames at random: columns of every dtype of pandas, labels and indexes of every kind, cells of every type."""

# ruff: noqa: E501 - tables of strategies

from __future__ import annotations

import datetime
import decimal
import functools
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import reject
from hypothesis import strategies as st

UNITS = ("s", "ms", "us", "ns")
ZONES: tuple[Any, ...] = (
    datetime.UTC,
    datetime.timezone(datetime.timedelta(hours=5, minutes=45)),
    datetime.timezone(datetime.timedelta(minutes=-210), "home"),
    zoneinfo.ZoneInfo("Europe/Berlin"),
    zoneinfo.ZoneInfo("America/St_Johns"),
    zoneinfo.ZoneInfo("UTC"),
)
zones = st.sampled_from(ZONES)
text = st.text(st.characters(codec="utf-8"), max_size=6)
any_text = st.text(st.characters(), max_size=6)  # also lone surrogates
instants = st.integers(-(2**61), 2**61)
floats = st.floats(allow_nan=False) | st.just(float("nan"))
moments = st.datetimes(timezones=st.none() | zones, allow_imaginary=False)


def timestamps() -> st.SearchStrategy[Any]:
    naive = st.builds(lambda value: pd.Timestamp(np.datetime64(value, "ns")), instants)
    return naive | st.builds(lambda value, zone: value.tz_localize("UTC").tz_convert(zone), naive, zones)


def numpy_values() -> st.SearchStrategy[Any]:
    scalars = st.sampled_from(
        [np.int8(3), np.uint64(2**64 - 1), np.float32(1.5), np.bool_(True), np.str_("x"), np.str_("")]
    )
    arrays = st.lists(st.integers(-100, 100), max_size=4).map(lambda items: np.array(items, "int16"))
    other = st.sampled_from([
        np.array([[1.5, np.nan]]), np.array(["a", "bc"]), np.array([1, "x", None], dtype=object),
        np.array(["2024-01-01"], "M8[D]"), np.datetime64("NaT", "us"), np.array(5), np.zeros((0, 3)),
    ])  # fmt: skip
    return scalars | arrays | other


hashable = st.one_of(
    st.integers(), st.booleans(), any_text, st.floats(allow_nan=False), st.none(), st.binary(max_size=4), st.dates(), moments, st.times(), st.timedeltas(), st.complex_numbers(allow_nan=False), st.uuids(),
    st.builds(range, st.integers(0, 9)), st.decimals(allow_nan=False), st.tuples(st.integers(), text), st.frozensets(st.integers(), max_size=3),
)  # fmt: skip
leaves = st.one_of(
    hashable, floats, st.sampled_from([pd.NA, pd.NaT, None, decimal.Decimal("1.50"), decimal.Decimal("NaN"), 2**70]),
    timestamps(), numpy_values(), st.builds(bytearray, st.binary(max_size=3)),
    st.builds(lambda value: pd.Timedelta(np.timedelta64(value, "ns")), instants),
    st.builds(lambda value, freq: pd.Period(ordinal=value, freq=freq), st.integers(-500, 500), st.sampled_from(["D", "M", "Y", "h"])),
    st.builds(lambda low, span, closed: pd.Interval(low, low + span, closed), st.integers(0, 9), st.integers(0, 9), st.sampled_from(["left", "both"])),
)  # fmt: skip
cells = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.sets(hashable, max_size=3),
        st.dictionaries(any_text | st.sampled_from(["$set", "$dict", ""]), inner, max_size=3), st.dictionaries(hashable, inner, max_size=2),
    ),
    max_leaves=6,
)  # fmt: skip


def _objects(items: list[Any]) -> Any:
    return np.fromiter(items, dtype=object, count=len(items))


@functools.cache
def objects(size: int) -> st.SearchStrategy[Any]:
    alike = [
        text, any_text, st.binary(max_size=4), st.integers(), st.integers(-9, 9), floats, st.booleans(), st.dates(),
        st.times(), moments, st.decimals(allow_nan=False), st.lists(st.integers(), max_size=3), timestamps(), numpy_values(),
    ]  # fmt: skip
    missing = st.sampled_from([None, float("nan"), pd.NA, pd.NaT])
    columns = [
        cells,
        *alike,
        *(st.one_of(each, st.just(None)) for each in alike),
        *(st.one_of(each, missing) for each in alike),
    ]
    filled = [st.lists(each, min_size=size, max_size=size) for each in columns]
    return st.sampled_from(filled).flatmap(lambda each: each).map(_objects)


@functools.cache
def plain(size: int) -> st.SearchStrategy[Any]:
    """Columns of numpy's dtypes."""

    @functools.cache
    def column(dtype: str) -> st.SearchStrategy[Any]:
        kind = np.dtype(dtype)
        wide = st.binary(min_size=size * kind.itemsize, max_size=size * kind.itemsize)
        if kind.kind == "b":
            return st.lists(st.booleans(), min_size=size, max_size=size).map(lambda items: np.array(items, bool))
        return wide.map(lambda data: np.frombuffer(data, kind).copy())

    dtypes = [
        f"{order}{kind}"
        for order in "<>"
        for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
    ]
    dtypes += ["?", *(f"{kind}[{unit}]" for kind in ("M8", "m8") for unit in UNITS)]
    return st.sampled_from(dtypes).flatmap(column)


@functools.cache
def nullable(size: int) -> st.SearchStrategy[Any]:
    values: dict[str, st.SearchStrategy[Any]] = {
        **{f"{sign}Int{bits}": st.integers(0, 127) for sign in ("", "U") for bits in (8, 16, 32, 64)},
        "Float32": st.floats(width=32, allow_nan=False), "Float64": st.floats(allow_nan=False), "boolean": st.booleans(),
    }  # fmt: skip

    @functools.cache
    def column(dtype: str) -> st.SearchStrategy[Any]:
        items = st.lists(values[dtype] | st.just(pd.NA), min_size=size, max_size=size)
        return items.map(lambda found: pd.array(found, dtype=dtype))

    return st.sampled_from(sorted(values)).flatmap(column)


@functools.cache
def strings(size: int) -> st.SearchStrategy[Any]:
    dtypes: list[Any] = [pd.StringDtype(storage) for storage in ("python", "pyarrow")]
    if not pd.__version__.startswith("2.2."):
        dtypes += [pd.StringDtype(storage, np.nan) for storage in ("python", "pyarrow")]
    items = st.lists(text | st.none(), min_size=size, max_size=size)
    made = st.builds(lambda found, dtype: pd.array(found, dtype=dtype), items, st.sampled_from(dtypes))
    odd = st.lists(any_text | st.none(), min_size=size, max_size=size)
    return made | odd.map(lambda found: pd.array(found, dtype=pd.StringDtype("python")))


@functools.cache
def zoned(size: int) -> st.SearchStrategy[Any]:
    def make(values: list[int | None], unit: str, zone: Any) -> Any:
        naive = np.array(
            [np.datetime64("NaT" if value is None else value // 10**6, "us") for value in values], "M8[us]"
        )
        return pd.Series(naive.astype(f"M8[{unit}]")).dt.tz_localize("UTC").dt.tz_convert(zone).array

    return st.builds(make, st.lists(instants | st.none(), min_size=size, max_size=size), st.sampled_from(UNITS), zones)


@functools.cache
def periods(size: int) -> st.SearchStrategy[Any]:
    values = st.lists(st.integers(-9999, 9999), min_size=size, max_size=size)
    freqs = st.sampled_from(["D", "M", "Q-NOV", "Y-DEC", "h", "2W-TUE", "15min", "ns"])

    def make(ordinals: list[int], freq: str, gone: bool) -> Any:
        found = np.array(ordinals, "int64")
        if gone and size:
            found[0] = np.iinfo("int64").min
        return pd.arrays.PeriodArray(found, dtype=pd.PeriodDtype(freq))

    return st.builds(make, values, freqs, st.booleans())


@functools.cache
def intervals(size: int) -> st.SearchStrategy[Any]:
    def make(starts: list[int], closed: Any, kind: str, gone: bool) -> Any:
        left: Any = np.array(starts, "int64")
        right: Any = left + 3
        if kind == "time":
            left, right = pd.to_datetime(left, unit="s"), pd.to_datetime(right, unit="s")
        if kind == "zone":
            left, right = (
                pd.to_datetime(each, unit="s", utc=True).tz_convert("Europe/Berlin") for each in (left, right)
            )
        if kind == "span":
            left, right = pd.to_timedelta(left, unit="s"), pd.to_timedelta(right, unit="s")
        if kind == "float":
            left, right = left.astype(float), right.astype(float)
            if gone and size:
                left[0] = right[0] = np.nan
        return pd.arrays.IntervalArray.from_arrays(left, right, closed=closed)

    starts = st.lists(st.integers(-9999, 9999), min_size=size, max_size=size)
    closed = st.sampled_from(["left", "right", "both", "neither"])
    kinds = st.sampled_from(["int", "float", "time", "zone", "span"])
    return st.builds(make, starts, closed, kinds, st.booleans())


@functools.cache
def sparse(size: int) -> st.SearchStrategy[Any]:
    ints = st.builds(
        lambda items, fill: pd.arrays.SparseArray(np.array(items, "int64"), fill_value=fill),
        st.lists(st.integers(0, 2), min_size=size, max_size=size), st.integers(0, 2),
    )  # fmt: skip
    floats_ = st.lists(st.sampled_from([0.0, 1.5, float("nan")]), min_size=size, max_size=size)
    bools = st.lists(st.booleans(), min_size=size, max_size=size)
    return (
        ints
        | floats_.map(lambda items: pd.arrays.SparseArray(np.array(items, "float64")))
        | bools.map(lambda items: pd.arrays.SparseArray(np.array(items, "bool")))
    )


@functools.cache
def categories(size: int) -> st.SearchStrategy[Any]:
    def make(values: Any, codes: list[int], ordered: bool) -> Any:
        index = pd.Index(values, dtype=values.dtype)
        index = index[~index.isna()].unique()
        found = np.array([code % (len(index) + 1) - 1 for code in codes], "int8")
        return pd.Categorical.from_codes(found, categories=index, ordered=ordered)  # type: ignore[arg-type]

    named = st.one_of(plain(3).filter(lambda values: values.dtype.char not in "eFDFG" and values.dtype.isnative), strings(3), zoned(3), periods(3), intervals(3), nullable(3),
                      st.lists(hashable, min_size=3, max_size=3).map(_objects))  # fmt: skip
    return st.builds(make, named, st.lists(st.integers(0, 9), min_size=size, max_size=size), st.booleans())


_ARROW: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (pa.int8(), st.integers(-9, 9)), (pa.uint64(), st.integers(0, 2**64 - 1)), (pa.float32(), st.floats(width=32)), (pa.float64(), floats),
    (pa.bool_(), st.booleans()), (pa.string(), text), (pa.large_string(), text), (pa.binary(), st.binary(max_size=4)), (pa.binary(2), st.binary(min_size=2, max_size=2)),
    (pa.date32(), st.dates()), (pa.date64(), st.dates()), (pa.time32("s"), st.times().map(lambda value: value.replace(microsecond=0))), (pa.time64("us"), st.times()),
    (pa.timestamp("s"), st.datetimes().map(lambda value: value.replace(microsecond=0))), (pa.timestamp("us", "Europe/Berlin"), st.datetimes(datetime.datetime(1900, 1, 1), timezones=st.just(datetime.UTC))),
    (pa.timestamp("ns"), st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))), (pa.duration("ms"), st.integers(-999, 999).map(lambda value: datetime.timedelta(milliseconds=value))),
    (pa.decimal128(9, 2), st.decimals(-999, 999, places=2)), (pa.dictionary(pa.int8(), pa.string()), text), (pa.dictionary(pa.int32(), pa.int64()), st.integers(0, 3)), (pa.null(), st.none()),
]  # fmt: skip


@functools.cache
def _nested(pair: tuple[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    type_, values = pair
    values = values | st.none()
    return st.sampled_from([
        (pa.list_(type_), st.lists(values, max_size=3)), (pa.large_list(type_), st.lists(values, max_size=3)),
        (pa.list_(type_, 2), st.lists(values, min_size=2, max_size=2)), (pa.struct([("a", type_), ("b", pa.string())]), st.fixed_dictionaries({"a": values, "b": text})),
        (pa.map_(pa.string(), type_), st.dictionaries(text, values, max_size=2).map(lambda found: [*found.items()])),
    ])  # fmt: skip


@functools.cache
def arrow(size: int) -> st.SearchStrategy[Any]:
    types = st.recursive(st.sampled_from(_ARROW), lambda inner: inner.flatmap(_nested), max_leaves=2)

    @functools.cache
    def column(pair: tuple[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
        type_, values = pair
        items = st.lists(values | st.none(), min_size=size, max_size=size)
        return items.map(lambda found: pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(found, type_)])))

    return types.flatmap(column)


KINDS: tuple[Callable[[int], st.SearchStrategy[Any]], ...] = (
    objects, plain, nullable, strings, zoned, periods, intervals, sparse, categories, arrow,
)  # fmt: skip


@functools.cache
def arrays(size: int) -> st.SearchStrategy[Any]:
    return st.sampled_from(KINDS).flatmap(lambda kind: kind(size))


names = st.none() | text | st.integers() | st.tuples(text, st.integers()) | st.dates()


@functools.cache
def indexes(size: int) -> st.SearchStrategy[Any]:
    def flat(values: Any, name: Any) -> Any:
        return pd.Index(values, dtype=values.dtype, name=name)

    def leveled(one: Any, other: Any, first: Any, second: Any) -> Any:
        try:
            return pd.MultiIndex.from_arrays([one, other], names=[first, second])
        except TypeError:  # pandas itself cannot sort some mixtures
            reject()

    usual = [objects, nullable, strings, zoned, periods, intervals, categories]
    numbers = plain(size).filter(lambda values: values.dtype.char not in "e" and values.dtype.isnative)
    single = st.builds(flat, st.sampled_from(usual).flatmap(lambda kind: kind(size)) | numbers, names)
    spaced = st.builds(
        lambda freq, zone, name: pd.date_range("2024-03-30", periods=size, freq=freq, tz=zone, name=name),
        st.sampled_from(["D", "MS", "2h", "W-TUE", "B"]), st.none() | zones, names,
    )  # fmt: skip
    spans = st.builds(lambda name: pd.timedelta_range("1h", periods=size, freq="5min", name=name), names)
    ranges = st.builds(
        lambda start, step, name: pd.RangeIndex(start, start + step * size, step, name=name),
        st.integers(-5, 5), st.integers(1, 3), names,
    )  # fmt: skip
    hashables = st.lists(hashable, min_size=size, max_size=size).map(_objects)
    levels = st.builds(
        leveled,
        numbers, hashables | strings(size) | zoned(size), names, names,
    )  # fmt: skip
    product = st.builds(
        lambda name: pd.MultiIndex.from_product([[*range(size)], ["x", "y"]], names=[name, None])[::2], names
    )
    return st.one_of(ranges, single, spaced, spans, levels, product)


@functools.cache
def labels(width: int) -> st.SearchStrategy[Any]:
    names = st.lists(text, min_size=width, max_size=width)
    texts = st.builds(lambda items, dtype: pd.Index(items, dtype=dtype), names, st.sampled_from([object, None]))
    return texts | indexes(width)


sizes = st.integers(0, 4)
seldom = st.sampled_from([False, False, False, True])


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows, width = draw(sizes), draw(sizes)
    index = draw(indexes(rows))
    arrays_ = [draw(arrays(rows)) for _ in range(width)]
    columns = [pd.Series(values, dtype=values.dtype, index=index) for values in arrays_]
    frame = pd.DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = draw(labels(width))
    if draw(seldom):
        frame.attrs = {"made by": draw(cells)}
    return frame
