"""Columns of pandas as arrays of Arrow and back: one `Kind` a family of dtypes, with a small JSON that restores each.

Called by `axes` and `tables`. Where Arrow has no faithful type (objects, zones, categories, complex numbers), the array
holds what it can hold and the JSON says the rest. Imports pandas, so nothing may import this module before a frame
exists.
"""

from __future__ import annotations

import base64
import datetime
import functools
import io
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from alula.types.frames import cells
from alula.types.mismatches import Flaw, Mismatch

Spec = dict[str, Any]
MAX_ASIDE = 256 << 20
"""Bytes of categories, levels or columns of unusual Arrow types, which lie in the footer of the file."""


class Kind(NamedTuple):
    """A family of dtypes: which ones, its Arrow array with the JSON that restores it, and the way back."""

    takes: Callable[[Any], bool]
    encode: Callable[[Any, str], tuple[Any, Spec]]
    decode: Callable[[Any, Spec], Any]


def encode(array: Any, where: str) -> tuple[Any, Spec]:
    """The Arrow array of a pandas array (`Series.array`, `Index.array`) and what restores it.

    Args:
        array: The values.
        where: How messages call the column: `column 'a'`.

    Raises:
        Mismatch: Something has no faithful form; names the rows.
    """
    hint = "convert it with .astype(...)"
    if type(array) is pd.arrays.NumpyExtensionArray:  # strings are a subclass of it
        array = array.to_numpy()
    for name, each in KINDS.items():
        if each.takes(array.dtype):
            try:
                found, spec = each.encode(array, where)
            except pa.ArrowException as error:  # such as an instant that no file can hold
                raise Mismatch(f"{where} has no form in parquet: {first_line(error)}", hint) from error
            return found, {"as": name, **spec}
    raise Mismatch(f"{where} has the dtype {array.dtype}, which has no form in parquet", hint)


def decode(array: Any, spec: Spec) -> Any:
    """The pandas array or numpy array that `encode` was given."""
    return KINDS[spec["as"]].decode(array, spec)


def first_line(problem: BaseException) -> str:
    """What an error of another library says, in a line."""
    return str(problem).partition("\n")[0][:300]


def aside(table: Any) -> str:
    """A small table as text, for the footer."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    if sink.tell() > MAX_ASIDE:
        raise Mismatch(f"{sink.tell():,} bytes of categories, index levels or unusual Arrow values are too many")
    return base64.b64encode(sink.getvalue()).decode()


def from_aside(text: str) -> Any:
    """The table of such a text."""
    with pa.ipc.open_stream(base64.b64decode(text)) as reader:
        return reader.read_all()


def joined(column: Any) -> Any:
    """A column of a table as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _writable(array: Any) -> Any:
    return array if array.flags.writeable else array.copy()


def _numbers(array: Any, where: str) -> tuple[Any, Spec]:
    values = np.asarray(array)
    found = pa.array(values, from_pandas=False)
    if found.type == pa.timestamp("s"):
        try:
            found = found.cast(pa.timestamp("ms"))
        except pa.ArrowInvalid:  # millions of years from now
            found, spec = _raw(array, where)
            return found, {"as": "raw", **spec}
    return found, {"dtype": values.dtype.str}


def _numbers_of(array: Any, spec: Spec) -> Any:
    return _writable(array.to_numpy(zero_copy_only=False).astype(spec["dtype"], copy=False))


def _raw(array: Any, where: str) -> tuple[Any, Spec]:
    values = np.ascontiguousarray(np.asarray(array))
    type_ = pa.binary(values.dtype.itemsize)
    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(values)]), {"dtype": values.dtype.str}


def _raw_of(array: Any, spec: Spec) -> Any:
    size = np.dtype(spec["dtype"]).itemsize
    start = array.offset * size
    data = array.buffers()[1]
    return np.frombuffer(data, np.uint8)[start : start + len(array) * size].copy().view(spec["dtype"])


def _zoned(array: Any, where: str) -> tuple[Any, Spec]:
    try:
        zone = cells.zone_form(array.dtype.tz)
    except Mismatch as mismatch:
        raise Mismatch(flaws=cells.refused(where, mismatch)) from None
    values = np.asarray(array.tz_convert(None))
    unit = array.dtype.unit
    return pa.array(values).cast(pa.timestamp("ms" if unit == "s" else unit, "UTC")), {"unit": unit, "zone": zone}


def _zoned_of(array: Any, spec: Spec) -> Any:
    unit = spec["unit"]
    values = array.cast(pa.timestamp(array.type.unit)).to_numpy(zero_copy_only=False).astype(f"M8[{unit}]", copy=False)
    naive: Any = pd.Series(_writable(values)).array
    return naive.tz_localize("UTC").tz_convert(cells.zone_of(spec["zone"]))


