"""Folders by their digest: the files under their own names below one prefix, and a manifest that is written last.

Used by `content` alone. A folder is there when its manifest is; its digest is that of the manifest, whose lines are
JSON in the order of the paths. What can be seen is kept: each file's path, size, sha256 and whether it is a program
(mode 755, else 644, as in git), links to what lies in the folder, and empty folders. A link to a file elsewhere is
stored as that file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from alula_api.contract import values
from alula_api.contract.references import Reference
from alula_api.contract.values import Json
from alula_data import digests
from alula_data.stores import keys

TYPE = "directory"
MANIFEST = "manifest.jsonl"
PLAIN = "644"
PROGRAM = "755"


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One file of a folder; its mode is `PLAIN` or `PROGRAM`."""

    path: str
    size: int
    mode: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TreeLink:
    """A symbolic link to something in the folder; `link` is its text."""

    path: str
    link: str


@dataclass(frozen=True, slots=True)
class EmptyFolder:
    """A folder with nothing in it; those that hold something follow from its paths."""

    path: str


Entry: TypeAlias = TreeFile | TreeLink | EmptyFolder


def manifest_key(reference: Reference) -> str:
    """Where the manifest of a folder lies."""
    return f"{reference.path()}/{MANIFEST}"


def is_executable(status: os.stat_result) -> bool:
    """Whether a file's owner may run it."""
    return bool(status.st_mode & 0o100)


def entries(folder: Path) -> tuple[Entry, ...]:
    """What lies below `folder`, in canonical order; raises ValueError for what cannot be stored."""
    found: list[Entry] = []
    for entry in _walked(folder):
        problem = keys.problem_of(entry.path)
        if entry.path == MANIFEST:
            problem = "alula keeps its own list under this name"
        if problem:
            raise ValueError(f"{entry.path!r} in the folder {folder} cannot be stored: {problem}")
        found.append(entry)
    return tuple(sorted(found, key=lambda entry: entry.path))


def manifest(entries: tuple[Entry, ...]) -> bytes:
    """The manifest of these entries."""
    return "".join(values.dumps_sorted(_to_json(entry)) + "\n" for entry in entries).encode()


def parse(data: bytes) -> tuple[Entry, ...]:
    """The entries of a manifest; raises ValueError for what is not one, and for links that lead out of the folder."""
    found: list[Entry] = []
    before = ""
    for line in data.splitlines():
        entry = _of_json(values.parse(line))
        if keys.problem_of(entry.path) or entry.path <= before or entry.path == MANIFEST:
            raise ValueError("a path in the manifest is not one")
        found.append(entry)
        before = entry.path
    folders = {str(parent) for entry in found for parent in PurePosixPath(entry.path).parents}
    for entry in found:
        if entry.path in folders:
            raise ValueError(f"something in the manifest lies below {entry.path!r}, which is no folder with content")
        if isinstance(entry, TreeLink) and not _stays(entry):
            raise ValueError(f"the link {entry.path!r} in the manifest leads out of the folder")
    return tuple(found)


def _to_json(entry: Entry) -> dict[str, Json]:
    if isinstance(entry, TreeFile):
        return {"path": entry.path, "size": entry.size, "mode": entry.mode, "sha256": entry.sha256}
    if isinstance(entry, TreeLink):
        return {"path": entry.path, "link": entry.link}
    return {"path": entry.path, "empty": True}


def _of_json(json: Json) -> Entry:
    match json:
        case {"path": str(path), "size": int(size), "mode": str(mode), "sha256": str(sha256), **rest} if not rest:
            if type(size) is int and mode in {PLAIN, PROGRAM}:
                return TreeFile(path, size, mode, sha256)
        case {"path": str(path), "link": str(link), **rest} if not rest:
            return TreeLink(path, link)
        case {"path": str(path), "empty": True, **rest} if not rest:
            return EmptyFolder(path)
    raise ValueError("a line of the manifest is malformed")


def _stays(link: TreeLink) -> bool:
    """Whether a link leads to something in the folder.

    It may go up only at its beginning, and never further than to the top: parents of a path are folders, never links,
    so no link that it passes through later can make it go anywhere else.
    """
    parts = link.link.split("/")
    ups = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    return link.link == "." or (ups <= link.path.count("/") and not keys.problem_of("/".join(parts[ups:]) or "x"))


def _walked(folder: Path) -> Iterator[Entry]:
    folders = [""]
    top = folder.resolve()
    while folders:
        below = folders.pop()
        inside = list(os.scandir(folder / below))
        if below and not inside:
            yield EmptyFolder(below)
        for entry in inside:
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_symlink():
                yield _linked(top, folder, path)
            elif entry.is_dir():
                folders.append(path)
            else:
                yield _file(folder, path)


def _linked(top: Path, folder: Path, path: str) -> Entry:
    """A link into the folder, by its own text where that is plain; or the file that it points at."""
    here = folder / path
    try:
        target = here.resolve(strict=True)
    except (OSError, RuntimeError):
        raise ValueError(f"{path!r} in the folder {folder} is a link to nothing") from None
    if not target.is_relative_to(top):
        return _file(folder, path)
    found = TreeLink(path, str(here.readlink()))
    if not _stays(found):
        found = TreeLink(path, os.path.relpath(target, here.parent.resolve()))
    return found


def _file(folder: Path, path: str) -> TreeFile:
    status = (folder / path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path!r} in the folder {folder} is not a plain file")
    digest, size = digests.of_file(folder / path)
    return TreeFile(path, size, PROGRAM if is_executable(status) else PLAIN, digest)
