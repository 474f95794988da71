"""Kubernetes Events about definitions and runs: posted on transitions, a few a minute and object, never waited for.

An Event is for people; losing one is harmless, so a refused or surplus Event is counted and dropped.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alula_controller import metrics, timestamps
from alula_controller.cluster import client, errors, resources

log = logging.getLogger(__name__)

BURST = 10  # of one object
REFILL_SECONDS = 30.0  # one more of one object
LONGEST = 1000  # characters of a message; the API server allows 1,024


@dataclass(frozen=True)
class Announcement:
    """What to say about an object. `reason` is one of `reasons`."""

    regarding: Mapping[str, str]  # apiVersion, kind, namespace, name, uid
    reason: str
    message: str
    warning: bool = False


def regarding(body: Mapping[str, Any]) -> dict[str, str]:
    """The reference to an object that was read."""
    metadata = body["metadata"]
    return {
        "apiVersion": str(body["apiVersion"]),
        "kind": str(body["kind"]),
        "namespace": str(metadata.get("namespace", "")),
        "name": str(metadata["name"]),
        "uid": str(metadata.get("uid", "")),
    }


class Announcer:
    """Posts announcements in the background, at most `BURST` and then one per `REFILL_SECONDS` of one object."""

    def __init__(self, api: client.Cluster, instance: str, clock: Callable[[], float]) -> None:
        self._api = api
        self._instance = instance
        self._clock = clock
        self._queue: asyncio.Queue[Announcement] = asyncio.Queue(maxsize=1000)
        self._tokens: dict[str, tuple[float, float]] = {}  # uid -> tokens left, when

    def say(self, announcement: Announcement) -> None:
        """Post it soon, unless this object has said too much lately."""
        if not self._allowed(announcement.regarding["uid"]):
            metrics.EVENTS_DROPPED.inc()
            return
        try:
            self._queue.put_nowait(announcement)
        except asyncio.QueueFull:
            metrics.EVENTS_DROPPED.inc()

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            announcement = await self._queue.get()
            body = event(announcement, self._instance, timestamps.seconds(timestamps.now()))
            try:
                await self._api.create(resources.EVENTS.path(announcement.regarding["namespace"]), body)
            except errors.ClusterError as error:
                metrics.EVENTS_DROPPED.inc()
                log.info("an Event was not posted: %s", error)
            except Exception:
                metrics.EVENTS_DROPPED.inc()
                log.exception("a defect of ours in posting an Event")

    def _allowed(self, uid: str) -> bool:
        now = self._clock()
        left, when = self._tokens.get(uid, (float(BURST), now))
        left = min(float(BURST), left + (now - when) / REFILL_SECONDS)
        if len(self._tokens) > 10_000:
            self._tokens.clear()
        self._tokens[uid] = (max(0.0, left - 1) if left >= 1 else left, now)
        return left >= 1


def event(announcement: Announcement, instance: str, moment: str) -> dict[str, Any]:
    """The Event object."""
    about = announcement.regarding
    text = announcement.message if len(announcement.message) <= LONGEST else announcement.message[: LONGEST - 3] + "..."
    digest = hashlib.sha256(f"{about['uid']} {announcement.reason} {text} {moment}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name'][:200]}.{digest}", "namespace": about["namespace"]},
        "involvedObject": dict(about),
        "reason": announcement.reason,
        "message": text,
        "type": "Warning" if announcement.warning else "Normal",
        "source": {"component": client.FIELD_MANAGER},
        "reportingComponent": client.FIELD_MANAGER,
        "reportingInstance": instance[:128],
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
