"""Our own writes as the watches bring them back, so that nothing is looked at because of them.

A write is noted only where the API server's answer shows that the object is now what the decision wanted:
then the event of that version says nothing new, whatever events a watch has left out before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

MOST = 20_000
"""So many objects are remembered; of those noted longest ago an event is one look too many."""


class Echoes:
    """The versions of objects that were written last."""

    def __init__(self) -> None:
        self._versions: dict[str, str] = {}  # by uid, the latest at the end

    def note(self, answer: Mapping[str, Any]) -> None:
        """An object as the API server returned it, which is as it should be."""
        metadata = answer.get("metadata") or {}
        uid, version = str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or "")
        if uid and version:
            self._versions.pop(uid, None)
            self._versions[uid] = version
            if len(self._versions) > MOST:
                del self._versions[next(iter(self._versions))]

    def is_one(self, uid: str, version: str) -> bool:
        """Whether an object of this version is as we wrote it."""
        return bool(version) and self._versions.get(uid) == version

    def unless_one(self, uid: str, version: str, look: Callable[[], None], patience: float) -> None:
        """Call `look` after `patience` seconds, unless the object proves to be as we wrote it.

        An event may come before the answer to the write that caused it.
        """

        def late() -> None:
            if not self.is_one(uid, version):
                look()

        if not self.is_one(uid, version):
            asyncio.get_running_loop().call_later(patience, late)
