"""Carriers of a local run: how files and frames pass between tasks. Implements the carriers of `alula.types`.

Values are JSON and are handed over as that. A frame may be kept in this process instead of stored: it is checked as
if it were, and each consumer gets one of its own, so that none sees another's changes. Files always go through the
store, because a task may return one that it is about to remove.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alula.types.carriers import Snapshot, same
from alula_api.contract import references

if TYPE_CHECKING:
    from pathlib import Path

    from alula_api.contract.references import Reference
    from alula_data.content import Content


class FrameShelf:
    """The frames that are kept in this process, by the digest of their references."""

    def __init__(self) -> None:
        self._kept: dict[str, Callable[[], Any]] = {}
        self._made = 0
        self._lock = threading.Lock()

    def put(self, frame: Any, snapshot: Snapshot) -> str:
        """Keep `frame` as it is now; returns the digest to ask for it by."""
        kept = snapshot(frame)
        with self._lock:
            self._made += 1
            digest = f"{self._made:064x}"
            self._kept[digest] = kept
        return digest

    def get(self, digest: str) -> Any | None:
        """A frame of the caller's own, or None."""
        found = self._kept.get(digest)
        return None if found is None else found()

    def drop(self, value: object, depth: int = 0) -> None:
        """Forget every frame that a value names."""
        if isinstance(value, dict):
            digest = value.get("digest")
            if isinstance(digest, str) and value.get("type") == "frame":
                self._kept.pop(digest, None)
                return
        if depth < 100 and self._kept and isinstance(value, (dict, list)):
            for item in value.values() if isinstance(value, dict) else value:
                self.drop(item, depth + 1)


class StoreCarrier:
    """A carrier that puts everything into the store; frames that another task kept can still be read.

    Args:
        content: Opens the store on first use, so that a run of plain values needs none.
        shelf: The frames that are kept.
    """

    def __init__(self, content: Callable[[], Content], shelf: FrameShelf) -> None:
        self._content = content
        self._shelf = shelf

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """Store a file or folder."""
        return self._content().commit_file(path, type=type, name=name, format=format)

    def fetch(self, reference: Reference) -> Path:
        """A local path to stored content."""
        return self._content().fetch(reference)

    def keep(
        self, value: object, *, type: str, name: str = "", format: str = "", snapshot: Snapshot = same
    ) -> Reference | None:
        """Nothing is kept: it must be stored."""
        return None

    def kept(self, reference: Reference) -> object | None:
        """A copy of a frame that another task left in this process."""
        found: object | None = self._shelf.get(reference.digest) if reference.type == "frame" else None
        return found


class MemoryCarrier(StoreCarrier):
    """A carrier that keeps frames in this process."""

    def keep(
        self, value: object, *, type: str, name: str = "", format: str = "", snapshot: Snapshot = same
    ) -> Reference | None:
        """Keep a frame; files must be stored."""
        if type != "frame":
            return None
        return references.Reference(type, self._shelf.put(value, snapshot), 0, name, format)
