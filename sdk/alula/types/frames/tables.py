"""A pandas frame as a table of Arrow and as parquet: the columns, and in the footer what restores them.

Called by `pandas` alone. A file of ours has the key `alula.frame`; any other is read as pandas reads it. Equal frames
make equal bytes under one version of pyarrow. Imports pandas, so nothing may import this module before a frame exists.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from alula.types.frames import axes, cells, columns
from alula.types.mismatches import MOST, Flaw, Mismatch

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"alula.frame"
VERSION = 1


def is_plain(frame: pd.DataFrame) -> bool:
    """Whether two copies on write of a frame share nothing that can be changed; checks what `encode` would of the rest.

    Raises:
        Mismatch: The index or the labels have no faithful form.
    """
    if frame.attrs or not all(map(_plain_dtype, (*frame.dtypes, frame.index.dtype))):
        return False
    axes.encode(frame.index, "the index")
    axes.aside(frame.columns, "the labels of the columns")
    return True


def _plain_dtype(dtype: Any) -> bool:
    if isinstance(dtype, pd.StringDtype):
        return dtype.storage == "pyarrow"
    return isinstance(dtype, np.dtype) and dtype.kind in "biufmM" and dtype.char not in "gG"


def encode(frame: pd.DataFrame) -> Any:
    """The table of a frame.

    Raises:
        Mismatch: Something has no faithful form; names columns and rows, those of several columns together.
    """
    flaws: list[Flaw] = []
    arrays: list[Any] = []
    specs: list[columns.Spec] = []
    for position, label in enumerate(frame.columns):
        try:
            array, spec = columns.encode(frame.iloc[:, position].array, f"column {label!r}")
        except Mismatch as mismatch:
            flaws += mismatch.flaws
            continue
        arrays.append(array)
        specs.append(spec)
    found: dict[str, Any] = {"version": VERSION, "columns": specs}
    try:
        rows, found["index"] = axes.encode(frame.index, "the index")
        found["labels"] = axes.aside(frame.columns, "the labels of the columns")
        found["attrs"] = cells.dump(frame.attrs)
    except Mismatch as mismatch:
        flaws += mismatch.flaws
    if flaws:
        raise Mismatch(flaws=flaws[:MOST])
    found["unique"] = not frame.flags.allows_duplicate_labels
    table = pa.table([*arrays, *rows], names=_names(frame.columns, len(rows)))
    return table.replace_schema_metadata({KEY: json.dumps(found, sort_keys=True, separators=(",", ":"))})


def decode(table: Any, *, sample: bool = False) -> pd.DataFrame:
    """The frame of a table that `encode` made; for a `sample`, of one without its rows."""
    found = json.loads(table.schema.metadata[KEY])
    if found["version"] != VERSION:
        raise Mismatch(
            f"the frame has the form {found['version']}, and this alula reads {VERSION}", "use a newer alula"
        )
    specs = found["columns"]
    arrays = [columns.joined(column) for column in table.columns]
    if sample and "range" in found["index"]:
        found["index"]["range"] = [0, 0, 1]
    index = axes.decode(arrays[len(specs) :], found["index"])
    series = {
        position: pd.Series(values, index=index, dtype=values.dtype, copy=False)
        for position, spec in enumerate(specs)
        for values in [columns.decode(arrays[position], spec)]
    }
    frame = pd.DataFrame(series, index=index, copy=False)
    frame.columns = axes.from_aside(found["labels"])
    frame.attrs = cells.load(found["attrs"])
    return frame.set_flags(allows_duplicate_labels=False) if found["unique"] else frame


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write the parquet of a frame, and prove that reading gives it back.

    Raises:
        Mismatch: Something has no faithful form.
    """
    table = encode(frame)
    try:
        pa.parquet.write_table(table, path, compression="zstd")
        whole = any(map(pa.types.is_nested, table.schema.types))
        back = pa.parquet.ParquetFile(path).read() if whole else pa.parquet.read_schema(path).empty_table()
        problem = _difference(frame, table, back)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        problem = columns.first_line(error)
    if problem:
        raise Mismatch(f"the frame cannot be written as parquet: {problem}")


def read(path: Path) -> pd.DataFrame:
    """The frame of a parquet file, of ours or of another writer.

    Raises:
        Mismatch: pandas cannot read it.
    """
    try:
        with pa.parquet.ParquetFile(path) as file:
            if KEY in (file.schema_arrow.metadata or {}):
                return decode(file.read())
        return pd.read_parquet(path, engine="pyarrow")
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        hint = "take it as a File and read it in the task"
        raise Mismatch(f"pandas cannot read this parquet file: {columns.first_line(error)}", hint) from error


def _names(labels: Any, levels: int) -> list[str]:
    """Names for other readers of the file: the labels where they can be names."""
    rows = [f"__index_{level}__" for level in range(levels)]
    names = [*labels, *rows]
    if all(type(name) is str and name.isprintable() for name in names) and len(set(names)) == len(names):
        return names
    return [*(f"column_{position}" for position in range(len(labels))), *rows]


def _difference(frame: pd.DataFrame, table: Any, back: Any) -> str:
    """What is not as it was in what was read back; empty where all is."""
    if back.num_rows and not _equal(table, back):
        return "a nested column comes back with other values"
    sample = decode(back.slice(0, 0), sample=True)
    for label, before, after in zip(frame.columns, frame.dtypes, sample.dtypes, strict=True):
        if not _same(before, after):
            return f"column {label!r} of type {before} comes back as {after}"
    if not _same_labels(frame.columns, sample.columns) or sample.columns.names != frame.columns.names:
        return "the labels of the columns come back as others"
    if sample.index.names != frame.index.names or not _same(frame.index.dtype, sample.index.dtype):
        return f"the index of type {frame.index.dtype} comes back as {sample.index.dtype}"
    return ""


def _same_labels(before: Any, after: Any) -> bool:
    """Whether the labels of columns are those that they were."""
    if isinstance(before, pd.CategoricalIndex) and isinstance(after, pd.CategoricalIndex):
        return _same(before.dtype, after.dtype) and bool((before.codes == after.codes).all())
    if type(before) is type(after) and before.dtype == after.dtype == object:
        # pandas takes labels with lists in them for unequal to themselves; their stored form tells any two apart.
        return bool(axes.aside(before, "the labels") == axes.aside(after, "the labels"))
    return bool(after.equals(before))


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, pd.CategoricalDtype):  # pandas hashes the categories, which fails for some tuples
        same = isinstance(after, pd.CategoricalDtype) and before.categories.equals(after.categories)
        return same and before.ordered == after.ordered
    return bool(before == after)


def _equal(table: Any, back: Any) -> bool:
    """Whether the nested columns are equal, where NaN is NaN."""
    pairs: Sequence[tuple[Any, Any]] = [
        (before, after)
        for before, after in zip(table.columns, back.columns, strict=True)
        if pa.types.is_nested(before.type)
    ]
    for _, after in pairs:
        after.validate(full=True)  # comparing what is malformed may end the process
    return all(a.equals(b) or repr(a.to_pylist()) == repr(b.to_pylist()) for a, b in pairs)
