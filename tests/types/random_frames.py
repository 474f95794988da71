"""The property of what a store gives back, over frames at random: read, they show user code what was written.

`python -m tests.types.random_frames COUNT [SEED]` tries COUNT cases, frames and single columns by turns, and prints the
smallest that breaks it.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from alula.types.frames import pandas, tables
from tests.types import frame_strategies, sight

ROUND = 500
"""Cases that one search makes: what it remembers of them grows, and so does the time that each takes."""


def try_frame(value: pd.DataFrame, path: Path) -> None:
    """A frame comes back through a file and from memory as user code saw it, and makes the same bytes again."""
    seen = sight.of_frame(value)
    tables.write(value, path)
    written = path.read_bytes()
    back = tables.read(path)
    assert sight.of_frame(back) == seen
    assert sight.of_frame(pandas.CODEC.snapshot(value)()) == seen
    again = pa.BufferOutputStream()
    pa.parquet.write_table(tables.encode(back), again, compression="zstd")  # as `tables.write`, which has proved it
    assert again.getvalue().to_pybytes() == written


def try_column(values: Any) -> None:
    """A column of any dtype comes back; what is then changed in it changes nothing of what was stored."""
    value = pd.DataFrame({"a": pd.Series(values, dtype=values.dtype)})
    seen = sight.of_frame(value)
    back = tables.decode(tables.encode(value))
    assert sight.of_frame(back) == seen
    if len(values) > 1 and not isinstance(values.dtype, (pd.SparseDtype, pd.ArrowDtype)):
        back.iloc[0, 0] = back.iloc[1, 0] if values.dtype != object else None
        back.loc[:, "a"].to_numpy()
    assert sight.of_frame(value) == seen


columns = st.integers(0, 3).flatmap(
    lambda size: st.sampled_from(frame_strategies.KINDS).flatmap(lambda kind: kind(size))
)


def search(values: st.SearchStrategy[Any], number: int, count: int, try_one: Callable[[Any], None]) -> int:
    """Try `count` values, those of round `number`; returns how many there were."""
    tried = 0

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(values)
    def look(value: Any) -> None:
        nonlocal tried
        try_one(value)
        tried += 1

    look()
    return tried


def main() -> int:
    """Try many, print what breaks the property."""
    gc.freeze()
    gc.set_threshold(100_000)
    wanted, number = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    frames = found = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.parquet"
        while frames + found < wanted:
            frames += search(frame_strategies.frames(), number, ROUND, lambda frame: try_frame(frame, path))
            found += search(columns, number, ROUND, try_column)
            print(f"round {number}: {frames} frames and {found} columns, no counterexample", flush=True)
            number += 1
    print(f"{frames + found} cases ({frames} frames and {found} columns), 0 counterexamples")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
