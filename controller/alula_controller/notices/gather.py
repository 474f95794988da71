"""Reads what a notice says: the run, the domain's names, the commit. Called by `delivery`; decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alula_api.argo import holds, runs
from alula_api.contract import labels
from alula_api.contract.notices import Choice, When
from alula_api.kinds.notice_places import GitHub, NoticePlace
from alula_controller import timestamps
from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.queue import QueueKey
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import Place
from alula_controller.notices import decide, facts
from alula_controller.notices.facts import Facts
from alula_controller.notices.outbox import Owed
from alula_controller.runs import handlers, recovery

MAX_READ = 2
"""Runs at a time that are in memory: as Python objects one may take 60 MB."""
GONE = "(the run has been deleted since, and with it what it said)"

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Gathered:
    """What a notice says; or why it does not go now.

    Attributes:
        facts: What it says.
        restarted: Whether another run has taken the run's place, so that no notice is given.
        unsettled: Whether that is not known yet.
    """

    facts: Facts
    restarted: bool = False
    unsettled: bool = False


class Gatherer:
    """Reads for notices.

    Args:
        api: the cluster.
        domains: reads Domains.
        ui: where Argo's UI is; empty for nowhere.
    """

    def __init__(self, api: client.Cluster, domains: Domains, ui: str) -> None:
        self._api = api
        self._domains = domains
        self._ui = ui.rstrip("/")
        self._reading = asyncio.Semaphore(MAX_READ)

    async def facts(
        self, key: QueueKey, owed: Owed, place: NoticePlace | None, choice: Choice, now: datetime
    ) -> Gathered:
        """Everything that the notice says, as far as it is still there."""
        where, _ = await self._domains.recent(key.namespace)
        known = (where.project, where.domain) if isinstance(where, Place) else ("", "")
        began = decide.moment(owed.created if owed.run else owed.about) or now
        base = Facts(
            when=owed.when,
            place=key.name,
            namespace=key.namespace,
            plan=owed.plan,
            workflow=owed.workflow,
            about=owed.about,
            at=began,
            since=began,
            run=owed.run,
            project=known[0],
            domain=known[1],
            ui=self._ui,
        )
        if not owed.run:
            return Gathered(replace(base, error=facts.cleaned(owed.reason)))
        async with self._reading:
            run = await self._run(key.namespace, owed)
            if run is None:
                error = GONE if owed.when == When.FAILED else ""
                return Gathered(replace(base, error=error, state=GONE))
            wants_commit = place is not None and isinstance(place.service, GitHub)
            commit = await self._commit(key.namespace, run) if wants_commit else ""
            return await self._of_run(replace(base, commit=commit), owed, run, choice)

    async def _of_run(self, base: Facts, owed: Owed, run: Body, choice: Choice) -> Gathered:
        """What is said of a run that is there."""
        failed = owed.when == When.FAILED
        said, lost = await asyncio.to_thread(_failure, run) if failed else ("", False)
        at, since = _moments(run, owed, choice, base.at)
        workflow = runs.label(run, labels.WORKFLOW) or owed.workflow
        found = replace(base, workflow=workflow, at=at, since=since, error=said, state=_state(run))
        taken = str((run["metadata"].get("annotations") or {}).get(labels.RESTARTED_AS) or "")
        restarted = failed and taken == recovery.successor_name(run)
        return Gathered(found, restarted=restarted, unsettled=lost and not restarted)

    async def _run(self, namespace: str, owed: Owed) -> Body | None:
        """The run, if it is still there and is the one."""
        try:
            run = await self._api.find(resources.RUNS.path(namespace, owed.run))
        except errors.Poison:
            return None
        if run is None or runs.misshapen(run) or str(run["metadata"].get("uid")) != owed.about:
            return None
        return run

    async def _commit(self, namespace: str, run: Body) -> str:
        """The commit that the run's code was built from: that of the Workflow, while it is what the run was made of."""
        name = runs.label(run, labels.WORKFLOW)
        workflow = await self._api.find(resources.WORKFLOWS.path(namespace, name)) if name else None
        if workflow is None or (workflow.get("spec") or {}).get("version") != runs.label(run, labels.VERSION):
            return ""
        return str((workflow["metadata"].get("annotations") or {}).get(labels.COMMIT) or "")


def _failure(run: Body) -> tuple[str, bool]:
    """What failed, in the run's own words, and whether it was lost data, so that another run may take its place."""
    said = str((run.get("status") or {}).get("message") or "")
    if not said:
        found = handlers.failure(run) or {}
        said = f"{found.get('node')} failed: {found.get('message')}" if found.get("node") else ""
    return facts.cleaned(said), bool(recovery.lost(run))


def _state(run: Body) -> str:
    status = run.get("status") or {}
    if runs.finished(run):
        return f"ended at {status.get('finishedAt') or 'a time that is not known'}"
    if not status.get("phase"):
        return "has not begun"
    uid = str(run["metadata"]["uid"])
    admitted = holds.marks(runs.label(run, labels.ADMITTED), uid)
    return "is still running" if admitted else "still waits in the domain's queue"


def _moments(run: Body, owed: Owed, choice: Choice, created: datetime) -> tuple[datetime, datetime]:
    """When it happened, and since when a run is awaited."""
    tick = decide.moment((run["metadata"].get("annotations") or {}).get(labels.TICK))
    since = tick if owed.when == When.LATE and tick is not None else created
    if owed.when in (When.LATE, When.QUEUED):
        times = decide.moments(choice, created=created, tick=tick, waits=True)
        return next((moment for moment, notice in times if notice == owed.notice), since), since
    ended = timestamps.parse(str((run.get("status") or {}).get("finishedAt") or ""))
    return ended or created, since
