"""Runs that carry none of our labels, so that no watch of ours sees them; found by a list of such runs, twice a minute.

Argo copies a template's labels in its first round with a run, but never to a run that had to wait for Argo's limits of
parallelism, or that a worker took up before the run was counted (seen on 4.0.5): the run would be held for ever. And
Argo has no first round with a run that it cannot digest: `{{` in an argument that it cannot evaluate leaves a run
without phase or message. `Watchdog.sweep` is called by `process`; the functions are pure.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.argo import runs
from alula_api.contract import labels
from alula_controller import logs, metrics, timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason

log = logging.getLogger(__name__)

SELECTOR = f"!{labels.REVISION},{runs.COMPLETED_LABEL}!=true"
PATIENCE = timedelta(seconds=45)  # several rounds of Argo's; with `{{=` in it nothing else explains the silence
LONG_PATIENCE = timedelta(minutes=10)  # other tags Argo leaves alone, so it may only be slow, or down


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
    if (run.get("status") or {}).get("phase"):
        return []
    created = str(run["metadata"].get("creationTimestamp") or "")
    tag = "{{" if _older(created, LONG_PATIENCE, now) else "{{="
    given = ((run.get("spec") or {}).get("arguments") or {}).get("parameters") or ()
    return [str(each.get("name")) for each in given if tag in str(each.get("value") or "")]


def _older(created: str, patience: timedelta, now: datetime) -> bool:
    moment = timestamps.parse(created)
    return moment is not None and now - moment > patience


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


class Watchdog:
    """Helps or ends the runs that carry none of our labels.

    Args:
        access: the cluster.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = access.api
        self._foreign: dict[str, set[str]] = {}  # namespace -> uids of runs without our labels that need none

    async def sweep(self, namespace: str) -> None:
        """Label the runs that Argo gave no labels, and end those that it cannot digest."""
        listing = await self._api.list(resources.RUNS.path(namespace), labels=SELECTOR, metadata_only=True)
        now = timestamps.now()
        found = [Seen.of(each) for each in listing.items]
        foreign = self._foreign[namespace] = self._foreign.get(namespace, set()) & {seen.uid for seen in found}
        for seen in found:
            if seen.uid in foreign or not suspicious(seen, now) or not self._access.may_write():
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
        if run is None or foreign(run):
            return True
        if labels.REVISION in owed(run):
            await self._api.merge(path, labelling(run))
            return True
        return await self._end_if_stuck(path, run, now)

    async def _end_if_stuck(self, path: str, run: Mapping[str, Any], now: datetime) -> bool:
        inputs = indigestible(run, now)
        if not inputs or not await self._started_from_ours(run):
            return False
        patch = failing(run, inputs, timestamps.seconds(timestamps.now()))
        await self._api.merge(path, patch)
        metrics.RUNS_REFUSED.labels(reason="indigestible").inc()
        self._access.announce(run, Reason.RUN_REFUSED, patch["status"]["message"], warning=True)
        return True

    async def _started_from_ours(self, run: Mapping[str, Any]) -> bool:
        name = runs.template(run)
        if not name:
            return False
        path = resources.TEMPLATES.path(run["metadata"]["namespace"], name)
        template = await self._api.find(path, metadata_only=True)
        return bool(template and (template["metadata"].get("labels") or {}).get(labels.MANAGED_BY) == labels.MANAGER)
