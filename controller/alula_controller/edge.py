"""kopf, and only kopf: it watches the definitions and hands their names to the queue. Nothing is decided here.

Of kopf only `on.event` is used (a test forbids the rest): such handlers write no annotations or finalizers, and what
they add to the queue is a hint. kopf's exit ends the process, which starts anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import kopf

from alula_controller.cluster import client, errors, resources
from alula_controller.definitions.world import Key
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

Add = Callable[[Key, float], None]


class Patience:
    """kopf's delays between attempts: re-iterable, up to 15 s, for about ten minutes of an API server that is away."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1, 2, 4, 8)
        yield from (15.0,) * 40

    def __len__(self) -> int:
        return 45


def settings() -> kopf.OperatorSettings:
    """How kopf runs; `tests/controller` asserts each of them."""
    chosen = kopf.OperatorSettings()
    chosen.peering.standalone = True  # its peering stops both of two equal operators; ours is a Lease
    chosen.scanning.disabled = True  # no watch of namespaces and CRDs
    chosen.posting.enabled = False  # Events are our own, and rate-limited
    chosen.watching.server_timeout = 240
    chosen.watching.client_timeout = 300
    chosen.watching.inactivity_timeout = 70  # bookmarks come every 60 s
    chosen.watching.chunk_size = 500
    chosen.networking.connect_timeout = 5
    chosen.networking.request_timeout = 30
    chosen.networking.error_backoffs = Patience()
    chosen.queueing.worker_limit = None  # a limit leaves kopf dead and silent (nolar/kopf#1243)
    chosen.execution.max_workers = 2
    chosen.persistence.finalizer = "alula.dev/unused"
    return chosen


def register(registry: kopf.OperatorRegistry, add: Add) -> None:
    """Hand the name of every definition that changes to `add`."""
    for resource in resources.DEFINITIONS:

        async def seen(name: str | None, namespace: str | None, kind: str = resource.kind, **_: Any) -> None:
            add(Key(kind, namespace or "", name or ""), 0.0)

        kopf.on.event(
            resource.group, resource.version, resource.plural, registry=registry, id=f"see-{resource.plural}"
        )(seen)


async def run(chosen: Settings, add: Add, ready: asyncio.Event) -> None:
    """Watch until the process is told to stop (kopf takes SIGTERM and SIGINT)."""
    registry = kopf.get_default_registry()
    register(registry, add)
    await kopf.operator(
        registry=registry,
        settings=settings(),
        standalone=True,
        clusterwide=not chosen.namespaces,
        namespaces=list(chosen.namespaces),
        # Without one, kopf asks for the name of the user, which one without an entry in passwd does not have.
        identity=cast("Any", chosen.identity),
        ready_flag=ready,
    )


async def served(api: client.Cluster, pause: float = 2.0) -> None:
    """Wait until the API server serves our kinds and Argo's: with scanning off, kopf never sees one that comes
    later."""
    while missing := await _missing(api):
        log.warning("waiting for the API server to serve %s", ", ".join(missing))
        await asyncio.sleep(pause)


async def _missing(api: client.Cluster) -> list[str]:
    found: set[tuple[str, str]] = set()
    for root in sorted({resource.root for resource in (*resources.DEFINITIONS, *resources.ARGO)}):
        try:
            listed = await api.get(root)
        except errors.ClusterError:
            continue
        found |= {(root, each["name"]) for each in listed.get("resources") or ()}
    wanted = (*resources.DEFINITIONS, *resources.ARGO)
    return [f"{each.plural}.{each.group}" for each in wanted if (each.root, each.plural) not in found]
