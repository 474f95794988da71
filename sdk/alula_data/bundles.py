"""The user's code as one archive: packed by `alula register`, unpacked by the pod over what its image holds.

A bundle's digest is that of its list of files (path, mode, sha256), because archives of equal files differ between
versions of Python and zlib. The archive is a gzipped tar that anybody can look into; its first member is the list.
`unpack` trusts nothing but the digest: the list is compared with it before anything is written, a member is taken
only if it is the regular file that the list has next, and every byte is compared before the folder gets its name.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from alula_api.contract import values
from alula_api.contract.codes import Code
from alula_data import digests
from alula_data.stores import keys

if TYPE_CHECKING:
    from alula_data.stores.protocols import Store

LIST_NAME = ".alula-bundle"
MOST_FILES = 20_000
MOST_BYTES = 256 << 20
"""Of all files together; what is larger is data and belongs into the store or the image."""

MOST_ARCHIVE = MOST_BYTES + (32 << 20)
"""Of the archive: what cannot be compressed takes a little more room."""
_MOST_LIST = 16 << 20
_MOST_BEFORE = 1 << 20
"""Bytes of the archive's own before its list of files."""
_MODES = ("644", "755")


class BundleError(Exception):
    """Files cannot be packed, or an archive is not the bundle that a release names."""

    def __init__(self, message: str, code: Code = Code.BUNDLE_DAMAGED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, order=True)
class BundleFile:
    """One file of a bundle."""

    path: str
    mode: str
    sha256: str


def files(root: Path, *, on_skip: Callable[[str, str], None] | None = None) -> tuple[BundleFile, ...]:
    """The files of the project at `root`, in canonical order.

    Args:
        root: the project's folder.
        on_skip: is told the path of what is left out although git has it, and why.
    """
    from alula_data import projects

    found: list[BundleFile] = []
    size = 0
    largest: list[tuple[int, str]] = []
    for path in projects.paths(root, on_skip=on_skip):
        file = root / path
        status = file.stat()
        size += status.st_size
        largest = sorted([*largest, (status.st_size, path)], reverse=True)[:3]
        if size > MOST_BYTES:
            names = ", ".join(f"{name} ({bytes_ >> 20} MiB)" for bytes_, name in largest)
            raise BundleError(
                f"the project's files are more than {MOST_BYTES >> 20} MiB, the largest so far are {names}; "
                "name data in .gitignore",
                Code.TOO_LARGE,
            )
        found.append(BundleFile(path, _MODES[bool(status.st_mode & 0o100)], digests.of_file(file)[0]))
    if len(found) > MOST_FILES:
        raise BundleError(f"the project has {len(found)} files, {MOST_FILES} are allowed", Code.TOO_LARGE)
    return tuple(sorted(found))


def listing(files: Sequence[BundleFile]) -> str:
    """The canonical text of a list of files: one line of JSON for each."""
    lines = [
        values.dumps_sorted({"path": file.path, "mode": file.mode, "sha256": file.sha256}) for file in sorted(files)
    ]
    return "".join(line + "\n" for line in lines)


def digest(files: Sequence[BundleFile]) -> str:
    """The bundle's digest."""
    return digests.of_bytes(listing(files).encode())


def pack(root: Path, files: Sequence[BundleFile]) -> bytes:
    """The archive of `files` below `root`; raises BundleError if one of them changed since it was listed."""
    buffer = io.BytesIO()
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        text = listing(files).encode()
        archive.addfile(_member(LIST_NAME, len(text), "644"), io.BytesIO(text))
        for file in sorted(files):
            data = (root / file.path).read_bytes()
            if digests.of_bytes(data) != file.sha256:
                raise BundleError(f"{file.path} changed while it was packed", Code.BAD_SOURCE)
            archive.addfile(_member(file.path, len(data), file.mode), io.BytesIO(data))
    return compressor.compress(buffer.getbuffer()) + compressor.flush()


def fetch(store: Store, digest: str) -> bytes:
    """The archive of this digest, as long as it may be one.

    Its size is not compared with the release's: archives of equal files differ between versions of zlib, and the first
    one stays.

    Raises:
        BundleError: It is larger than any bundle.
        StoreError: It is not there, or the store gives no answer.
    """
    data = io.BytesIO()
    for chunk in store.stream(digest):
        data.write(chunk)
        if data.tell() > MOST_ARCHIVE:
            raise BundleError(f"the bundle {digest} has more than {MOST_ARCHIVE >> 20} MiB")
    return data.getvalue()


