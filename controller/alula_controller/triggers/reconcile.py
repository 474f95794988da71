"""Looks at a run that is over, or at a launch plan that waits for others, once: read, decide, create, then mark.

Killed between the writes, the same runs are created again, which their names refuse. Called by the work queue of
triggers: for each run that is over and not marked, and when a plan or its template changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import nodes, origins, runs
from alula_api.contract import labels, names
from alula_api.contract.triggers import Trigger, Waits
from alula_controller import logs, metrics, timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains.view import NAME, DomainView
from alula_controller.triggers import decide

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
ENDED_RUN, WAITING_PLAN = "EndedRun", "Trigger"

Body = Mapping[str, Any]


@dataclass(frozen=True)
class TriggerKey:
    """A run that is over (`EndedRun`), or a launch plan that waits for such runs (`Trigger`)."""

    namespace: str
    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Triggers:
    """Starts the runs that follow others.

    Args:
        access: the cluster.
        now: the wall clock.
    """

    def __init__(self, access: Access, now: Callable[[], datetime] = timestamps.now) -> None:
        self._access = access
        self._api = access.api
        self._now = now
        self._known: dict[str, dict[str, tuple[str, Trigger]]] = {}  # namespace -> launch plan -> workflow, trigger

    def note(self, namespace: str, workflow: str, plan: str, text: str) -> bool:
        """Remember what the compiled template of a launch plan says it waits for; whether it waits, or has waited."""
        known = self._known.setdefault(namespace, {})
        before, trigger = known.pop(plan, None), Trigger.from_text(text)
        if trigger is not None:
            known[plan] = workflow, trigger
        elif not known:
            del self._known[namespace]
        return trigger is not None or before is not None

    def plans(self) -> list[TriggerKey]:
        """All launch plans that wait for something."""
        return [TriggerKey(space, plan, WAITING_PLAN) for space, known in self._known.items() for plan in known]

    def waits(self, namespace: str) -> Waits:
        """The launch plans of a namespace that wait for something."""
        return self._known.get(namespace, {})

    def _waiting(self, namespace: str) -> dict[str, Trigger]:
        return {plan: trigger for plan, (_, trigger) in self.waits(namespace).items()}

    def concerns(self, seen: Seen) -> bool:
        """Whether a run that is over may start others, by its labels alone; one that its policy ended does not."""
        if seen.labels.get(labels.OUTCOME) or seen.labels.get(labels.TRIGGERED) == seen.uid:
            return False
        return any(trigger.follows(seen.labels) for _, trigger in self.waits(seen.namespace).values())

    async def handle(self, key: TriggerKey) -> float | None:
        """Look at one run or plan; when to look again, if ever."""
        if key.kind == ENDED_RUN:
            return await self._run(key)
        return await self._plan(key)

    async def _run(self, key: TriggerKey) -> float | None:
        path = resources.RUNS.path(key.namespace, key.name)
        run = await self._api.find(path)
        if run is None or runs.misshapen(run) or not runs.finished(run):
            return None
        if runs.label(run, labels.TRIGGERED) == run["metadata"]["uid"]:
            return None
        if not self._access.may_write():
            return AGAIN_SECONDS
        if await self._fires(key.namespace):
            for name, trigger in sorted(self._waiting(key.namespace).items(), key=lambda each: each[0]):
                if trigger.follows(run["metadata"].get("labels") or {}):
                    await self._follow(run, name, trigger)
        marked = {"uid": run["metadata"]["uid"], "labels": {labels.TRIGGERED: run["metadata"]["uid"]}}
        await self._api.merge(path, {"metadata": marked})
        metrics.WRITES.labels(kind="Run", verb="patch").inc()
        return None

    async def _fires(self, namespace: str) -> bool:
        domain = DomainView.of(await self._api.find(resources.DOMAINS.path(namespace, NAME)))
        return domain.schedules and not domain.suspended

    async def _follow(self, run: Body, name: str, trigger: Trigger) -> None:
        plan = await self._api.find(resources.LAUNCH_PLANS.path(run["metadata"]["namespace"], name))
        if plan is None:
            return
        plan = {**plan, "apiVersion": resources.LAUNCH_PLANS.api_version, "kind": resources.LAUNCH_PLANS.kind}
        try:
            body = decide.following(run, plan, trigger)
        except (decide.Refused, nodes.Hidden) as error:
            message = error.reason if isinstance(error, decide.Refused) else str(error)
            self._access.announce(plan, Reason.TRIGGER_SKIPPED, message, warning=True)
            return
        if body is not None:
            await self._start(plan, body)

    async def _start(self, plan: Body, body: Body) -> None:
        metadata = body["metadata"]
        try:
            await self._api.create(resources.RUNS.path(metadata["namespace"]), dict(body))
        except errors.Conflict:
            found = await self._api.find(
                resources.RUNS.path(metadata["namespace"], metadata["name"]), metadata_only=True
            )
            if found is None:
                raise  # it goes just now
            if not decide.answers(found, body):
                message = f"another run has the name {metadata['name']}"
                self._access.announce(plan, Reason.TRIGGER_SKIPPED, message, warning=True)
            return
        metrics.WRITES.labels(kind="Run", verb="create").inc()
        about = logs.about(namespace=metadata["namespace"], name=metadata["name"])
        log.info("started because %s", metadata["annotations"][labels.REASON], extra=about)

    async def _plan(self, key: TriggerKey) -> float | None:
        """Record the first sight of a trigger, and start the run of a new revision."""
        trigger = self._waiting(key.namespace).get(key.name)
        path = resources.LAUNCH_PLANS.path(key.namespace, key.name)
        plan = await self._api.find(path)
        if plan is None or plan["metadata"].get("deletionTimestamp"):
            return None
        plan = {**plan, "apiVersion": resources.LAUNCH_PLANS.api_version, "kind": resources.LAUNCH_PLANS.kind}
        before = (plan.get("status") or {}).get("trigger")
        if not self._access.may_write():
            return AGAIN_SECONDS
        after = None if trigger is None else await self._decided(plan, trigger, before)
        if after == before:
            return None
        metadata = plan["metadata"]
        held = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        await self._api.merge(f"{path}/status", {"metadata": held, "status": {"trigger": after}})
        metrics.WRITES.labels(kind="LaunchPlan", verb="patch").inc()
        return None

    async def _revision(self, plan: Body) -> str:
        """The revision that the plan is compiled to; its status says it a moment later than its template."""
        template = names.launch_plan_template(str(plan["metadata"]["name"]))
        found = await self._api.find(resources.TEMPLATES.path(plan["metadata"]["namespace"], template))
        marks = (((found or {}).get("spec") or {}).get("workflowMetadata") or {}).get("labels") or {}
        return str(marks.get(labels.REVISION) or "")

    async def _decided(self, plan: Body, trigger: Trigger, before: Body | None) -> dict[str, Any]:
        revision = await self._revision(plan) if trigger.release else ""
        if before is None or before.get("digest") != trigger.digest():
            after = {"since": timestamps.seconds(self._now()), "digest": trigger.digest()}
            seen = {"revision": revision, "releases": int((before or {}).get("releases") or 0)} if revision else {}
            return {**after, **seen}
        if not trigger.release or not revision or revision == before.get("revision"):
            return dict(before)
        count = int(before.get("releases") or 0)
        if before.get("revision") and not trigger.suspended and await self._fires(plan["metadata"]["namespace"]):
            count += 1
            template = names.launch_plan_template(str(plan["metadata"]["name"]))
            name = f"{template[: decide.MAX_NAME - 19].rstrip('-.')}-release-{count}"
            spec = {"workflowTemplateRef": {"name": template}}
            await self._start(plan, decide.made(plan, name, {labels.REASON: f"{origins.RELEASED}{revision}"}, spec))
        return {**before, "revision": revision, "releases": count}