def _periods(array: Any, where: str) -> tuple[Any, Spec]:
    return pa.array(np.asarray(array.asi8)), {"dtype": array.dtype.name}


def _periods_of(array: Any, spec: Spec) -> Any:
    return pd.arrays.PeriodArray(_writable(array.to_numpy(zero_copy_only=False)), dtype=_dtype(spec))


def _intervals(array: Any, where: str) -> tuple[Any, Spec]:
    left, left_spec = encode(array.left.array, where)
    right, right_spec = encode(array.right.array, where)
    found = pa.StructArray.from_arrays([left, right], names=["left", "right"])
    return found, {"closed": array.closed, "left": left_spec, "right": right_spec}


def _intervals_of(array: Any, spec: Spec) -> Any:
    left, right = (decode(array.field(side), spec[side]) for side in ("left", "right"))
    return pd.arrays.IntervalArray.from_arrays(left, right, closed=spec["closed"])


def _categories(array: Any, where: str) -> tuple[Any, Spec]:
    values, spec = encode(array.dtype.categories.array, f"{where}, its categories")
    kept = aside(pa.table({"v": values}))
    return pa.array(np.asarray(array.codes)), {"categories": kept, "values": spec, "ordered": array.dtype.ordered}


def _categories_of(array: Any, spec: Spec) -> Any:
    values = decode(joined(from_aside(spec["categories"]).column(0)), spec["values"])
    dtype = pd.CategoricalDtype(pd.Index(values, dtype=values.dtype), spec["ordered"])
    return pd.Categorical.from_codes(_writable(array.to_numpy(zero_copy_only=False)), dtype=dtype)


def _sparse(array: Any, where: str) -> tuple[Any, Spec]:
    dense, spec = encode(pd.Series(array.to_dense()).array, where)
    return dense, {"dense": spec, "fill": cells.dump(array.dtype.fill_value)}


def _sparse_of(array: Any, spec: Spec) -> Any:
    dense = np.asarray(decode(array, spec["dense"]))
    fill = cells.load(spec["fill"])
    return pd.arrays.SparseArray(dense, fill_value=fill, dtype=pd.SparseDtype(dense.dtype, fill))


def _nullable(array: Any, where: str) -> tuple[Any, Spec]:
    return pa.array(array), {"dtype": array.dtype.name}


def _nullable_of(array: Any, spec: Spec) -> Any:
    return _dtype(spec).__from_arrow__(array)


def _dtype(spec: Spec) -> Any:
    return pd.api.types.pandas_dtype(spec["dtype"])


def _text(array: Any, where: str) -> tuple[Any, Spec]:
    dtype = array.dtype
    spec = {"storage": dtype.storage, "missing": "NA" if dtype.na_value is pd.NA else "nan"}
    try:
        return pa.array(array, pa.large_string()), spec
    except UnicodeEncodeError:  # lone surrogates, in Python's storage
        return pa.array(_texts(array.astype(object), where), pa.large_string()), {**spec, "cells": "json"}


def _text_of(array: Any, spec: Spec) -> Any:
    alone = spec["missing"] == "NA" or spec["storage"] == "pyarrow_numpy"  # as pandas 2.2 knows them
    dtype: Any = pd.StringDtype(spec["storage"]) if alone else pd.StringDtype(spec["storage"], np.nan)
    if "cells" in spec:
        return pd.array(np.fromiter(cells.load_each(array.to_pylist()), object, len(array)), dtype=dtype)
    return dtype.__from_arrow__(array)


def _arrow(array: Any, where: str) -> tuple[Any, Spec]:
    found = joined(array.__arrow_array__())
    if _parquet_keeps(found.type) and _is_sound(found):
        return found, {"type": aside(pa.schema([("v", found.type)]).empty_table())}
    return pa.nulls(len(found)), {"kept": aside(pa.table({"v": found}))}


def _arrow_of(array: Any, spec: Spec) -> Any:
    if "kept" in spec:
        return pd.arrays.ArrowExtensionArray(from_aside(spec["kept"]).column(0)[: len(array)])
    wanted = from_aside(spec["type"]).column(0).type
    return pd.arrays.ArrowExtensionArray(
        pa.chunked_array([array if array.type.equals(wanted, check_metadata=True) else array.cast(wanted)])
    )


def _is_sound(array: Any) -> bool:
    """Whether lists come back well-formed: not those of nulls alone, nor of one size with gaps (pyarrow 26)."""
    type_ = array.type
    if not pa.types.is_nested(type_) or not re.search(r"\b(null|fixed_size_list)\b", str(type_)):
        return True
    return pa.types.is_fixed_size_list(type_) and pa.types.is_primitive(type_.value_type) and not array.null_count


