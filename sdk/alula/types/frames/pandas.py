"""pandas, which is never imported before a value of the type exists; `tables` says what a frame is in parquet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from alula.types.mismatches import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable
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

    def snapshot(self, value: Any) -> Callable[[], Any]:
        _require_pyarrow()
        from alula.types.frames import tables

        if _copies_on_write() and tables.is_plain(value):
            kept = value.copy(deep=False)
            return lambda: kept.copy(deep=False)
        table = tables.encode(value.copy())  # arrays of Arrow share their memory with the columns that they are made of
        return lambda: tables.decode(table)

    def write(self, value: Any, path: Path) -> None:
        _require_pyarrow()
        from alula.types.frames import tables

        tables.write(value, path)

    def read(self, path: Path) -> Any:
        _require_pyarrow()
        from alula.types.frames import tables

        return tables.read(path)

    def read_text(self, path: Path, separator: str) -> Any:
        import pandas

        try:
            return pandas.read_csv(path, sep=separator)
        except UnicodeDecodeError as error:
            hint = f"convert it: iconv -f latin1 -t utf-8 {path}"
            raise Mismatch(
                f"the table {path} must be UTF-8, and holds the byte 0x{error.object[error.start]:02x}", hint
            ) from None
        except ValueError as error:  # nothing in it, or lines of other lengths
            raise Mismatch(f"the table {path} cannot be read: {str(error).strip()}") from None


CODEC: FrameCodec = _Pandas()


def _copies_on_write() -> bool:
    import pandas

    if int(pandas.__version__.partition(".")[0]) >= 3:
        return True
    return pandas.get_option("mode.copy_on_write") is True


def _require_pyarrow() -> None:
    if "pyarrow" in sys.modules:
        return
    import importlib.util

    if importlib.util.find_spec("pyarrow") is None:
        raise Mismatch("frames travel as parquet, which needs pyarrow", "install alula[pandas]")
