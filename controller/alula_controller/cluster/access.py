"""What a reconciler acts with: the cluster, Events about what it did, and whether it may still write.

Made by `process` and handed to whatever handles definitions or runs. It decides nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alula_controller import logs
from alula_controller.cluster import client, events
from alula_controller.cluster.events import Announcement

log = logging.getLogger(__name__)


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

    def announce(self, body: Mapping[str, Any], reason: str, message: str, *, warning: bool) -> None:
        """Say something about an object that was read, in an Event and in the log."""
        self.publish(Announcement(events.regarding(body), str(reason), message, warning))

    def publish(self, event: Announcement) -> None:
        """Post an Event that is made already, and log it."""
        self.say(event)
        log.info("%s: %s", event.reason, event.message.split("\n", maxsplit=1)[0], extra=logs.about(**event.regarding))
