"""Which kinds the API server serves. `process` waits for those that the controller needs before it starts."""

from __future__ import annotations

import asyncio
import logging

from alula_controller.cluster import client, errors, resources

log = logging.getLogger(__name__)


async def served(api: client.Cluster, pause: float = 2.0) -> None:
    """Wait until the API server serves our kinds and Argo's: with scanning off, kopf never sees one that comes
    later."""
    while missing := await _missing(api):
        log.warning("waiting for the API server to serve %s", ", ".join(missing))
        await asyncio.sleep(pause)


async def _missing(api: client.Cluster) -> list[str]:
    found: set[tuple[str, str]] = set()
    for root in sorted({resource.root for resource in resources.NEEDED}):
        try:
            listed = await api.get(root)
        except errors.ClusterError:
            continue
        found |= {(root, each["name"]) for each in listed.get("resources") or ()}
    return [f"{each.plural}.{each.group}" for each in resources.NEEDED if (each.root, each.plural) not in found]
