"""Data that lies where the user says and not in our store.

Called by `content` for references with a `uri`. The controller never opens one.
"""

from __future__ import annotations

from collections.abc import Iterator

from alula_data import errors
from alula_data.stores import opening


def stream(uri: str) -> Iterator[bytes]:
    """The bytes at `uri`, some at a time; raises StoreError."""
    place, slash, name = uri.rpartition("/")
    if not slash or not name or place.endswith(("/", ":")):
        raise errors.StoreError(uri, detail="no file is named", hint="name a file, such as s3://bucket/folder/file.csv")
    return opening.open_store(place).stream(name)
