"""Reads what a notice says: the run, the domain's names, the commit. Called by `delivery`; decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import holds, nodes, runs
from alula_api.contract import labels
from alula_api.contract.notices import Choice, When
from alula_api.kinds.notice_places import GitHub, NoticePlace
from alula_controller import timestamps
from alula_controller.cluster import client, errors, resources
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import Place
from alula_controller.notices import decide, facts
from alula_controller.notices.facts import Facts
from alula_controller.notices.outbox import Owed, PlaceKey
from alula_controller.runs import handlers, recovery

MAX_UNPACKED = 2
"""Runs at a time whose node map is packed."""
GONE = "(the run has been deleted since, and with it what it said)"

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Gathered:
    """What a notice says; or why it does not go now.

    Attributes:
        facts: What it says.
        restarted: Whether another run has taken the run's place, so that nobody is told.
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
        self._unpacking = asyncio.Semaphore(MAX_UNPACKED)

    async def facts(
        self, key: PlaceKey, owed: Owed, place: NoticePlace | None, choice: Choice, now: datetime
    ) -> Gathered:
        """Everything that the notice says, as far as it is still there."""
        where, _ = await self._domains.recent(key.namespace)
        known = {"project": where.project, "domain": where.domain} if isinstance(where, Place) else {}
        common = {
            "when": owed.when,
            "place": key.name,
            "namespace": key.namespace,
            "plan": owed.plan,
            "workflow": owed.workflow,
            "about": owed.about,
            "ui": self._ui,
            **known,
        }
        if not owed.run:
            tick = decide.moment(owed.about) or now
            return Gathered(Facts(**common, at=tick, since=tick, error=facts.cleaned(owed.reason)))
        run = await self._run(key.namespace, owed)
        created = decide.moment(owed.created) or now
        if run is None:
            error = GONE if owed.when == When.FAILED else ""
            return Gathered(Facts(**common, run=owed.run, at=created, since=created, error=error, state=GONE))
        async with self._unpacking if nodes.packed(run) else contextlib.nullcontext():
            said = await asyncio.to_thread(_said, run) if owed.when == When.FAILED else ""
            lost = owed.when == When.FAILED and bool(recovery.lost(run))
        commit = ""
        if place is not None and isinstance(place.service, GitHub):
            commit = await self._commit(key.namespace, run)
        at, since = _moments(run, owed, choice, created)
        named = common | {"workflow": runs.label(run, labels.WORKFLOW) or owed.workflow, "run": owed.run}
        found = Facts(**named, at=at, since=since, error=said, state=_state(run), commit=commit)
        taken = str((run["metadata"].get("annotations") or {}).get(labels.RESTARTED_AS) or "")
        restarted = owed.when == When.FAILED and taken == recovery.successor_name(run)
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


def _said(run: Body) -> str:
    """What failed, in the run's own words."""
    said = str((run.get("status") or {}).get("message") or "")
    if not said:
        found = handlers.failure(run) or {}
        said = f"{found.get('node')} failed: {found.get('message')}" if found.get("node") else ""
    return facts.cleaned(said)


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
