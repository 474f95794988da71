"""Runs that carry none of our labels, so that no watch of ours sees them; found by a list of such runs, twice a minute.

Argo copies a template's labels in its first round with a run, but never to a run that had to wait for Argo's limits of
parallelism, or that a worker took up before the run was counted (seen on 4.0.5): the run would be held for ever. And
Argo has no first round with a run that it cannot digest: `{{` in an argument that it cannot evaluate leaves a run
without phase or message. So does an Argo that is down: a run is failed only once Argo was seen to take up a run that
came later, which may be over by then. `process` calls `Watchdog.sweep` and `TakenUp.saw`; the functions are pure.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alula_api.argo import nodes, runs
from alula_api.contract import labels
from alula_controller import logs, metrics, timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.runs import resubmitted

log = logging.getLogger(__name__)

SELECTOR = f"!{labels.REVISION},{runs.COMPLETED_LABEL}!=true"
PATIENCE = timedelta(seconds=45)  # several rounds of Argo's; with `{{=` in it nothing else explains the silence
LONG_PATIENCE = timedelta(minutes=10)  # other tags Argo leaves alone, so it may only be slow
MAX_READ = 50  # runs that are read in full in one sweep of a namespace; the others come with the next one


def suspicious(seen: Seen, now: datetime) -> bool:
    """Whether Argo has had its first round with the run, or the run is old enough to have had it."""
    return runs.PHASE_LABEL in seen.labels or _older(seen.created, PATIENCE, now)


def foreign(run: Mapping[str, Any]) -> bool:
    """Whether Argo has had its first round with the run, and it is none of ours."""
    status = run.get("status") or {}
    settled = status.get("phase") and "storedWorkflowTemplateSpec" in status
    return not runs.template(run) or bool(settled and labels.REVISION not in owed(run))


def owed(run: Mapping[str, Any]) -> dict[str, str]:
    """The labels of its template that the run lacks after Argo's first round."""
    status = run.get("status") or {}
    stored = (status.get("storedWorkflowTemplateSpec") or {}) if status.get("phase") else {}
    promised = (stored.get("workflowMetadata") or {}).get("labels") or {}
    given = run["metadata"].get("labels") or {}
    return {name: str(value) for name, value in promised.items() if name not in given}


