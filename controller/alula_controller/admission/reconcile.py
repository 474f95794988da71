"""One run, once: gather, decide, patch. The work queue of runs calls `Answerer.handle`; `sweep` finds those that
Argo chokes on or has given no labels.

The patch holds only for the version that was read. Killed before it, the run is still held; killed after it, the run
carries its mark: nothing is lost or doubled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.contract import labels
from alula_controller import conditions, logs, metrics, timestamps
from alula_controller.admission import cache_lookup, decide, gather
from alula_controller.admission.cache_lookup import Lookups
from alula_controller.admission.decide import Decision, Outcome, World
from alula_controller.cluster import client, errors, events, resources
from alula_controller.cluster.events import Announcement
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions.gather import Gatherer
from alula_controller.runs import nodes, recovery, watchdog

log = logging.getLogger(__name__)

BUSY_AGAIN = 0.3
OFFLOADED = "Argo keeps this run's nodes in a database, where alula cannot answer the hold; turn nodeStatusOffLoad off"


@dataclass(frozen=True)
class RunKey:
    """One run to look at."""

    namespace: str
    name: str
    kind: str = "Run"

    def __str__(self) -> str:
        return f"run {self.namespace}/{self.name}"


def worth_a_look(seen: Seen, now: datetime) -> bool:
    """Whether a run may need something of us, by its labels alone."""
    return waiting(seen) or recovery.candidate(seen, now)


def waiting(seen: Seen) -> bool:
    """Whether a run may wait for an answer, by its labels alone."""
    if seen.labels.get(watchdog.COMPLETED_LABEL) == "true":
        return False
    return bool(seen.labels.get(labels.REVISION)) and seen.labels.get(labels.ADMITTED) != seen.uid


class Answerer:
    """Answers the holds of runs.

    Args:
        api: the cluster.
        gatherer: knows places and Domains.
        lookups: the cache.
        say: posts an Event.
        may_write: asked again before anything is written.
    """

    def __init__(
        self,
        api: client.Cluster,
        gatherer: Gatherer,
        lookups: Lookups,
        *,
        say: Callable[[Announcement], None],
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._api = api
        self._gatherer = gatherer
        self._lookups = lookups
        self._say = say
        self._may_write = may_write
        self._told: dict[str, str] = {}  # uid -> what was said of a run that cannot be answered
        self._foreign: dict[str, set[str]] = {}  # namespace -> uids of runs without our labels that need none

    async def handle(self, key: RunKey) -> float | None:
        """Look at one run; when to look again, if ever."""
        run = await self._api.find(resources.RUNS.path(key.namespace, key.name))
        if run is None:
            return None
        if decide.finished(run):
            await self._start_again_if_lost(run)
            return None
        try:
            world = await gather.read(self._api, self._gatherer, self._lookups, run)
        except (nodes.Offloaded, nodes.Unreadable) as error:
            await self._unanswerable(key, str(error) or OFFLOADED, Reason.STATUS_OFFLOADED)
            return None
        except cache_lookup.Busy:
            return BUSY_AGAIN
        if world is None:
            return None
        decision = decide.decide(world, timestamps.seconds(timestamps.now()))
        if not self._may_write():
            return 1.0
        if decision.patch is not None:
            await self._api.merge(resources.RUNS.path(key.namespace, key.name), dict(decision.patch))
            self._record(world, decision)
        return decision.again

    async def _start_again_if_lost(self, run: Mapping[str, Any]) -> None:
        """Start a run anew, once, whose filled-in data was gone or damaged when a task needed it."""
        node = recovery.lost(run)
        if not node or not self._may_write():
            return
        namespace = run["metadata"]["namespace"]
        template = await self._api.find(resources.TEMPLATES.path(namespace, watchdog.template(run)))
        body = recovery.successor(run, node, template)
        name = str(body["metadata"]["name"]) if body is not None else ""
        if body is not None:
            try:
                await self._api.create(resources.RUNS.path(namespace), body)
                metrics.RUNS_RESTARTED.inc()
            except errors.Conflict:
                log.info("the run was started again before", extra=logs.about(namespace=namespace, name=name))
        await self._api.merge(resources.RUNS.path(namespace, run["metadata"]["name"]), recovery.mark(run, name))
        reason = Reason.STARTED_AGAIN if name else Reason.NOT_STARTED_AGAIN
        then = f"the run is started again as {name}" if name else "the workflow has changed since, so start a new run"
        self._announce(run, reason, f"data that {node} needed was lost; {then}", warning=True)

    async def sweep(self, namespace: str) -> None:
        """Label the runs that Argo gave no labels, and end those that it cannot digest."""
        listing = await self._api.list(resources.RUNS.path(namespace), labels=watchdog.SELECTOR, metadata_only=True)
        now = timestamps.now()
        found = [Seen.of(each) for each in listing.items]
        foreign = self._foreign[namespace] = self._foreign.get(namespace, set()) & {seen.uid for seen in found}
        for seen in found:
            if seen.uid in foreign or not watchdog.suspicious(seen, now) or not self._may_write():
                continue
            try:
                if await self._is_foreign_or_helped(seen, now):
                    foreign.add(seen.uid)
            except errors.Conflict:
                continue  # it was moved: it is not stuck
            except Exception:
                log.exception("a run without labels could not be looked at", extra=logs.about(name=seen.name))

    async def _is_foreign_or_helped(self, seen: Seen, now: datetime) -> bool:
        path = resources.RUNS.path(seen.namespace, seen.name)
        run = await self._api.find(path)
        if run is None or watchdog.foreign(run):
            return True
        if labels.REVISION in watchdog.owed(run):
            await self._api.merge(path, watchdog.labelling(run))
            return True
        return await self._end_if_stuck(path, run, now)

    async def _end_if_stuck(self, path: str, run: Mapping[str, Any], now: datetime) -> bool:
        inputs = watchdog.indigestible(run, now)
        if not inputs or not await self._started_from_ours(run):
            return False
        patch = watchdog.failing(run, inputs, timestamps.seconds(timestamps.now()))
        await self._api.merge(path, patch)
        metrics.RUNS_REFUSED.labels(reason="indigestible").inc()
        self._announce(run, Reason.RUN_REFUSED, patch["status"]["message"], warning=True)
        return True

    async def _started_from_ours(self, run: Mapping[str, Any]) -> bool:
        name = watchdog.template(run)
        if not name:
            return False
        path = resources.TEMPLATES.path(run["metadata"]["namespace"], name)
        template = await self._api.find(path, metadata_only=True)
        return bool(template and (template["metadata"].get("labels") or {}).get(labels.MANAGED_BY) == labels.MANAGER)

    def _record(self, world: World, decision: Decision) -> None:
        metrics.WRITES.labels(kind="Run", verb="patch").inc()
        if decision.outcome == Outcome.ADMITTED:
            metrics.RUNS_ADMITTED.inc()
            metrics.NODES_FILLED.inc(decision.filled)
        elif decision.outcome == Outcome.REFUSED:
            metrics.RUNS_REFUSED.labels(reason="invalid").inc()
        if decision.reason is not None:
            message = decision.message or "no task was taken from the cache"
            self._announce(world.run, decision.reason, message, warning=decision.outcome == Outcome.REFUSED)
        for reason, message in decision.notes:
            self._announce(world.run, reason, message, warning=True)

    async def _unanswerable(self, key: RunKey, message: str, reason: Reason) -> None:
        """Say once, on the run itself, why it will wait for ever."""
        path = resources.RUNS.path(key.namespace, key.name)
        run = await self._api.find(path)
        if run is None or not self._may_write():
            return
        uid = str(run["metadata"]["uid"])
        if (run.get("status") or {}).get("message") == message or self._told.get(uid) == message:
            return
        self._told[uid] = message
        version = run["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "status": {"message": conditions.clip(message, 1000)}}
        await self._api.merge(path, patch)
        self._announce(run, reason, message, warning=True)

    def _announce(self, run: Mapping[str, Any], reason: Reason, message: str, *, warning: bool) -> None:
        about = events.regarding(run)
        self._say(Announcement(about, str(reason), message, warning))
        log.info("%s: %s", reason, message.split("\n", maxsplit=1)[0], extra=logs.about(**about))
