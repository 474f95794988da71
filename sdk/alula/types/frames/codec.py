"""What a library of frames must offer, and the type that is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from alula.types.carriers import keeping
from alula.types.files import _reference
from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alula.types.carriers import Carrier


class FrameCodec(Protocol):
    """One library of frames; none of its methods but `claims` is called before a value of the library exists.

    Attributes:
        label: The class as the user writes it: `pandas.DataFrame`.
    """

    label: str

    def claims(self, annotation: Any) -> bool:
        """Whether an annotation is this library's class, told without importing the library."""

    def hint(self, value: Any) -> str:
        """What to write instead of a value that is no such frame; may be empty."""

    def write(self, value: Any, path: Path) -> None:
        """Write a frame as parquet, from which `read` gives it back as it was.

        Raises:
            Mismatch: Something has no faithful form; names column and row.
        """

    def read(self, path: Path) -> Any:
        """The frame in a parquet file.

        Raises:
            Mismatch: It is a file from elsewhere that the library cannot read.
        """

    def read_text(self, path: Path, separator: str) -> Any:
        """The frame in a text table with a line of column names.

        Raises:
            Mismatch: It is no such table, or not UTF-8.
        """

    def snapshot(self, value: Any) -> Callable[[], Any]:
        """Makes frames equal to `value` as it is now; none shares anything that can be changed with another.

        Raises:
            Mismatch: Just where `write` raises it.
        """


def frame(cls: type, codec: FrameCodec) -> PyType:
    """The type of a library's frames: parquet in the store, or the object itself where a carrier keeps it."""

    def to_json(value: Any, carrier: Carrier) -> Json:
        if type(value) is not cls:
            raise Mismatch(f"expected a {codec.label.replace('.', ' ')}, got {kind(value)}", codec.hint(value))
        keeper = keeping(carrier)
        kept = (
            None
            if keeper is None
            else keeper.keep(value, type="frame", name="frame.parquet", format="parquet", snapshot=codec.snapshot)
        )
        if kept is not None:
            return kept.to_json()
        return _commit(value, carrier, codec)

    def from_json(value: Json, carrier: Carrier) -> Any:
        reference = _reference(value, "frame")
        keeper = keeping(carrier)
        kept = keeper.kept(reference) if keeper is not None else None
        return codec.read(carrier.fetch(reference)) if kept is None else kept

    schema = {"x-alula-type": "frame", "format": "parquet"}
    return PyType(cls, codec.label, schema, to_json, from_json, exact=(cls,))


def _commit(value: Any, carrier: Carrier, codec: FrameCodec) -> Json:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="alula-") as folder:
        path = Path(folder) / "frame.parquet"
        codec.write(value, path)
        return carrier.commit_file(path, type="frame", name="frame.parquet", format="parquet").to_json()
