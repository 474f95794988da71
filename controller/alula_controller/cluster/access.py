"""What a reconciler acts with: the cluster, Events about what it did, and whether it may still write.

Made by `process` and handed to whatever handles definitions or runs. It decides nothing, and counts what is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alula_controller import logs, metrics
from alula_controller.cluster import client, errors, events, resources
from alula_controller.cluster.events import Announcement
from alula_controller.cluster.resources import Resource

log = logging.getLogger(__name__)

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Access:
    """The cluster, and what goes with acting on it.

    Attributes:
        api: the cluster.
        say: posts an Event.
        may_write: asked again before anything is written: the Lease may have gone meanwhile.
    """

    api: client.Cluster
    say: Callable[[Announcement], None]
    may_write: Callable[[], bool] = lambda: True

    async def start(self, run: Body) -> bool:
        """Create a run whose name says what it is started for; False where there is one of this name."""
        metadata = run["metadata"]
        try:
            await self.api.create(resources.RUNS.path(metadata["namespace"]), dict(run))
        except errors.Conflict:
            about = logs.about(namespace=metadata["namespace"], name=metadata["name"])
            log.info("the run was started before", extra=about)
            return False
        metrics.WRITES.labels(kind="Run", verb="create").inc()
        return True

    async def run_of_name(self, run: Body) -> dict[str, Any]:
        """The metadata of the run that has the name of one that was to be started.

        Raises:
            errors.Conflict: it goes just now.
        """
        metadata = run["metadata"]
        path = resources.RUNS.path(metadata["namespace"], metadata["name"])
        found = await self.api.find(path, metadata_only=True)
        if found is None:
            raise errors.Conflict(f"the run {metadata['name']} is being deleted")
        return found

    async def patch_run(self, run: Body, patch: Body) -> dict[str, Any]:
        """Write a part of a run."""
        metadata = run["metadata"]
        answer = await self.api.merge(resources.RUNS.path(metadata["namespace"], metadata["name"]), dict(patch))
        metrics.WRITES.labels(kind="Run", verb="patch").inc()
        return answer

    async def patch_status(self, resource: Resource, body: Body, status: Body) -> dict[str, Any]:
        """Write a part of a definition's status, for the version that was read."""
        metadata = body["metadata"]
        held = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        path = resource.path(metadata["namespace"], metadata["name"], "status")
        answer = await self.api.merge(path, {"metadata": held, "status": status})
        metrics.WRITES.labels(kind=resource.kind, verb="patch").inc()
        return answer

    def announce(self, body: Body, reason: str, message: str, *, warning: bool) -> None:
        """Say something about an object that was read, in an Event and in the log."""
        self.publish(Announcement(events.regarding(body), str(reason), message, warning))

    def publish(self, event: Announcement) -> None:
        """Post an Event that is made already, and log it."""
        self.say(event)
        log.info("%s: %s", event.reason, event.message.split("\n", maxsplit=1)[0], extra=logs.about(**event.regarding))
