"""A watch of objects' metadata that keeps what it saw and never ends by itself.

One runs for every kind and namespace (or cluster) that is watched outside kopf: runs, generated objects, namespaces.
It lists, tells what changed, follows the stream from there, continues after a break, lists again when the version is
too old. Deletes that happened in a gap are found by comparing the new list with what was known. What is told is a hint
to look; nobody decides on it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_controller import logs, metrics
from alula_controller.cluster import client, errors
from alula_controller.cluster.resources import Resource

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """An object's metadata, as much of it as anybody asks for."""

    namespace: str
    name: str
    uid: str
    version: str
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""  # the uid of the controlling owner

    @staticmethod
    def of(body: Mapping[str, Any]) -> Seen:
        """From an object or its metadata-only form."""
        metadata = body.get("metadata") or {}
        owners = metadata.get("ownerReferences") or ()
        labels = {sys.intern(key): sys.intern(value) for key, value in (metadata.get("labels") or {}).items()}
        return Seen(
            str(metadata.get("namespace") or ""),
            str(metadata.get("name") or ""),
            str(metadata.get("uid") or ""),
            str(metadata.get("resourceVersion") or ""),
            str(metadata.get("creationTimestamp") or ""),
            labels,
            next((str(owner.get("uid")) for owner in owners if owner.get("controller")), ""),
        )


class Watch:
    """Metadata of all `resource` objects in `namespace` (empty: everywhere) that fit `labels`.

    `tell(seen, gone)` is called for each that is new, changed or gone.
    """

    def __init__(
        self,
        api: client.Cluster,
        resource: Resource,
        tell: Callable[[Seen, bool], None],
        *,
        namespace: str = "",
        labels: str = "",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = f"{resource.plural}.{resource.group or 'core'}"
        self.known: dict[tuple[str, str], Seen] = {}
        self.synced = asyncio.Event()
        self.heard = float("-inf")  # when the server last said anything
        self._api = api
        self._path = resource.path(namespace)
        self._labels = labels
        self._tell = tell
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._since = ""

    async def run(self) -> None:
        """List and watch until cancelled."""
        failures = 0
        while True:
            try:
                if not self._since:
                    await self._list()
                await self._follow()
                failures = 0
                continue
            except errors.Gone:
                self._since = ""
            except errors.ClusterError as error:
                failures += 1
                log.warning("watch of %s: %s", self.name, error, extra=logs.about(watch=self.name, failures=failures))
                if not isinstance(error, errors.Unavailable):
                    self._since = ""
            except Exception:
                # Whatever a server may send, a watch that dies silently is worse than one that lists again.
                failures += 1
                self._since = ""
                log.exception("watch of %s begins anew", self.name)
            metrics.WATCH_RESTARTS.labels(watch=self.name).inc()
            await asyncio.sleep(min(10.0, 0.2 * 2 ** min(failures, 10)) * (0.5 + random.random()))  # noqa: S311

    async def _list(self) -> None:
        listing = await self._api.list(self._path, labels=self._labels, metadata_only=True)
        self.heard = self._clock()
        present = {}
        for item in listing.items:
            seen = Seen.of(item)
            present[seen.namespace, seen.name] = seen
        before, self.known = self.known, present
        for key, seen in before.items():
            if key not in present or present[key].uid != seen.uid:
                self._tell(seen, True)
        for key, seen in present.items():
            if key not in before or before[key].version != seen.version:
                self._tell(seen, False)
        self._since = listing.version
        self.synced.set()

    async def _follow(self) -> None:
        async for event in self._api.watch(self._path, since=self._since, labels=self._labels):
            self.heard = self._clock()
            seen = Seen.of(event["object"])
            self._since = seen.version or self._since
            kind = event.get("type")
            if kind == "DELETED":
                self.known.pop((seen.namespace, seen.name), None)
                self._tell(seen, True)
            elif kind in ("ADDED", "MODIFIED"):
                self.known[seen.namespace, seen.name] = seen
                self._tell(seen, False)
