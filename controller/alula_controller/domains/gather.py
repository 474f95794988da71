"""Reads what a namespace has to say: its labels and its Domain. Called where definitions and runs are gathered.

Everything is read anew each time; nothing is remembered but the namespaces that a watch knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from alula_controller.cluster import client, resources
from alula_controller.cluster.watches import Seen
from alula_controller.domains import places
from alula_controller.domains.places import NoPlace, Place
from alula_controller.domains.view import NAME, DomainView
from alula_controller.settings import Settings


class Domains:
    """Reads Domains and where their namespaces keep their data.

    Args:
        api: the cluster.
        settings: the installation.
        namespaces: the namespaces that are known to exist (none where only some are served).
    """

    def __init__(
        self, api: client.Cluster, settings: Settings, namespaces: Callable[[], Iterable[Seen]] = lambda: ()
    ) -> None:
        self._api = api
        self._settings = settings
        self._namespaces = namespaces

    async def read(self, namespace: str) -> tuple[Place | NoPlace, DomainView]:
        """Where the namespace keeps its data, and its Domain."""
        body, domain = await asyncio.gather(
            self._api.find(resources.NAMESPACES.path(name=namespace)),
            self._api.find(resources.DOMAINS.path(namespace, NAME)),
        )
        known = body if body is not None else {"metadata": {"name": namespace}}
        view = DomainView.of(domain)
        return places.locate(self._settings, known, view, self._namespaces()), view
