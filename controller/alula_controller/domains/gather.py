"""Reads what a namespace has to say: its labels and its Domain. Called where definitions and runs are gathered.

Both are read anew each time, or shared for a second by definitions. Of the other namespaces, which may claim the same
project and domain, a watch knows; where the installation serves some namespaces only and may not watch any, they are
read every `OTHERS_SECONDS`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.watches import Seen
from alula_controller.domains import places
from alula_controller.domains.places import NoPlace, Place
from alula_controller.domains.view import NAME, DomainView
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

OTHERS_SECONDS = 30.0
RECENT_SECONDS = 1.0

Found = tuple[Place | NoPlace, DomainView]


class Domains:
    """Reads Domains and where their namespaces keep their data.

    Args:
        api: the cluster.
        settings: the installation.
        namespaces: the namespaces that a watch knows of (none where only some are served).
        clock: monotonic seconds.
    """

    def __init__(
        self,
        api: client.Cluster,
        settings: Settings,
        namespaces: Callable[[], Iterable[Seen]] = lambda: (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._settings = settings
        self._namespaces = namespaces
        self._clock = clock
        self._others: tuple[Seen, ...] = ()  # the served namespaces, where no watch knows them
        self._others_at = float("-inf")
        self._recent: dict[str, tuple[float, asyncio.Task[Found]]] = {}

    async def read(self, namespace: str) -> Found:
        """Where the namespace keeps its data, and its Domain."""
        return await self._begun(namespace)

    def known(self) -> Iterable[Seen]:
        """The namespaces that are known: those of the cluster, or those that are served as they were last read."""
        return self._others if self._settings.namespaces else self._namespaces()

    async def look_around(self) -> None:
        """Read the namespaces that are served, where no watch knows them."""
        try:
            await self._rivals()
        except errors.ClusterError as error:  # whatever is read next reads them too
            log.warning("the namespaces that are served cannot be read yet: %s", error)

    async def recent(self, namespace: str) -> Found:
        """The same, read at most `RECENT_SECONDS` ago, also by others.

        For definitions only, which come in thousands at once: each is looked at again after its Domain has changed, and
        that change was seen by a `read`.
        """
        began, task = self._recent.get(namespace, (float("-inf"), None))
        if task is None or self._clock() - began >= RECENT_SECONDS or (task.done() and task.exception() is not None):
            return await self._begun(namespace)
        return await asyncio.shield(task)

    async def _begun(self, namespace: str) -> Found:
        now = self._clock()
        for name in [name for name, (began, _) in self._recent.items() if now - began >= RECENT_SECONDS]:
            del self._recent[name]
        task = asyncio.create_task(self._read(namespace))
        self._recent[namespace] = now, task
        return await asyncio.shield(task)

    async def _read(self, namespace: str) -> Found:
        body, domain = await asyncio.gather(
            self._api.find(resources.NAMESPACES.path(name=namespace)),
            self._api.find(resources.DOMAINS.path(namespace, NAME)),
        )
        known = body if body is not None else {"metadata": {"name": namespace}}
        view = DomainView.of(domain)
        return places.locate(self._settings, known, view, await self._rivals()), view

    async def _rivals(self) -> Iterable[Seen]:
        """The namespaces that may have the same pair."""
        if not self._settings.namespaces:
            return self._namespaces()
        if self._clock() - self._others_at >= OTHERS_SECONDS:
            paths = (resources.NAMESPACES.path(name=name) for name in self._settings.namespaces)
            found = await asyncio.gather(*map(self._api.find, paths))
            self._others, self._others_at = tuple(Seen.of(body) for body in found if body is not None), self._clock()
        return self._others
