"""Files and large values by their digest: the content-addressed part of a store.

What is committed lies at `Reference.path()` under the store's prefix. Called by the types of `alula` (as their
carrier), the local runner, the pod and `caches`. It never follows a location from a reference that we stored: the
place is derived from the digest.

- A commit is written, measured, and only then named to anybody. What is there already in the right size is not
  written again.
- Whatever is handed out was compared with its digest. An object that is damaged when it is read twice is put into
  `quarantine/`, so that what made it finds it gone and makes it again for all readers; the reader gets
  `Damaged`. Nothing is lost by it: it may be the reader's own way to the store that damages what it reads.
- `fetch` hands out a copy, never the store's own file: a user's function may do to its input what it likes, the store
  must not notice. The copy is read-only and shared by the process; one that was changed all the same is fetched anew.
"""

from __future__ import annotations

import atexit
import os
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from alula_api.contract import references, values
from alula_api.contract.references import Reference, Stored
from alula_api.contract.values import Json
from alula_data import digests, errors, foreign, retries, trees
from alula_data.stores.protocols import Store

if TYPE_CHECKING:
    from alula_api.contract.lists import Value

Result = TypeVar("Result")
_Wanted: TypeAlias = tuple[str, str, str, bool]

QUARANTINE = "quarantine"
"""Where damaged objects lie, under their own keys. Only people read there."""
ITEMS_AT_ONCE = 16
"""Items of a list that are read at one time."""
_AT_ONCE = 8 << 20
"""Up to this size a file is read once and written in one request."""


def envelope(text: str, identity: str) -> Stored:
    """The envelope of a JSON value whose wire text lies in a store."""
    data = text.encode()
    return Stored(digests.of_bytes(data), len(data), identity)


