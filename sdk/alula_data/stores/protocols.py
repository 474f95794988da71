"""The eight verbs of a store, and what all stores promise.

Implemented by `folders`, `objects`, `filesystems` and `memory`; used by everything above them. What holds for each:

- A key is a relative path of `/`-separated segments (`keys.check`).
- A write is all or nothing: no reader ever sees a part of an object, a body that raises leaves nothing, and neither
  does a process that is killed.
- Of any number of concurrent `put_if_absent` of one key, one returns True. (Its answer can be lost on the network: a
  writer that got False must compare what is there with what it wrote before it concludes that another one won.)
- `list` goes by whole segments and in no order; it shows each object that was there all the time.
- `move` keeps the bytes as they lie in the store: they do not pass through the caller.
- `delete` of what is not there succeeds.
- Errors are `alula_data.errors`, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

CHUNK = 1 << 20
"""Bytes that streams hand over at a time."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a store knows of an object without reading it."""

    key: str
    size: int
    modified: float
    """Seconds since the epoch, by the store's clock."""
    etag: str
    """Changes when the object is written anew; says nothing else."""


class Store(Protocol):
    """Objects under a prefix; see the module's docstring for what is promised."""

    @property
    def url(self) -> str:
        """Where the store lies, without credentials."""

    def get(self, key: str) -> bytes:
        """The whole object; raises NotFound."""

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks; raises NotFound, at the latest with the first chunk."""

    def put(self, key: str, data: bytes) -> None:
        """Writes the object, over what is there."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Writes the object unless there is one; returns whether it did."""

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> int:
        """Writes the object chunk by chunk and returns its size; iterates again if it must try again."""

    def head(self, key: str) -> Head | None:
        """What is known of the object, or None."""

    def list(self, prefix: str = "") -> Iterator[Head]:
        """All objects below the folder `prefix`."""

    def move(self, key: str, to: str) -> None:
        """Gives the object another key, over what is there; raises NotFound."""

    def delete(self, key: str) -> None:
        """Removes the object if it is there."""
