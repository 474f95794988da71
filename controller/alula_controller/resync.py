"""Finds what a watch may have missed: every few minutes all definitions are listed (metadata only) and compared.

Deletes during a gap are never delivered by a watch; kopf's does not make them up. A replica that begins to act looks at
everything once. Started by `process`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.domains import view
from alula_controller.edge import Add
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

Known = dict[QueueKey, tuple[str, str]]  # uid and resourceVersion
AGAIN_SECONDS = 2.0  # after a list that failed when everything was asked for


class Relist:
    """Lists definitions and adds to the queue what is new, changed or gone since the list before.

    Args:
        api: the cluster.
        settings: the installation.
        add: puts a key into the queue.
    """

    def __init__(self, api: client.Cluster, settings: Settings, add: Add) -> None:
        self._api = api
        self._settings = settings
        self._add = add
        self._known: Known | None = None
        self._asked = asyncio.Event()

    def everything(self) -> None:
        """List soon and add everything that is there."""
        self._known = None
        self._asked.set()

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            self._asked.clear()
            try:
                await self.once()
            except errors.ClusterError as error:
                log.warning("definitions could not be listed: %s", error)
            except Exception:
                log.exception("a defect of ours in comparing lists")
            patience = self._settings.resync_seconds * (0.9 + 0.2 * random.random())  # noqa: S311
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), AGAIN_SECONDS if self._known is None else patience)

    async def once(self) -> None:
        """List once and compare with the time before. What is found comes behind what changes now, the latest change
        first: one that has stood still for long is not waited for.
        """
        present: Known = {}
        for resource in resources.DEFINITIONS:
            for scope in self._settings.scopes:
                listing = await self._api.list(resource.path(scope), metadata_only=True)
                for seen in map(Seen.of, listing.items):
                    present[QueueKey(seen.namespace, seen.name, resource.kind)] = (seen.uid, seen.version)
        before, self._known = self._known or {}, present
        found = [key for key in before.keys() | present.keys() if before.get(key) != present.get(key)]
        for key in sorted(found, key=lambda each: _order(present.get(each)), reverse=True):
            self._add(key, behind=True)
        for namespace in self._settings.namespaces:
            # Their labels cannot be watched with the rights of a namespaced installation.
            self._add(QueueKey(namespace, view.NAME, "Domain"))


def _order(version: tuple[str, str] | None) -> int:
    """Versions grow with time in every API server that stores in etcd; another's order is as good as any."""
    return int(version[1]) if version is not None and version[1].isdecimal() else 0
