"""Tables that travel as parquet: one `FrameCodec` a library, in order of preference. Imports none of the libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.types.frames import pandas
from alula.types.frames.codec import FrameCodec, frame

if TYPE_CHECKING:
    from pathlib import Path

    from alula.types.carriers import Carrier
    from alula.types.pytypes import Json, PyType

CODECS: tuple[FrameCodec, ...] = (pandas.CODEC,)


def claims(annotation: Any) -> bool:
    """Whether an annotation is the frame class of a library that we know."""
    return any(codec.claims(annotation) for codec in CODECS)


def compile(annotation: type) -> PyType:
    """The type of a frame class."""
    return frame(annotation, next(codec for codec in CODECS if codec.claims(annotation)))


def commit_text(path: Path, separator: str, carrier: Carrier) -> Json:
    """The wire value of a text table on disk, such as CSV, stored as a frame by the first library."""
    codec = CODECS[0]
    value = codec.read_text(path, separator)
    return frame(type(value), codec).to_json(value, carrier)