class Content:
    """The files and values of one store.

    Args:
        store: a domain's prefix.
        work: folder for fetched copies; without it a temporary one that goes when the process ends.
        policy: how often a transfer that broke off is started again.
        in_pod: whether data elsewhere is opened as a pod does it: not everything is (`foreign`).
    """

    def __init__(
        self, store: Store, *, work: str = "", policy: retries.Policy = retries.DEFAULT, in_pod: bool = False
    ) -> None:
        self.store = store
        self._work = work
        self._policy = policy
        self._in_pod = in_pod
        self._lock = threading.Lock()
        self._fetching: dict[_Wanted, threading.Lock] = {}
        self._fetched: dict[_Wanted, tuple[Path, tuple[str, ...]]] = {}

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """Stores a file, or for the type `directory` a folder.

        Args:
            path: the file; it must not change meanwhile.
            type: the reference's type, such as `file` or `frame`.
            name: the name that consumers see.
            format: the reference's format, such as `html`.
        """
        if type == trees.TYPE:
            return self._commit_folder(path, name, format)
        status = path.stat()
        executable = type == "file" and trees.is_executable(status)
        if status.st_size <= _AT_ONCE:
            found = self.commit_bytes(path.read_bytes(), type=type, name=name, format=format)
            return found._replace(executable=executable)
        digest, size = digests.of_file(path)
        reference = Reference(type, digest, size, name, format, executable=executable)
        body = digests.Checked(lambda: digests.chunks_of(path), digest, size, lambda why: _changed(path, why))
        self._commit(reference.path(), size, lambda key: self.store.put_stream(key, body))
        return reference

    def commit_bytes(self, data: bytes, *, type: str, name: str = "", format: str = "") -> Reference:
        """Stores bytes as a file; see `commit_file`."""
        reference = Reference(type, digests.of_bytes(data), len(data), name, format)
        self._commit(reference.path(), len(data), lambda key: self.store.put(key, data))
        return reference

    def fetch(self, reference: Reference) -> Path:
        """A read-only copy of a file, compared with its digest; raises NotFound or Damaged."""
        wanted = (reference.digest, reference.uri, reference.file_name, reference.executable)
        with self._lock:
            lock = self._fetching.setdefault(wanted, threading.Lock())
        with lock:
            found = self._fetched.get(wanted)
            if found is not None and _signature(found[0]) == found[1]:
                return found[0]
            path = self._place(reference.file_name)
            if reference.type == trees.TYPE and reference.digest:
                self._copy_folder(reference, path)
            else:
                self._copy(reference, path)
                _seal(path, reference.executable)
            self._fetched[wanted] = (path, _signature(path))
            return path

    def read(self, reference: Reference) -> bytes:
        """The bytes of a file, compared with the digest; raises NotFound or Damaged."""
        if not reference.digest:
            return self.fetch(reference).read_bytes()
        return self._read(reference.path(), reference.digest)

    def exists(self, reference: Reference) -> bool:
        """Whether the object is there in the right size; foreign data is taken at its word."""
        if reference.digest and reference.type == trees.TYPE:
            return self.store.head(trees.manifest_key(reference)) is not None
        return not reference.digest or self.has(reference.path(), reference.size)

    def has(self, key: str, size: int) -> bool:
        """Whether an object is there in the right size."""
        head = self.store.head(key)
        return head is not None and head.size == size

    def save_value(self, text: str, identity: str, limit: int) -> Json:
        """What travels for a JSON value: itself, or where its Argo-safe text is too long, a `$stored` envelope.

        Args:
            text: the value's wire text.
            identity: the value's identity, kept in the envelope.
            limit: bytes that may travel inline.
        """
        value = values.parse(text)
        if len(values.argo_safe(text)) <= limit and not references.is_envelope(value):
            return value
        stored = envelope(text, identity)
        self._commit(stored.path(), stored.size, lambda key: self.store.put(key, text.encode()))
        return stored.to_json()

    def load_value(self, json: Json) -> Json:
        """The value that travelled as `json`; raises NotFound or Damaged."""
        if not references.is_envelope(json):
            return json
        from alula_api.contract import lists  # few pods need it

        listed = lists.read(json)
        if listed is not None:
            return listed.joined(self._load_items(listed.values()))
        stored = references.stored(json)
        return json if stored is None else values.parse(self._read(stored.path(), stored.digest))

    def _load_items(self, items: Sequence[Value]) -> list[Json]:
        def load(item: Value) -> Json:
            from alula_api.contract.graphs import bindings

            return self.load_value(bindings.wire_of(item))

        if sum(isinstance(item, Stored) for item in items) < 2:
            return list(map(load, items))
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(ITEMS_AT_ONCE) as pool:
            return list(pool.map(load, items))

    def _commit(self, key: str, size: int, put: Callable[[str], object]) -> None:
        if self.has(key, size):
            return
        put(key)
        head = self.store.head(key)
        if head is None or head.size != size:
            there = "nothing" if head is None else f"{head.size} bytes"
            raise errors.Unavailable(self.store.url, key, f"{size} bytes were written and {there} are there")

    def _read(self, key: str, digest: str) -> bytes:
        def read() -> bytes:
            data = self.store.get(key)
            found = digests.of_bytes(data)
            if found != digest:
                raise errors.Damaged(self.store.url, key, f"its digest is {found}")
            return data

        return self._twice(key, read)

    def _commit_folder(self, folder: Path, name: str, format: str) -> Reference:
        entries = trees.entries(folder)
        files = [entry for entry in entries if isinstance(entry, trees.TreeFile)]
        manifest = trees.manifest(entries)
        total = sum(file.size for file in files)
        reference = Reference(trees.TYPE, digests.of_bytes(manifest), total, name, format)
        if not self.exists(reference):
            for file in files:
                self._commit(f"{reference.path()}/{file.path}", file.size, _putting(self.store, folder, file))
            self._commit(trees.manifest_key(reference), len(manifest), lambda key: self.store.put(key, manifest))
        return reference

    def _copy_folder(self, reference: Reference, to: Path) -> None:
        key = trees.manifest_key(reference)
        try:
            for entry in trees.parse(self._read(key, reference.digest)):
                path = to / entry.path
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(entry, trees.TreeLink):
                    path.symlink_to(entry.link)
                elif isinstance(entry, trees.EmptyFolder):
                    path.mkdir()
                else:
                    self._copy_object(f"{reference.path()}/{entry.path}", entry.sha256, entry.size, path)
                    _seal(path, entry.mode == trees.PROGRAM)
        except (errors.Damaged, errors.NotFound):
            self._put_aside(key)  # without it the folder counts as gone, and is made again
            raise
        except ValueError as error:
            raise errors.Damaged(self.store.url, key, str(error)) from None
        to.mkdir(exist_ok=True)

    def _copy(self, reference: Reference, path: Path) -> None:
        if reference.digest:
            self._copy_object(reference.path(), reference.digest, reference.size, path)
        else:
            self._transfer(lambda: _write(path, foreign.stream(reference.uri, in_pod=self._in_pod)))

    def _copy_object(self, key: str, digest: str, size: int, path: Path) -> None:
        def copy() -> None:
            _write(path, self._checked(key, self.store.stream(key), digest, size))

        self._twice(key, lambda: self._transfer(copy))

    def _checked(self, key: str, chunks: Iterable[bytes], digest: str, size: int) -> Iterable[bytes]:
        return digests.Checked(lambda: chunks, digest, size, lambda why: errors.Damaged(self.store.url, key, why))

    def _transfer(self, function: Callable[[], None]) -> None:
        retries.call(self._policy, lambda _: function())

    def _twice(self, key: str, read: Callable[[], Result]) -> Result:
        """Reads again before it believes in damage; then puts the object aside unless it was mended meanwhile."""
        try:
            return read()
        except errors.Damaged:
            before = self.store.head(key)
        try:
            return read()
        except errors.Damaged:
            if before is not None and self.store.head(key) == before:
                self._put_aside(key)
            raise

    def _put_aside(self, key: str) -> None:
        try:
            self.store.move(key, f"{QUARANTINE}/{key}")
        except errors.StoreError:  # who may only read leaves it to others
            return

    def _place(self, name: str) -> Path:
        with self._lock:
            if not self._work:
                self._work = _temporary_folder()
        folder = Path(self._work, os.urandom(6).hex())
        folder.mkdir(parents=True)
        return folder / name


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    path.unlink(missing_ok=True)  # of an attempt that broke off
    with path.open("xb", buffering=0) as file:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) :]


def _seal(path: Path, executable: bool) -> None:
    path.chmod(0o555 if executable else 0o444)


def _putting(store: Store, folder: Path, file: trees.TreeFile) -> Callable[[str], object]:
    path = folder / file.path
    chunks = digests.Checked(lambda: digests.chunks_of(path), file.sha256, file.size, lambda why: _changed(path, why))
    return lambda key: store.put_stream(key, chunks)


def _changed(path: Path, why: str) -> Exception:
    return OSError(f"{path} changed while it was stored: {why}")


def _signature(path: Path) -> tuple[str, ...]:
    """Changes when the file, or anything in the folder, does; empty when it is gone."""
    found: list[str] = []
    paths = [path]
    while paths:
        path = paths.pop()
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                paths.extend(path.iterdir())
        except OSError:
            return ()
        found.append(f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
    return tuple(sorted(found))


def _temporary_folder() -> str:
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="alula-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
