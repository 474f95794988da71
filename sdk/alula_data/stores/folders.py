"""Objects as files of a local folder (or of a mounted one), by `os` alone.

A write goes to a temporary file beside its place, is flushed to the disk, measured, and then takes its name in one
step: by `rename` over what is there, or by `link`, which fails where there is something. So readers see all or
nothing, and a process killed in the middle leaves a temporary file that no reader ever looks at.

No link leads out of the folder: what lies behind one that does is not there for any verb. The folder itself may be one.
"""

# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH116, PTH123 -- `os` is what this module is about
from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from alula_data import errors
from alula_data.stores import keys
from alula_data.stores.protocols import CHUNK, Head

_GONE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_AT_FDCWD, _RENAME_NOREPLACE, _RENAME_EXCL = -100, 1, 4
"""Of `renameat2` and `renamex_np`."""
_WITHOUT_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class FolderStore:
    """A store in the folder `root`, which is made at the first write.

    Args:
        root: absolute path of the folder.
        durable: whether a write waits for the disk; only tests turn it off.
    """

    def __init__(self, root: str, *, durable: bool = True) -> None:
        self.root = os.path.abspath(root)
        self.url = "file://" + self.root
        self._durable = durable

    def get(self, key: str) -> bytes:
        """See `protocols.Store`."""
        try:
            with self._open(key) as file:
                return file.read()
        except OSError as error:
            raise self._error(key, error) from error

    def stream(self, key: str) -> Iterator[bytes]:
        """See `protocols.Store`."""
        try:
            with self._open(key) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except OSError as error:
            raise self._error(key, error) from error

    def put(self, key: str, data: bytes) -> None:
        """See `protocols.Store`."""
        self._write(key, (data,), _place_over)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `protocols.Store`."""
        return self.head(key) is None and self._write(key, (data,), _place_anew) is not None

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> int:
        """See `protocols.Store`."""
        return self._write(key, chunks, _place_over) or 0

    def head(self, key: str) -> Head | None:
        """See `protocols.Store`."""
        try:
            status = os.stat(self._inside(key))
        except _GONE:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise self._error(key, error) from error
        return _head(key, status) if stat.S_ISREG(status.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[Head]:
        """See `protocols.Store`."""
        folders = [keys.check_prefix(self.url, prefix)]
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(self._inside(folder) if folder else self.root))
            except _GONE:
                continue
            except OSError as error:
                raise self._error(folder, error) from error
            for entry in entries:
                key = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith(keys.TEMPORARY):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(key)
                elif (head := self.head(key)) is not None:
                    yield head

    def delete(self, key: str) -> None:
        """See `protocols.Store`."""
        try:
            os.unlink(self._place(key))
        except _GONE:
            return
        except OSError as error:
            raise self._error(key, error) from error

    def move(self, key: str, to: str) -> None:
        """See `protocols.Store`."""
        try:
            source, target = self._inside(key), self._place(to)
            os.makedirs(target.rpartition("/")[0], exist_ok=True)
            os.replace(source, target)
        except OSError as error:
            raise self._error(key, error) from error

    def _inside(self, key: str) -> str:
        """The path of what is read; raises FileNotFoundError where links lead out of the folder."""
        path = f"{self.root}/{keys.check(self.url, key)}"
        self._check(path, path)
        return path

    def _place(self, key: str) -> str:
        """The path of what is written or removed, which may itself be a link: it is replaced and never followed."""
        path = f"{self.root}/{keys.check(self.url, key)}"
        self._check(path, path.rpartition("/")[0])
        return path

    def _check(self, path: str, part: str) -> None:
        if not self._has_link(part):
            return
        inside = f"{os.path.realpath(self.root).rstrip('/')}/"
        if not f"{os.path.realpath(part)}/".startswith(inside):
            raise FileNotFoundError(errno.ENOENT, "a link leads out of the store", path)

    def _has_link(self, part: str) -> bool:
        """Whether anything below the root, on the way to a path, is a link; most often nothing is."""
        place = self.root
        for name in part[len(self.root) + 1 :].split("/"):
            place = f"{place}/{name}"
            try:
                if stat.S_ISLNK(os.lstat(place).st_mode):
                    return True
            except OSError:  # what is not there leads nowhere
                return False
        return False

    def _open(self, key: str) -> BinaryIO:
        return open(self._inside(key), "rb", buffering=0)

    def _write(self, key: str, chunks: Iterable[bytes], place: Callable[[str, str], bool]) -> int | None:
        """Returns the size, or None when `place` found something there. What `chunks` raises passes as it is."""
        with self._translated(key):
            path = self._place(key)
        folder = path.rpartition("/")[0]
        temporary = f"{folder}/{keys.TEMPORARY}{os.getpid():x}-{os.urandom(8).hex()}"
        try:
            with self._translated(key):
                file = _create(temporary, folder)
            with file:
                size = self._fill(file, chunks, key)
            with self._translated(key):
                placed = place(temporary, path)
                self._settle(folder)
        except BaseException:
            _forget(temporary)
            raise
        return size if placed else None

    def _fill(self, file: BinaryIO, chunks: Iterable[bytes], key: str) -> int:
        size = 0
        for chunk in chunks:
            rest = memoryview(chunk)
            size += len(rest)
            with self._translated(key):
                while rest:
                    rest = rest[file.write(rest) :]
        with self._translated(key):
            if self._durable:
                os.fsync(file.fileno())
            written = os.fstat(file.fileno()).st_size
        if written != size:
            raise errors.Unavailable(self.url, key, f"{written} of {size} bytes were written")
        return size

    def _settle(self, folder: str) -> None:
        """Makes the new name itself survive a power cut; what cannot do that has its own promises."""
        if not self._durable:
            return
        try:
            handle = os.open(folder, os.O_RDONLY)
        except OSError:
            return
        try:
            os.fsync(handle)
        except OSError:
            pass
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._error(key, error, writing=True) from error

    def _error(self, key: str, error: OSError, *, writing: bool = False) -> errors.StoreError:
        reason = error.strerror or str(error)
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            return errors.Denied(self.url, key, reason, "the folder must be writable for this user" if writing else "")
        if writing and isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
            return errors.StoreError(self.url, key, reason, "no file may stand where a folder must be, nor the reverse")
        if not writing and isinstance(error, _GONE):
            return errors.NotFound(self.url, key)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return errors.Unavailable(self.url, key, reason, "make room on the disk")
        return errors.Unavailable(self.url, key, reason)


def _head(key: str, status: os.stat_result) -> Head:
    etag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
    return Head(key, status.st_size, status.st_mtime, etag)


def _create(temporary: str, folder: str) -> BinaryIO:
    try:
        return open(temporary, "xb", buffering=0)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        return open(temporary, "xb", buffering=0)


def _place_over(temporary: str, path: str) -> bool:
    os.replace(temporary, path)
    return True


def _place_anew(temporary: str, path: str) -> bool:
    """Gives the file its name unless the name is taken."""
    try:
        _link(temporary, path)
    except FileExistsError:
        _forget(temporary)
        return False
    return True


def _link(temporary: str, path: str) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        _rename_anew(temporary, path)
    else:
        os.unlink(temporary)


def _rename_anew(source: str, target: str) -> None:
    """A rename that fails where something has the name already; Python has no such call, the systems have.

    Raises:
        FileExistsError: Something has the name.
        OSError: The system cannot.
    """
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    old, new = os.fsencode(source), os.fsencode(target)
    try:
        if sys.platform == "darwin":
            result = library.renamex_np(old, new, _RENAME_EXCL)
        else:
            result = library.renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE)
    except AttributeError:
        raise OSError(errno.ENOSYS, "neither hard links nor exclusive renames exist here", target) from None
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def _forget(temporary: str) -> None:
    try:
        os.unlink(temporary)
    except OSError:
        pass
