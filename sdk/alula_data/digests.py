"""SHA-256 of bytes, files and streams, without reading a file as a whole.

Used by `content` and `bundles`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

CHUNK = 1 << 20


def of_bytes(data: bytes) -> str:
    """The digest of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> tuple[str, int]:
    """The digest and size of a file."""
    found = hashlib.sha256()
    size = 0
    for chunk in chunks_of(path):
        found.update(chunk)
        size += len(chunk)
    return found.hexdigest(), size


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file's bytes, some at a time."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


class Checked:
    """A stream that raises at its end unless it had the expected size and digest; can be started again.

    Args:
        chunks: gives the stream from its start.
        digest: what it must be.
        size: what it must be.
        failure: what to raise otherwise.
    """

    def __init__(
        self, chunks: Callable[[], Iterable[bytes]], digest: str, size: int, failure: Callable[[str], Exception]
    ) -> None:
        self._chunks = chunks
        self._digest = digest
        self._size = size
        self._failure = failure

    def __iter__(self) -> Iterator[bytes]:
        found = hashlib.sha256()
        size = 0
        for chunk in self._chunks():
            found.update(chunk)
            size += len(chunk)
            if size > self._size:
                raise self._failure(f"more than the {self._size} bytes that it must have")
            yield chunk
        if size != self._size:
            raise self._failure(f"{size} bytes instead of {self._size}")
        if found.hexdigest() != self._digest:
            raise self._failure(f"its digest is {found.hexdigest()}")
