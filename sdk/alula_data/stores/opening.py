"""From a URL to a store; what everybody calls.

The scheme decides: none or `file` is a folder, `s3`, `gs`, `az` and their kin are object stores, `memory` is for
tests, and anything else is asked of fsspec.
"""

from __future__ import annotations

import os

from alula_data import errors, retries
from alula_data.stores.folders import FolderStore
from alula_data.stores.protocols import Store

_memories: dict[str, Store] = {}


def open_store(url: str, *, endpoint: str = "", policy: retries.Policy = retries.DEFAULT) -> Store:
    """Opens the store at `url`. Nothing is read or written yet; credentials come from the environment.

    Args:
        url: a path, or `file://`, `s3://`, `gs://`, `az://`, `memory://`, or what fsspec knows.
        endpoint: address of an object server that is not the cloud's own.
        policy: how often and how patiently requests are tried again.
    """
    scheme, found, rest = url.partition("://")
    if not url:
        raise errors.StoreError(url, detail="no store is configured", hint="set ALULA_STORE or [tool.alula] store")
    if not found:
        return FolderStore(os.path.expanduser(url))  # noqa: PTH111
    if scheme == "file":
        host, slash, path = rest.partition("/")
        if host not in ("", "localhost") or not slash:
            raise errors.StoreError(url, detail="a file URL needs an absolute path", hint="write file:///folder")
        return FolderStore("/" + path)
    if scheme == "memory":
        return _memory(rest.strip("/"))
    from alula_data.stores import objects

    if scheme in objects.SCHEMES:
        return objects.ObjectStore(url, endpoint=endpoint, policy=policy)
    from alula_data.stores.filesystems import FileSystemStore

    return FileSystemStore(url, policy=policy)


def _memory(name: str) -> Store:
    from alula_data.stores.memory import MemoryStore

    return _memories.setdefault(name, MemoryStore(name))