def unpack(data: bytes, digest: str, to: Path) -> None:
    """Puts the bundle's files below `to`, all or none; what lay there before is replaced.

    Raises:
        BundleError: `data` is not the bundle of this digest, or holds anything but plain files below `to`.
    """
    temporary = to.with_name(f"{keys.TEMPORARY}{os.urandom(6).hex()}")
    temporary.mkdir(parents=True)
    try:
        try:
            _unpack(data, digest, temporary)
        except (tarfile.TarError, zlib.error, EOFError, OverflowError, ValueError, LookupError) as error:
            raise BundleError(f"the bundle {digest} cannot be read: {error}") from None
        if to.exists():
            shutil.rmtree(to)
        temporary.rename(to)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _unpack(data: bytes, digest: str, to: Path) -> None:
    inflated = _Inflated(data)
    with tarfile.open(fileobj=inflated, mode="r|") as archive:  # type: ignore[call-overload]
        members = iter(archive)
        expected = _read_list(archive, members, digest)
        inflated.allow_files()
        for file in expected:
            member = next(members, None)
            if member is None or member.name != file.path:
                raise BundleError(f"the bundle {digest} lacks {file.path} in its place")
            _write(_content(archive, member), file, to)
        if (extra := next(members, None)) is not None:
            raise BundleError(f"the bundle {digest} holds {extra.name!r}, which its list has not")


def _read_list(archive: tarfile.TarFile, members: Iterator[tarfile.TarInfo], digest: str) -> list[BundleFile]:
    member = next(members, None)
    if member is None or member.name != LIST_NAME or member.size > _MOST_LIST:
        raise BundleError(f"the bundle {digest} does not begin with its list of files")
    text = _content(archive, member).read()
    if digests.of_bytes(text) != digest:
        raise BundleError(f"the bundle {digest} has another list of files than the release names")
    return parse(text)


def parse(text: bytes) -> list[BundleFile]:
    """The list of files that `listing` wrote; raises BundleError for anything that is not one."""
    found: list[BundleFile] = []
    before = ""
    lines = text.split(b"\n")[:-1]
    if len(lines) > MOST_FILES or (text and not text.endswith(b"\n")):
        raise BundleError("the bundle's list of files is malformed or too long")
    for line in lines:
        try:
            entry = values.parse(line)
        except values.InvalidValue as error:
            raise BundleError(f"the bundle's list of files is malformed: {error}") from None
        if type(entry) is not dict or set(entry) != {"path", "mode", "sha256"}:
            raise BundleError("the bundle's list of files is malformed")
        path = entry["path"]
        if type(path) is not str or keys.problem_of(path) or path <= before or path == LIST_NAME:
            raise BundleError(f"the bundle's list of files has the path {str(path)[:200]!r}")
        if entry["mode"] not in _MODES or type(entry["sha256"]) is not str:
            raise BundleError(f"the bundle's list of files is malformed at {path!r}")
        found.append(BundleFile(path, entry["mode"], entry["sha256"]))
        before = path
    return found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member) if member.type == tarfile.REGTYPE and not member.issparse() else None
    if content is None:
        raise BundleError(f"the bundle holds {member.name!r}, which is not a plain file")
    return content


def _write(content: IO[bytes], file: BundleFile, to: Path) -> None:
    path = to / file.path
    found = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as target:  # noqa: PTH123 (x is refused to links as well)
            while chunk := content.read(digests.CHUNK):
                found.update(chunk)
                target.write(chunk)
        path.chmod(int(file.mode, 8))
    except (FileExistsError, NotADirectoryError):
        raise BundleError(f"the bundle's file {file.path!r} stands in the way of another one") from None
    if found.hexdigest() != file.sha256:
        raise BundleError(f"the bundle's file {file.path!r} is not the one that its list names")


def _member(name: str, size: int, mode: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = int(mode, 8)
    return member


class _Inflated:
    """The archive's bytes out of the compressed ones, never more than a bundle may have; until its list of files is the
    one that the release names, not much more than the list."""

    def __init__(self, data: bytes) -> None:
        self._stream = zlib.decompressobj(31)
        self._rest = data
        self._most = self._left = _MOST_LIST + _MOST_BEFORE

    def allow_files(self) -> None:
        """From now on, what the files may have."""
        more = MOST_BYTES + MOST_FILES * 4096
        self._most += more
        self._left += more

    def read(self, size: int) -> bytes:
        chunk = self._stream.decompress(self._rest, size)
        self._rest = self._stream.unconsumed_tail
        self._left -= len(chunk)
        if self._left < 0:
            raise BundleError(f"the bundle, or what comes before its files, holds more than {self._most >> 20} MiB")
        return chunk
