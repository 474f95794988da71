"""A Workflow's latest runs in its status, however they were started. Called by the work queue of histories, some time
after one of its runs has begun or ended; a launch plan's are told by `schedules.reconcile`, with its ticks.

The status is written for the version that was read, and only where it would say something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from alula_controller.cluster import client, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.runs import latest
from alula_controller.runs.noted import Noted

TOGETHER_SECONDS = 10.0
"""For a Workflow's runs to be told of together."""
AGAIN_SECONDS = 1.0
KIND = "History"


class Histories:
    """Tells of runs in the statuses of Workflows.

    Args:
        access: the cluster.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._runs: Noted[QueueKey] = Noted()

    def clear(self) -> None:
        """Forget everything."""
        self._runs.clear()

    def note(self, key: QueueKey, seen: Seen, gone: bool = False) -> bool:
        """Remember a run of the Workflow that has begun, changed its phase or ended; whether it has."""
        return self._runs.note(key, seen, gone)

    async def handle(self, key: QueueKey) -> float | None:
        """Look at one Workflow; when to look again, if ever."""
        workflow = await self._access.api.find(resources.WORKFLOWS.path(key.namespace, key.name))
        if workflow is None or workflow["metadata"].get("deletionTimestamp"):
            self._runs.take(key)
            return None
        if not self._access.may_write():
            return AGAIN_SECONDS
        noted = self._runs.take(key)
        try:
            found = await read(self._access.api, key.namespace, [*noted, *latest.unfinished(workflow)])
            patch = latest.latest(workflow, found)
            if not latest.differs(workflow, patch):
                return None
            await self._access.patch_status(resources.WORKFLOWS, workflow, patch)
        except BaseException:
            self._runs.put_back(key, noted)
            raise
        return None


async def read(api: client.Cluster, namespace: str, named: Iterable[str]) -> dict[str, dict[str, Any] | None]:
    """The metadata of runs, None of those that are gone."""
    wanted = list(dict.fromkeys(named))
    paths = [resources.RUNS.path(namespace, name) for name in wanted]
    found = await asyncio.gather(*(api.find(path, metadata_only=True) for path in paths))
    return dict(zip(wanted, found, strict=True))
