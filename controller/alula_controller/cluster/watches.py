"""A watch of objects' metadata that keeps what it saw and never ends by itself.

One runs for every kind and namespace (or cluster) that is watched outside kopf: runs, generated objects, namespaces.
It lists, tells what changed, follows the stream from there, continues after a break, lists again when the version is
too old. Deletes that happened in a gap are found by comparing the new list with what was known. What is told is a hint
to look; no decision rests on it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.argo import runs
from alula_api.contract import labels, notices, timetables, triggers
from alula_controller import logs, metrics
from alula_controller.cluster import client, errors
from alula_controller.cluster.resources import Resource

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
HEALTHY_SECONDS = 20.0  # a stream that stays open for so long was a good one, even if it said nothing


MAX_TICK = 40  # characters of a scheduled time
READ = (*labels.SENTENCES, runs.PHASE_LABEL, runs.COMPLETED_LABEL)
"""The labels that anybody asks for: an object may carry a megabyte of others."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object's metadata, as much of it as anybody asks for."""

    namespace: str
    name: str
    uid: str
    version: str
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""  # the uid of the controlling owner
    terms: str = ""  # what a launch plan asks of the queue
    stop: bool = False  # whether its end is asked for
    schedule: str = ""  # when runs of a launch plan start
    trigger: str = ""  # the end of which other runs starts them
    notices: str = ""  # who is told of them
    tick: str = ""  # the scheduled time that a run was started for, not by a backfill

    @staticmethod
    def of(body: Mapping[str, Any]) -> Seen:
        """From an object or its metadata-only form."""
        metadata = body.get("metadata") or {}
        owners = metadata.get("ownerReferences") or ()
        given = metadata.get("labels") or {}
        notes = metadata.get("annotations") or {}
        marks = {name: sys.intern(str(given[name])) for name in READ if name in given}
        return Seen(
            str(metadata.get("namespace") or ""),
            str(metadata.get("name") or ""),
            str(metadata.get("uid") or ""),
            str(metadata.get("resourceVersion") or ""),
            str(metadata.get("creationTimestamp") or ""),
            marks,
            next((str(owner.get("uid")) for owner in owners if owner.get("controller")), ""),
            str(notes.get(labels.QUEUE, ""))[:500],
            labels.STOP in notes,
            _bounded(str(notes.get(labels.SCHEDULE, "")), timetables.MOST_TEXT),
            _bounded(str(notes.get(labels.TRIGGER, "")), triggers.MOST_TEXT),
            _bounded(str(notes.get(labels.NOTICES, "")), notices.MAX_TEXT),
            _bounded(str(notes.get(labels.TICK, "")), MAX_TICK) if notes.get(labels.BACKFILL) != "true" else "",
        )


def _bounded(text: str, most: int) -> str:
    """A text that may be cut nowhere: all of it, or nothing."""
    return text if len(text) <= most else ""


class Watch:
    """Metadata of all `resource` objects in `namespace` (empty: everywhere) that fit `labels`.

    `tell(seen, gone)` is called for each that is new, changed or gone. Without `remember` nothing is kept in `known`:
    deletes in a gap are not told, and what is there is told anew after each gap.
    """

    def __init__(
        self,
        api: client.Cluster,
        resource: Resource,
        tell: Callable[[Seen, bool], None],
        *,
        namespace: str = "",
        labels: str = "",
        remember: bool = True,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = f"{resource.plural}.{resource.group or 'core'}"
        self.known: dict[str, dict[str, Seen]] = {}  # namespace -> name
        self.synced = asyncio.Event()
        self.heard = float("-inf")  # when the server last said anything
        self._api = api
        self._path = resource.path(namespace)
        self._labels = labels
        self._tell = tell
        self._remember = remember
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._since = ""
        self._events = 0
        self._asked = asyncio.Event()

    def all(self) -> Iterator[Seen]:
        """Everything that is known."""
        return itertools.chain.from_iterable(map(dict.values, self.known.values()))

    def of(self, namespace: str) -> Mapping[str, Seen]:
        """What is known of a namespace, by name."""
        return self.known.get(namespace, {})

    async def run(self) -> None:
        """List and watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._tell_when_asked())

    async def _watch(self) -> None:
        failures = 0
        while True:
            began, events = self._clock(), self._events
            asked = 0.0
            try:
                if not self._since:
                    await self._list()
                await self._follow()
            except errors.Gone:
                self._since = ""
            except errors.ClusterError as error:
                asked = error.retry_after
                log.warning("watch of %s: %s", self.name, error, extra=logs.about(watch=self.name, failures=failures))
                if not isinstance(error, errors.Unavailable):
                    self._since = ""
            except Exception:
                # Whatever a server may send, a watch that dies silently is worse than one that lists again.
                self._since = ""
                log.exception("watch of %s begins anew", self.name)
            metrics.WATCH_RESTARTS.labels(watch=self.name).inc()
            # Also one that ended well is not opened again at once: a server may end every one as soon as it begins.
            failures = 0 if self._events > events or self._clock() - began > HEALTHY_SECONDS else failures + 1
            delay = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10)) * (0.5 + random.random())  # noqa: S311
            await asyncio.sleep(max(delay, asked))

    def again(self) -> None:
        """Tell soon everything that is there, beside what changes meanwhile."""
        self._asked.set()

    async def _tell_when_asked(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                async for page in self._api.pages(self._path, labels=self._labels, metadata_only=True):
                    for seen in map(Seen.of, page.items):
                        self._tell(seen, False)
            except errors.ClusterError as error:
                log.warning("list of %s: %s", self.name, error, extra=logs.about(watch=self.name))
                self._asked.set()
                await asyncio.sleep(LONGEST_PAUSE)

    async def _list(self) -> None:
        present: dict[str, dict[str, Seen]] = {}
        version = ""
        async for page in self._api.pages(self._path, labels=self._labels, metadata_only=True):
            self.heard = self._clock()
            version = page.version
            for seen in map(Seen.of, page.items):
                if self._remember:
                    present.setdefault(seen.namespace, {})[seen.name] = seen
                else:
                    self._tell(seen, False)
        before, past = self.known, list(self.all())
        self.known = present
        for seen in past:
            now = self.of(seen.namespace).get(seen.name)
            if now is None or now.uid != seen.uid:
                self._tell(seen, True)
        for seen in self.all():
            was = before.get(seen.namespace, {}).get(seen.name)
            if was is None or was.version != seen.version:
                self._tell(seen, False)
        self._since = version
        self.synced.set()

    async def _follow(self) -> None:
        async for event in self._api.watch(self._path, since=self._since, labels=self._labels):
            self.heard = self._clock()
            self._events += 1
            seen = Seen.of(event["object"])
            self._since = seen.version or self._since
            kind = event.get("type")
            if kind == "DELETED":
                self.known.get(seen.namespace, {}).pop(seen.name, None)
                self._tell(seen, True)
            elif kind in ("ADDED", "MODIFIED"):
                if self._remember:
                    self.known.setdefault(seen.namespace, {})[seen.name] = seen
                self._tell(seen, False)
