"""Finds what a watch may have missed: every few minutes all definitions are listed (metadata only) and compared.

Deletes during a gap are never delivered by a watch; kopf's does not make them up. Started by `process`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.watches import Seen
from alula_controller.definitions.world import Key
from alula_controller.domains import view
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

Known = dict[Key, tuple[str, str]]  # uid and resourceVersion


class Relist:
    """Lists definitions and adds to the queue what is new, changed or gone since the list before.

    Args:
        api: the cluster.
        settings: the installation.
        add: puts a key into the queue.
    """

    def __init__(self, api: client.Cluster, settings: Settings, add: Callable[[Key, float], None]) -> None:
        self._api = api
        self._settings = settings
        self._add = add
        self._known: Known | None = None

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            try:
                await self.once()
            except errors.ClusterError as error:
                log.warning("definitions could not be listed: %s", error)
            except Exception:
                log.exception("a defect of ours in comparing lists")
            await asyncio.sleep(self._settings.resync_seconds * (0.9 + 0.2 * random.random()))  # noqa: S311

    async def once(self) -> None:
        """List once and compare with the time before."""
        present: Known = {}
        for resource in resources.DEFINITIONS:
            for scope in self._settings.scopes:
                listing = await self._api.list(resource.path(scope), metadata_only=True)
                for seen in map(Seen.of, listing.items):
                    present[Key(resource.kind, seen.namespace, seen.name)] = (seen.uid, seen.version)
        before, self._known = self._known or {}, present
        for key in before.keys() | present.keys():
            if before.get(key) != present.get(key):
                self._add(key, 0.0)
        for namespace in self._settings.namespaces:
            # Their labels cannot be watched with the rights of a namespaced installation.
            self._add(Key("Domain", namespace, view.NAME), 0.0)
