"""What a library of frames must offer, and the type that is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from alula.types.carriers import keeping
from alula.types.files import _reference
from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
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

    def check(self, value: Any) -> None:
        """Refuse what parquet would change in silence.

        Raises:
            Mismatch: Names column and row.
        """

    def write(self, value: Any, path: Path) -> None:
        """Write a frame as parquet.

        Raises:
            Mismatch: It cannot be written.
        """

    def read(self, path: Path) -> Any:
        """The frame in a parquet file, as it was written."""

    def read_text(self, path: Path, separator: str) -> Any:
        """The frame in a text table with a line of column names."""

    def copy(self, value: Any) -> Any:
        """A frame that can be changed without changing the original."""


def frame(cls: type, codec: FrameCodec) -> PyType:
    """The type of a library's frames: parquet in the store, or the object itself where a carrier keeps it."""

    def to_json(value: Any, carrier: Carrier) -> Json:
        if type(value) is not cls:
            raise Mismatch(f"expected a {codec.label.replace('.', ' ')}, got {kind(value)}", codec.hint(value))
        keeper = keeping(carrier)
        kept = (
            None
            if keeper is None
            else keeper.keep(value, type="frame", name="frame.parquet", format="parquet", copy=codec.copy)
        )
        if kept is not None:
            return kept.to_json()
        codec.check(value)
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
