"""Indexes of pandas, of rows as of columns, as arrays of Arrow and back: names, levels, ranges and frequencies kept.

Called by `tables`. Imports pandas, so nothing may import this module before a frame exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from alula.types.frames import cells, columns
from alula.types.mismatches import Flaw, Mismatch


def encode(index: Any, where: str) -> tuple[list[Any], columns.Spec]:
    """The arrays of an index, each as long as it is, and what restores it.

    Raises:
        Mismatch: Something has no faithful form.
    """
    names = [_text(name, f"{where}, its name") for name in index.names]
    if type(index) is pd.RangeIndex:
        return [], {"names": names, "range": [index.start, index.stop, index.step]}
    if isinstance(index, pd.MultiIndex):
        levels = [aside(level, f"{where}, level {number}") for number, level in enumerate(index.levels)]
        codes = [pa.array(np.asarray(each)) for each in index.codes]
        return codes, {"names": names, "levels": levels, "sorted": index.sortorder}  # type: ignore[attr-defined]
    array, spec = columns.encode(index.array, where)
    return [array], {"names": names, "values": spec, "freq": _freq(index, where)}


def decode(arrays: Sequence[Any], spec: columns.Spec) -> Any:
    """The index that `encode` was given."""
    names = [cells.load(name) for name in spec["names"]]
    if "range" in spec:
        start, stop, step = spec["range"]
        return pd.RangeIndex(start, stop, step, name=names[0])
    if "levels" in spec:
        levels = [from_aside(level) for level in spec["levels"]]
        codes = [array.to_numpy(zero_copy_only=False) for array in arrays]
        return pd.MultiIndex(levels, codes, sortorder=spec["sorted"], names=names, verify_integrity=False)
    values = columns.decode(arrays[0], spec["values"])
    found = pd.Index(values, dtype=values.dtype, name=names[0], copy=False)
    if spec["freq"] is not None:
        found.freq = spec["freq"]
    return found


def aside(index: Any, where: str) -> columns.Spec:
    """A small index as JSON, for the footer."""
    arrays, spec = encode(index, where)
    if arrays:
        spec["data"] = columns.aside(pa.table(arrays, names=[str(number) for number in range(len(arrays))]))
    return spec


def from_aside(spec: columns.Spec) -> Any:
    """The index of such JSON."""
    table = columns.from_aside(spec["data"]).columns if "data" in spec else []
    return decode([columns.joined(column) for column in table], spec)


def _freq(index: Any, where: str) -> str | None:
    freq = index.freq if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    if freq is None:
        return None
    try:
        same = pd.tseries.frequencies.to_offset(freq.freqstr) == freq
    except ValueError:
        same = False
    if not same:
        raise Mismatch(
            f"{where} has the frequency {freq!r}, whose text does not say all of it", "write df.index.freq = None"
        )
    return str(freq.freqstr)


def _text(value: Any, where: str) -> str:
    try:
        return cells.dump(value)
    except Mismatch as mismatch:
        flaws: list[Flaw] = cells.refused(where, mismatch)
        raise Mismatch(flaws=flaws) from None
