"""pandas: index kept, text in object columns as it was. pandas is never imported before a value of the type exists."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from alula.types.mismatches import Flaw, Mismatch, kind

if TYPE_CHECKING:
    from pathlib import Path

    from alula.types.frames.codec import FrameCodec


class _Pandas:
    label = "pandas.DataFrame"

    def claims(self, annotation: Any) -> bool:
        return (
            isinstance(annotation, type)
            and annotation.__name__ == "DataFrame"
            and annotation.__module__.partition(".")[0] == "pandas"
        )

    def hint(self, value: Any) -> str:
        if type(value).__name__ == "Series":
            return "write series.to_frame()"
        if hasattr(type(value), "to_pandas"):
            return "write value.to_pandas()"
        if isinstance(value, (list, dict)) or type(value).__name__ == "ndarray":
            return "write pandas.DataFrame(...)"
        return ""

    def check(self, value: Any) -> None:
        _require_portable(value)

    def write(self, value: Any, path: Path) -> None:
        _require_pyarrow()
        try:
            value.to_parquet(path, engine="pyarrow", compression="zstd")
        except Exception as problem:  # pyarrow's many ways to say that a column has no parquet type
            raise Mismatch(f"the frame cannot be written as parquet: {_first_line(problem)}") from problem

    def read(self, path: Path) -> Any:
        _require_pyarrow()
        import pandas

        return _with_objects(pandas.read_parquet(path, engine="pyarrow"), path)

    def read_text(self, path: Path, separator: str) -> Any:
        import pandas

        return pandas.read_csv(path, sep=separator)

    def copy(self, value: Any) -> Any:
        """Shallow where pandas copies on write."""
        return value.copy(deep=not _copies_on_write())


CODEC: FrameCodec = _Pandas()


def _copies_on_write() -> bool:
    import pandas

    if int(pandas.__version__.partition(".")[0]) >= 3:
        return True
    return pandas.get_option("mode.copy_on_write") is True


def _require_portable(value: Any) -> None:
    """Refuse what parquet would change in silence, naming column and row."""
    if value.columns.nlevels > 1:
        raise Mismatch("the columns are a MultiIndex", 'write df.columns = ["_".join(c) for c in df.columns]')
    for label in value.columns:
        if not isinstance(label, str):
            raise Mismatch(f"the column name {label!r} is not a str", "write df.columns = df.columns.astype(str)")
    twice = value.columns[value.columns.duplicated()]
    if len(twice):
        places = [index for index, label in enumerate(value.columns) if label == twice[0]]
        raise Mismatch(f"the column {twice[0]!r} exists twice (positions {places})", "rename or drop one of them")
    flaws = [flaw for label, column in value.items() if column.dtype == object for flaw in _mixed(label, column)]
    flaws += [
        flaw
        for level in range(value.index.nlevels)
        if value.index.get_level_values(level).dtype == object
        for flaw in _mixed("(the index)", value.index.get_level_values(level).to_series())
    ]
    if flaws:
        raise Mismatch(flaws=flaws)


def _mixed(label: Any, column: Any) -> list[Flaw]:
    """The first row of an object column whose type is another than that of the rows before it."""
    missing = column.isna().to_numpy()
    values = column.to_numpy()
    first: type | None = None
    for row, (value, gone) in enumerate(zip(values, missing, strict=True)):
        if gone is True or (not isinstance(gone, (list, tuple)) and bool(gone)):
            continue
        if first is None:
            first = type(value)
        elif type(value) is not first:
            message = f"column {label!r} holds {first.__name__} and, in row {row}, {kind(value)}"
            return [Flaw((), message, f"convert it: df[{label!r}] = df[{label!r}].astype(...)")]
    if first is not None and first in {int, bool} and missing.any():
        row = int(missing.argmax())
        dtype = {int: "Int64", bool: "boolean"}[first]
        message = f"column {label!r} holds {first.__name__} and, in row {row}, nothing"
        return [Flaw((), message, f'write df[{label!r}].astype("{dtype}")')]
    return []


def _with_objects(value: Any, path: Path) -> Any:
    """Text that was in object columns, in object columns again: pandas 3 reads all text as its own `str` type."""
    import json

    import pyarrow.parquet

    described = json.loads((pyarrow.parquet.read_schema(path).metadata or {}).get(b"pandas", b"{}"))
    names = {
        column["field_name"]
        for column in described.get("columns", ())
        if column["numpy_type"] == "object" and column["pandas_type"] in {"unicode", "string", "empty"}
    }
    for name in names & set(value.columns):
        if value[name].dtype != object:
            value[name] = _as_object(value[name])
    levels = [level for level in described.get("index_columns", ()) if isinstance(level, str)]
    if len(levels) == value.index.nlevels == 1 and levels[0] in names and value.index.dtype != object:
        value.index = value.index.astype(object)
    return value


def _as_object(column: Any) -> Any:
    plain = column.astype(object)
    return plain.where(column.notna(), None) if column.hasnans else plain


def _require_pyarrow() -> None:
    if "pyarrow" in sys.modules:
        return
    import importlib.util

    if importlib.util.find_spec("pyarrow") is None:
        raise Mismatch("frames travel as parquet, which needs pyarrow", "install alula[pandas]")


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0][:300]
