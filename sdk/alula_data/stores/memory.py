"""Objects in this process's memory, for tests.

`open_store("memory://name")` gives the same objects to everybody in the process who asks for the same name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from alula_data import errors
from alula_data.stores import keys
from alula_data.stores.protocols import CHUNK, Head


class MemoryStore:
    """A store in a dict; everything under one lock."""

    def __init__(self, name: str = "") -> None:
        self.url = f"memory://{name}"
        self._objects: dict[str, tuple[bytes, Head]] = {}
        self._lock = threading.Lock()
        self._written = 0

    def get(self, key: str) -> bytes:
        """See `protocols.Store`."""
        found = self._objects.get(keys.check(self.url, key))
        if found is None:
            raise errors.NotFound(self.url, key)
        return found[0]

    def stream(self, key: str) -> Iterator[bytes]:
        """See `protocols.Store`."""
        data = self.get(key)
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]

    def put(self, key: str, data: bytes) -> None:
        """See `protocols.Store`."""
        keys.check(self.url, key)
        with self._lock:
            self._put(key, bytes(data))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `protocols.Store`."""
        keys.check(self.url, key)
        with self._lock:
            if key in self._objects:
                return False
            self._put(key, bytes(data))
            return True

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> int:
        """See `protocols.Store`."""
        data = b"".join(chunks)
        self.put(key, data)
        return len(data)

    def head(self, key: str) -> Head | None:
        """See `protocols.Store`."""
        found = self._objects.get(keys.check(self.url, key))
        return found[1] if found else None

    def list(self, prefix: str = "") -> Iterator[Head]:
        """See `protocols.Store`."""
        folder = keys.check_prefix(self.url, prefix)
        with self._lock:
            heads = [head for _, head in self._objects.values()]
        yield from (head for head in heads if not folder or head.key.startswith(folder + "/"))

    def move(self, key: str, to: str) -> None:
        """See `protocols.Store`."""
        keys.check(self.url, key)
        keys.check(self.url, to)
        with self._lock:
            if key not in self._objects:
                raise errors.NotFound(self.url, key)
            self._put(to, self._objects.pop(key)[0])

    def delete(self, key: str) -> None:
        """See `protocols.Store`."""
        keys.check(self.url, key)
        with self._lock:
            self._objects.pop(key, None)

    def _put(self, key: str, data: bytes) -> None:
        self._written += 1
        self._objects[key] = (data, Head(key, len(data), time.time(), str(self._written)))
