"""`release.lock`: the sha256 of every file of a release folder, and what is computed from it.

Called by `alula.emit.releases`. Two lines a file, sorted: its name, then its digest. Git takes changes of neighbouring
lines for a conflict, so two branches that change two files must not meet here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

NAME = "release.lock"
VERSION_DIGITS = 8

_ENTRY = re.compile(r"([^\n]+)\n([0-9a-f]{64})\n")


def entries(files: Mapping[str, str]) -> dict[str, str]:
    """The digest of each file's text, sorted by name."""
    return {name: digest(files[name].encode()) for name in sorted(files)}


def digest(content: bytes) -> str:
    """The digest of one file."""
    return hashlib.sha256(content).hexdigest()


def text(listed: Mapping[str, str]) -> str:
    """The lock of some files, or the lines of a group of them."""
    return "".join(f"{name}\n{listed[name]}\n" for name in sorted(listed))


def read(file: Path) -> dict[str, str]:
    """The digests that lie there; empty when there are none, or when it is no lock, such as after a merge conflict."""
    try:
        found = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    listed = dict(_ENTRY.findall(found))
    return listed if text(listed) == found else {}


def checksum(listed: Mapping[str, str]) -> str:
    """The digest of the lines of some files: a group's in its block of digests."""
    return digest(text(listed).encode())


def version(listed: Mapping[str, str]) -> str:
    """The version of the release: the first digits of the digest of the whole lock."""
    return checksum(listed)[:VERSION_DIGITS]
