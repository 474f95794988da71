"""Folders by their digest: the files under their own names below one prefix, and a manifest that is written last.

Used by `content` alone. A folder is there when its manifest is; its digest is that of the manifest, whose lines are
JSON with path, size and sha256, in the order of the paths. Empty folders and modes are not kept.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alula_api.contract import values
from alula_api.contract.references import Reference
from alula_data import digests
from alula_data.stores import keys

TYPE = "directory"
MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True, order=True)
class TreeFile:
    """One file of a folder."""

    path: str
    size: int
    sha256: str


def manifest_key(reference: Reference) -> str:
    """Where the manifest of a folder lies."""
    return f"{reference.path()}/{MANIFEST}"


def files(folder: Path) -> tuple[TreeFile, ...]:
    """The files below `folder`, in canonical order; raises ValueError for what cannot be stored."""
    found: list[TreeFile] = []
    for path in _walked(folder):
        problem = keys.problem_of(path)
        if path == MANIFEST:
            problem = "alula keeps its own list under this name"
        if problem:
            raise ValueError(f"{path!r} in the folder {folder} cannot be stored: {problem}")
        digest, size = digests.of_file(folder / path)
        found.append(TreeFile(path, size, digest))
    return tuple(sorted(found))


def manifest(files: tuple[TreeFile, ...]) -> bytes:
    """The manifest of these files."""
    lines = [values.dumps_sorted({"path": file.path, "size": file.size, "sha256": file.sha256}) for file in files]
    return "".join(line + "\n" for line in lines).encode()


def parse(data: bytes) -> tuple[TreeFile, ...]:
    """The files of a manifest; raises ValueError for anything that is not one."""
    found: list[TreeFile] = []
    before = ""
    for line in data.splitlines():
        entry = values.parse(line)
        if type(entry) is not dict or set(entry) != {"path", "size", "sha256"}:
            raise ValueError("a line of the manifest is malformed")
        path, size, sha256 = entry["path"], entry["size"], entry["sha256"]
        if type(path) is not str or keys.problem_of(path) or path <= before or path == MANIFEST:
            raise ValueError("a path in the manifest is not one")
        if type(size) is not int or type(sha256) is not str:
            raise ValueError(f"the manifest is malformed at {path!r}")
        found.append(TreeFile(path, size, sha256))
        before = path
    return tuple(found)


def _walked(folder: Path) -> Iterator[str]:
    """Paths of all files; a link counts as what it points at if that is a file."""
    folders = [""]
    while folders:
        below = folders.pop()
        for entry in list(os.scandir(folder / below)):
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif stat.S_ISREG(entry.stat().st_mode):
                yield path
            else:
                raise ValueError(f"{path!r} in the folder {folder} is not a plain file")
