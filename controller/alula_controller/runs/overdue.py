"""Runs past their deadline, so that Argo looks at them again. Called by `runs.reconcile` for runs under way.

Argo sets a timer for a run's deadline, and a pod that a ResourceQuota refuses replaces it by a timer of its own: nine
of ten such runs outlived their deadline until something of theirs changed (seen on 4.0.5). So an annotation changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.contract import labels
from alula_controller import timestamps
from alula_controller.cluster.access import Access
from alula_controller.runs.stop import PASSED

GRACE = timedelta(seconds=3)
"""After the deadline, in which Argo ends most runs by itself."""
AGAIN = timedelta(seconds=60)
UNTIL = timedelta(minutes=15)
"""For how long after its deadline a run is worth a write."""


def due(run: Mapping[str, Any]) -> datetime | None:
    """When a run ought to be over; None for one without a deadline, or with one that was set to end it."""
    status = run.get("status") or {}
    limit = (status.get("storedWorkflowTemplateSpec") or {}).get("activeDeadlineSeconds")
    began = timestamps.parse(str(status.get("startedAt") or ""))
    if not isinstance(limit, int) or isinstance(limit, bool) or limit == PASSED or began is None:
        return None
    try:
        return began + timedelta(seconds=limit)
    except OverflowError:
        return None


def next_look(run: Mapping[str, Any], now: datetime) -> timedelta | None:
    """How long to leave a run that is not over alone; zero when it is to be touched, None for ever."""
    ought = due(run)
    if ought is None or now > ought + UNTIL:
        return None
    touched = timestamps.parse(str((run["metadata"].get("annotations") or {}).get(labels.OVERDUE) or ""))
    later = touched + AGAIN if touched is not None and touched >= ought else ought + GRACE
    return max(timedelta(), later - now)


class Overdue:
    """Touches runs that are past their deadline.

    Args:
        access: the cluster.
        now: the wall clock.
    """

    def __init__(self, access: Access, now: Callable[[], datetime] = timestamps.now) -> None:
        self._access = access
        self._now = now

    async def handle(self, run: Mapping[str, Any]) -> float | None:
        """Look at a run that is not over; when to look again, if ever."""
        now = self._now()
        wait = next_look(run, now)
        if wait is None or wait > timedelta() or not self._access.may_write():
            return None if wait is None else max(1.0, wait.total_seconds())
        patch = {"uid": run["metadata"]["uid"], "annotations": {labels.OVERDUE: timestamps.seconds(now)}}
        await self._access.patch_run(run, {"metadata": patch})
        return AGAIN.total_seconds()