def labelling(run: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that gives it those labels."""
    return {"metadata": {"resourceVersion": run["metadata"]["resourceVersion"], "labels": owed(run)}}


def indigestible(run: Mapping[str, Any], now: datetime) -> list[str]:
    """The arguments that Argo chokes on, if it has not given the run a phase for longer than they explain."""
    created = str(run["metadata"].get("creationTimestamp") or "")
    return _tagged(run, "{{" if _older(created, LONG_PATIENCE, now) else "{{=")


def _tagged(run: Mapping[str, Any], tag: str = "{{") -> list[str]:
    """The arguments with a tag of a run that has no phase."""
    if (run.get("status") or {}).get("phase"):
        return []
    given = ((run.get("spec") or {}).get("arguments") or {}).get("parameters") or ()
    return [str(each.get("name")) for each in given if tag in str(each.get("value") or "")]


def _older(created: str, patience: timedelta, now: datetime) -> bool:
    moment = timestamps.parse(created)
    return moment is not None and now - moment > patience


def passed_over(run: Mapping[str, Any], youngest: datetime | None) -> bool:
    """Whether Argo has taken up a run that came well after this one: then it is alive.

    Args:
        run: The run that Argo gives no phase.
        youngest: When the youngest run of the namespace that Argo was seen to take up was created.
    """
    created = timestamps.parse(str(run["metadata"].get("creationTimestamp") or ""))
    return created is not None and youngest is not None and youngest - created >= PATIENCE


@dataclass
class TakenUp:
    """Of each namespace, when the youngest run that Argo was seen to take up was created."""

    youngest: dict[str, datetime] = field(default_factory=dict)

    def saw(self, seen: Seen) -> None:
        """Take note of a run as it is, or was before it was over."""
        created = timestamps.parse(seen.created) if runs.PHASE_LABEL in seen.labels else None
        if created is not None:
            known = self.youngest.get(seen.namespace)
            self.youngest[seen.namespace] = created if known is None else max(created, known)

    def forget(self, namespace: str) -> None:
        """The namespace is gone."""
        self.youngest.pop(namespace, None)


def failing(run: Mapping[str, Any], inputs: list[str], moment: str) -> dict[str, Any]:
    """The patch that ends it with a message."""
    message = (
        f"{', '.join(inputs)}: the text holds {{{{, which Argo evaluates before alula sees it, and could not."
        " Start the run with `alula run --remote`, or write { as \\u007b inside a JSON string."
    )
    metadata = run["metadata"]
    return {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "labels": {runs.COMPLETED_LABEL: "true", runs.PHASE_LABEL: "Failed"},
        },
        "status": {
            "phase": "Failed",
            "message": message,
            "startedAt": metadata.get("creationTimestamp"),
            "finishedAt": moment,
        },
    }


@dataclass
class _Memory:
    """What is known of the runs without labels in one namespace (or in all), by their uids."""

    foreign: set[str] = field(default_factory=set)  # that need none of our labels
    harmless: dict[str, str] = field(default_factory=dict)  # versions in which nothing can be wrong
    told: set[str] = field(default_factory=set)  # of which it was said that Argo is not seen

    def of(self, uids: set[str]) -> _Memory:
        """What is known of those that are still there."""
        harmless = {uid: version for uid, version in self.harmless.items() if uid in uids}
        return _Memory(self.foreign & uids, harmless, self.told & uids)


class Watchdog:
    """Helps or ends the runs that carry none of our labels.

    Args:
        access: the cluster.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = access.api
        self.taken_up = TakenUp()  # told of every run that a watch sees
        self._memories: dict[str, _Memory] = {}

    async def sweep(self, namespace: str) -> None:
        """Label the runs that Argo gave no labels, and end those that it cannot digest."""
        listing = await self._api.list(resources.RUNS.path(namespace), labels=SELECTOR, metadata_only=True)
        now = timestamps.now()
        found = [Seen.of(each) for each in listing.items]
        for seen in found:
            self.taken_up.saw(seen)
        memory = self._memories.get(namespace, _Memory()).of({seen.uid for seen in found})
        self._memories[namespace] = memory
        left = MAX_READ
        for seen in found:
            if seen.uid in memory.foreign or memory.harmless.get(seen.uid) == seen.version:
                continue
            if not suspicious(seen, now):
                continue
            if not self._access.may_write() or not left:
                return
            left -= 1
            try:
                await self._look_at(seen, now, memory)
            except errors.Conflict:
                continue  # it was moved: it is not stuck
            except Exception:
                log.exception("a run without labels could not be looked at", extra=logs.about(name=seen.name))

    async def heal(self, namespace: str) -> None:
        """Let runs end that Argo copied with what was done in another one, and that it never ends itself."""
        listing = await self._api.list(resources.RUNS.path(namespace), labels=resubmitted.SELECTOR, metadata_only=True)
        for seen in [Seen.of(each) for each in listing.items][:MAX_READ]:
            if not self._access.may_write():
                return
            try:
                await self._heal(seen)
            except (errors.Conflict, nodes.Hidden):
                continue  # it was moved: it is not stuck; or it cannot be helped from here
            except Exception:
                log.exception("a resubmitted run could not be looked at", extra=logs.about(name=seen.name))

    async def _heal(self, seen: Seen) -> None:
        run = await self._api.find(resources.RUNS.path(seen.namespace, seen.name))
        patch = None if run is None or runs.misshapen(run) else resubmitted.healing(run, timestamps.now())
        if run is None or patch is None:
            return
        await self._access.patch_run(run, patch)
        message = "Argo left graphs of this resubmitted run Pending, though all in them was done; they were ended"
        self._access.announce(run, Reason.HEALED, message, warning=False)

    async def _look_at(self, seen: Seen, now: datetime, memory: _Memory) -> None:
        run = await self._api.find(resources.RUNS.path(seen.namespace, seen.name))
        if run is None or runs.misshapen(run) or foreign(run):
            memory.foreign.add(seen.uid)
        elif labels.REVISION in owed(run):
            await self._access.patch_run(run, labelling(run))
            memory.foreign.add(seen.uid)
        elif not _tagged(run):
            memory.harmless[seen.uid] = seen.version
        elif (inputs := indigestible(run, now)) and await self._started_from_ours(run):
            if passed_over(run, self.taken_up.youngest.get(seen.namespace)):
                await self._end(run, inputs)
                memory.foreign.add(seen.uid)
            elif seen.uid not in memory.told:
                memory.told.add(seen.uid)
                message = (
                    "Argo has not begun this run, nor a later one of the namespace; once it does, this one is failed"
                )
                self._access.announce(run, Reason.NOT_BEGUN, message, warning=True)

    async def _end(self, run: Mapping[str, Any], inputs: list[str]) -> None:
        patch = failing(run, inputs, timestamps.seconds(timestamps.now()))
        await self._access.patch_run(run, patch)
        metrics.RUNS_REFUSED.labels(reason="indigestible").inc()
        self._access.announce(run, Reason.RUN_REFUSED, patch["status"]["message"], warning=True)

    async def _started_from_ours(self, run: Mapping[str, Any]) -> bool:
        name = runs.template(run)
        if not name:
            return False
        path = resources.TEMPLATES.path(run["metadata"]["namespace"], name)
        template = await self._api.find(path, metadata_only=True)
        return bool(template and (template["metadata"].get("labels") or {}).get(labels.MANAGED_BY) == labels.MANAGER)
