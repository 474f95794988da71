"""Objects in anything else that fsspec knows (`sftp://`, `hdfs://`, `webdav://`, ...).

fsspec is loaded on first use. Its `open("wb")` commits what was written so far when the body raises, so a body is
first collected in a local file, uploaded under a temporary name, measured, and only then moved to its own name.

`put_if_absent` looks first and moves then, because no more is common to all file systems: two writers of one moment
may both be told that they were first, and the later one's object stays, whole. The stores that people run clusters on
have modules of their own that do better.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from alula_data import errors, retries
from alula_data.stores import keys
from alula_data.stores.protocols import CHUNK, Head

Result = TypeVar("Result")
_GONE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class FileSystemStore:
    """A store under a path of an fsspec file system.

    Args:
        url: what fsspec opens; the path in it is the store's prefix.
        policy: how often and how patiently a request is tried again.
        files: a file system to use instead of the URL's, in tests.
    """

    def __init__(self, url: str, *, policy: retries.Policy = retries.DEFAULT, files: Any = None) -> None:
        self.url = errors.clean_url(url)
        self._policy = policy
        if files is None:
            files, self._prefix = _open(url)
        else:
            self._prefix = files._strip_protocol(url)
        self._files = files
        self._prefix = self._prefix.rstrip("/")

    def get(self, key: str) -> bytes:
        """See `protocols.Store`."""
        path = self._path(key)
        data: bytes = self._ask(key, lambda: self._files.cat_file(path))
        return data

    def stream(self, key: str) -> Iterator[bytes]:
        """See `protocols.Store`."""
        path = self._path(key)
        file = self._ask(key, lambda: self._files.open(path, "rb", cache_type="none"))
        with file:
            while chunk := self._once(key, lambda: file.read(CHUNK)):
                yield chunk

    def put(self, key: str, data: bytes) -> None:
        """See `protocols.Store`."""
        self.put_stream(key, (data,))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `protocols.Store`, and the module's docstring for what does not hold."""
        return self.head(key) is None and self._upload(key, (data,), over=False) is not None

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> int:
        """See `protocols.Store`."""
        return self._upload(key, chunks, over=True) or 0

    def head(self, key: str) -> Head | None:
        """See `protocols.Store`."""
        path = self._path(key)
        try:
            info = self._ask(key, lambda: self._info(path))
        except errors.NotFound:
            return None
        return self._head(key, info) if info["type"] == "file" else None

    def list(self, prefix: str = "") -> Iterator[Head]:
        """See `protocols.Store`."""
        folder = keys.check_prefix(self.url, prefix)
        root = f"{self._prefix}/{folder}" if folder else self._prefix
        self._files.invalidate_cache()
        found = self._ask(folder, lambda: self._files.find(root, detail=True))
        for path, info in found.items():
            key = path[len(self._prefix) + 1 :]
            if not key.rpartition("/")[2].startswith(keys.TEMPORARY) and key != folder:
                yield self._head(key, info)

    def move(self, key: str, to: str) -> None:
        """See `protocols.Store`; whether the bytes stay where they are is the file system's own affair."""
        path, other = self._path(key), self._path(to)

        def move() -> None:
            self._files.info(path)
            self._files.makedirs(other.rpartition("/")[0], exist_ok=True)
            if self._files.exists(other):
                self._files.rm_file(other)
            self._files.mv(path, other)

        self._ask(key, move)

    def delete(self, key: str) -> None:
        """See `protocols.Store`."""
        path = self._path(key)
        try:
            self._ask(key, lambda: self._files.rm_file(path))
        except errors.NotFound:
            return

    def _upload(self, key: str, chunks: Iterable[bytes], *, over: bool) -> int | None:
        path = self._path(key)
        folder = path.rpartition("/")[0]
        temporary = f"{folder}/{keys.TEMPORARY}{os.urandom(8).hex()}"
        with tempfile.NamedTemporaryFile(prefix="alula-") as spool:
            for chunk in chunks:
                spool.write(chunk)
            spool.flush()
            size = spool.tell()

            def upload() -> bool:
                self._files.makedirs(folder, exist_ok=True)
                self._files.put_file(spool.name, temporary)
                if self._files.size(temporary) != size:
                    raise OSError("not all bytes were written")
                if not over and self._files.exists(path):
                    return False
                self._files.mv(temporary, path)
                return True

            placed = False
            try:
                placed = self._ask(key, upload, writing=True)
            finally:
                if not placed:
                    self._forget(temporary)
        return size if placed else None

    def _path(self, key: str) -> str:
        return f"{self._prefix}/{keys.check(self.url, key)}"

    def _info(self, path: str) -> dict[str, Any]:
        self._files.invalidate_cache()  # listings are cached by default, and others write too
        info: dict[str, Any] = self._files.info(path)
        return info

    def _head(self, key: str, info: dict[str, Any]) -> Head:
        modified = info.get("mtime") or info.get("modified") or info.get("created") or info.get("last_modified") or 0.0
        seconds = modified.timestamp() if hasattr(modified, "timestamp") else float(modified)
        etag = str(info.get("ETag") or info.get("etag") or f"{seconds}-{info['size']}")
        return Head(key, info["size"], seconds, etag)

    def _forget(self, path: str) -> None:
        try:
            self._files.rm_file(path)
        except Exception:  # noqa: S110 (what is left has a name that is not read)
            pass

    def _ask(self, key: str, function: Callable[[], Result], *, writing: bool = False) -> Result:
        return retries.call(self._policy, lambda _: self._once(key, function, writing=writing))

    def _once(self, key: str, function: Callable[[], Result], *, writing: bool = False) -> Result:
        try:
            return function()
        except errors.StoreError:
            raise
        except _GONE as error:
            if isinstance(error.__cause__, errors.StoreError):  # fsspec takes any failure of a look-up for an absence
                raise error.__cause__ from None
            if writing:
                raise errors.StoreError(self.url, key, str(error)) from error
            raise errors.NotFound(self.url, key) from error
        except PermissionError as error:
            raise errors.Denied(self.url, key, str(error)) from error
        except (ValueError, TypeError, NotImplementedError, FileExistsError) as error:
            raise errors.StoreError(self.url, key, f"{type(error).__name__}: {error}") from error
        except Exception as error:  # each file system raises its own client's errors
            raise errors.Unavailable(self.url, key, f"{type(error).__name__}: {error}") from error


def _open(url: str) -> tuple[Any, str]:
    import fsspec.core

    try:
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise errors.StoreError(
            url, detail=str(error), hint="use file://, s3://, gs:// or az://, or install what fsspec asks for"
        ) from None
    return files, path
