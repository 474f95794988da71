"""What user code can see of a frame, as plain nested tuples that can be compared: types, order, units, zones, NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def of_frame(frame: pd.DataFrame) -> tuple[Any, ...]:
    columns = tuple(of_array(frame.iloc[:, position].array) for position in range(frame.shape[1]))
    return frame.shape, of_index(frame.columns), of_index(frame.index), columns, of_cell(frame.attrs)


def of_index(index: Any) -> tuple[Any, ...]:
    names = tuple(of_cell(name) for name in index.names)
    if isinstance(index, pd.MultiIndex):
        codes = tuple(tuple(map(int, each)) for each in index.codes)
        return "MultiIndex", names, tuple(of_index(level) for level in index.levels), codes
    freq = repr(getattr(index, "freq", None)) if not isinstance(index, pd.PeriodIndex) else ""
    return type(index).__name__, names, of_array(index.array), freq


def of_array(array: Any) -> tuple[Any, ...]:
    return of_dtype(array.dtype), tuple(of_cell(value) for value in array)


def of_dtype(dtype: Any) -> Any:
    if isinstance(dtype, pd.CategoricalDtype):
        return "category", dtype.ordered, of_array(dtype.categories.array)
    if isinstance(dtype, pd.StringDtype):
        return "string", dtype.storage, repr(dtype.na_value)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "zone", dtype.unit, repr(dtype.tz)
    return type(dtype).__name__, repr(dtype)


def of_cell(value: Any) -> Any:
    name = type(value).__name__
    if isinstance(value, (set, frozenset)):
        return name, tuple(sorted((of_cell(item) for item in value), key=repr))
    if isinstance(value, dict):
        return name, tuple((of_cell(key), of_cell(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return name, tuple(of_cell(item) for item in value)
    if isinstance(value, np.ndarray):
        return name, value.dtype.str, value.shape, tuple(of_cell(item) for item in value.ravel())
    if isinstance(value, (pd.Timestamp, pd.Timedelta)) and value is not pd.NaT:
        return name, repr(value), value.unit, repr(getattr(value, "tz", None)), getattr(value, "fold", 0)
    return name, repr(value)