@functools.cache
def _parquet_keeps(type: Any) -> bool:
    """Whether a file gives back values of an Arrow type as they were: its type too, and a dictionary's order."""
    if "dictionary" in str(type):
        return False
    sink = io.BytesIO()
    schema = pa.schema([("v", type)])
    try:
        pa.parquet.write_table(schema.empty_table(), sink)
        return bool(pa.parquet.read_schema(sink).equals(schema, check_metadata=False))
    except (pa.ArrowException, NotImplementedError):
        return False


_PLAIN: dict[type, Any] = {
    str: pa.large_string(),
    bytes: pa.large_binary(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime.date: pa.date32(),
}
"""Python types whose values Arrow gives back as they were."""

_MISSING: dict[type, tuple[str, Any]] = {
    type(None): ("None", None),
    float: ("nan", np.nan),
    type(pd.NA): ("NA", pd.NA),
    type(pd.NaT): ("NaT", pd.NaT),
}


def _objects(array: Any, where: str) -> tuple[Any, Spec]:
    values = np.asarray(array, dtype=object)
    kinds = set(map(type, values))
    plain = kinds - _MISSING.keys() or (kinds & {float})
    missing = kinds - plain
    if len(plain) == 1 and len(missing) <= 1 and plain <= _PLAIN.keys():
        found = _plain_objects(values, *plain, *missing)
        if found is not None:
            return found
    return pa.array(_texts(values, where), pa.large_string()), {"cells": "json"}


def _plain_objects(values: Any, plain: type, missing: type | None = None) -> tuple[Any, Spec] | None:
    """The values as Arrow's own, where that is faithful."""
    gone = None
    if missing is not None:
        gone = np.fromiter((type(value) is missing for value in values), bool, len(values))
        if missing is float and not all(map(math.isnan, values[gone])):
            return None
    try:
        found = pa.array(values, _PLAIN[plain], mask=gone, from_pandas=False)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):  # ints beyond 64 bits, lone surrogates
        return None
    return found, {"cells": plain.__name__, **({"missing": _MISSING[missing][0]} if missing is not None else {})}


def _texts(values: Any, where: str) -> list[str]:
    texts: list[str] = []
    flaws: list[Flaw] = []
    for row, value in enumerate(values):
        try:
            texts.append(cells.dump(value))
        except Mismatch as mismatch:
            flaws += cells.refused(f"{where}, row {row}", mismatch)
            if len(flaws) >= 3:
                break
    if flaws:
        raise Mismatch(flaws=flaws)
    return texts


def _objects_of(array: Any, spec: Spec) -> Any:
    if spec["cells"] == "json":
        return np.fromiter(cells.load_each(array.to_pylist()), dtype=object, count=len(array))
    if spec["cells"] in {"str", "bytes"}:
        found = _writable(array.to_numpy(zero_copy_only=False))
    else:
        found = np.fromiter(array.to_pylist(), dtype=object, count=len(array))
    if spec.get("missing", "None") != "None":
        values = dict(_MISSING.values())
        found[array.is_null().to_numpy(zero_copy_only=False)] = values[spec["missing"]]
    return found


def _numpy(kinds: str) -> Callable[[Any], bool]:
    return lambda dtype: (
        isinstance(dtype, np.dtype) and dtype.kind in kinds and dtype.isnative and dtype.char not in "gGe"
    )


_NULLABLE: frozenset[type] = frozenset(
    type(pd.api.types.pandas_dtype(name))
    for name in (
        *("boolean", "Float32", "Float64"),
        *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    )
)

KINDS: dict[str, Kind] = {
    "numbers": Kind(_numpy("biufmM"), _numbers, _numbers_of),
    "objects": Kind(lambda dtype: dtype == np.dtype(object), _objects, _objects_of),
    "raw": Kind(
        lambda dtype: isinstance(dtype, np.dtype) and dtype.kind in "biufcmM" and dtype.char not in "gG", _raw, _raw_of
    ),
    "text": Kind(lambda dtype: isinstance(dtype, pd.StringDtype), _text, _text_of),
    "zoned": Kind(lambda dtype: isinstance(dtype, pd.DatetimeTZDtype), _zoned, _zoned_of),
    "categories": Kind(lambda dtype: isinstance(dtype, pd.CategoricalDtype), _categories, _categories_of),
    "nullable": Kind(lambda dtype: type(dtype) in _NULLABLE, _nullable, _nullable_of),
    "arrow": Kind(lambda dtype: isinstance(dtype, pd.ArrowDtype), _arrow, _arrow_of),
    "periods": Kind(lambda dtype: isinstance(dtype, pd.PeriodDtype), _periods, _periods_of),
    "intervals": Kind(lambda dtype: isinstance(dtype, pd.IntervalDtype), _intervals, _intervals_of),
    "sparse": Kind(lambda dtype: isinstance(dtype, pd.SparseDtype), _sparse, _sparse_of),
}
"""By the names that stand in files, so these are for ever; the first that takes a dtype is used."""
