"""One definition, once: gather, decide, apply. The work queue calls `Reconciler.handle`; nothing else does.

A write that fails shows in the definition's conditions and is tried again by the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from alula_api.contract import labels
from alula_api.contract.triggers import Waits
from alula_controller import metrics, timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Also, Reason, Wanted
from alula_controller.definitions import apply, children, decide
from alula_controller.definitions.decide import Decision, Status
from alula_controller.definitions.gather import Gatherer
from alula_controller.definitions.world import Body, World
from alula_controller.domains import guards, status
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import Place
from alula_controller.domains.view import NAME, DomainView


class Reconciler:
    """Brings definitions and what is made from them into line.

    Args:
        access: the cluster.
        gatherer: reads worlds.
        domains: reads Domains.
        add: puts a key into the queue.
        templates: the templates that are known to exist, by namespace; a hint for what a plan belonged to before.
        waits: the launch plans of the project of a namespace that wait for the end of runs, and its domains.
        noted: called with what was read of a definition, and with the status that was written since; None for one that
            is gone.
        wrote: called with each object that a write of ours has made what it should be.
        scheduled: called with the namespace and name of a launch plan that changed, or with the namespace and an empty
            name where the Domain changed: when its runs start may have changed.
        delivered: whether the places of a Domain take their notices.
    """

    def __init__(
        self,
        access: Access,
        gatherer: Gatherer,
        domains: Domains,
        *,
        add: Callable[[QueueKey, float], None],
        templates: Callable[[str], Iterable[Seen]] = lambda namespace: (),
        waits: Callable[[str], tuple[Waits, frozenset[str]]] = lambda namespace: ({}, frozenset()),
        noted: Callable[[QueueKey, Body | None, Mapping[str, Any] | None], None] = lambda key, body, status: None,
        wrote: apply.Wrote = lambda answer: None,
        scheduled: Callable[[str, str], None] = lambda namespace, plan: None,
        delivered: Callable[[str, DomainView], Also | None] = lambda namespace, domain: None,
    ) -> None:
        self._access = access
        self._api = access.api
        self._gatherer = gatherer
        self._domains = domains
        self._add = add
        self._templates = templates
        self._waits = waits
        self._noted = noted
        self._wrote = wrote
        self._scheduled = scheduled
        self._delivered = delivered
        self._plans: dict[QueueKey, str] = {}  # launch plan -> digest of what it says, without what its schedule did
        self._places: dict[str, str] = {}  # namespace -> digest of what its Domain and labels say

    async def handle(self, key: QueueKey) -> float | None:
        """Look at one definition; when to look again, if ever."""
        match key.kind:
            case "Workflow":
                return await self._workflow(key)
            case "LaunchPlan":
                await self._launch_plan(key)
                return None
            case _:
                return await self._domain(key)

    async def _workflow(self, key: QueueKey) -> float | None:
        try:
            world = await self._gatherer.workflow(key)
        except errors.Poison as error:
            await self._unreadable(key, error)
            return None
        waits, domains = self._waits(key.namespace)
        decision = decide.decide(replace(world, waits=waits, domains=domains), timestamps.now())
        if not self._access.may_write():
            return 1.0
        self._gatherer.keep(world, (*decision.apply, *(strip.body for strip in decision.strip)))
        try:
            refused = await apply.write(self._access, decision, self._wrote)
        except errors.ClusterError as error:
            await self._failed({"": world.workflow}, {"": error})
            raise
        self._note(world, decision)
        await self._finish(_without(decision, refused))
        if refused:
            bodies = {"": world.workflow, **{str(plan["metadata"]["name"]): plan for plan in world.launch_plans}}
            await self._failed(bodies, refused)
            raise next(iter(refused.values()))
        return decision.again

    def _note(self, world: World, decision: Decision) -> None:
        written = {str(each.body["metadata"].get("uid")): each.patch for each in decision.statuses}
        self._noted(world.key, world.workflow, written.get(_uid(world.workflow)))
        for plan in (*world.launch_plans, *world.left_out):
            key = QueueKey(world.key.namespace, str(plan["metadata"]["name"]), "LaunchPlan")
            self._noted(key, plan, written.get(_uid(plan)))

    async def _launch_plan(self, key: QueueKey) -> None:
        """A plan is compiled with its Workflow: look at the one it names, and at any that it named before.

        Its status changes with each of its runs, which is no reason to compile it.
        """
        plan = await self._api.find(resources.LAUNCH_PLANS.path(key.namespace, key.name))
        told = children.digest(_essence(plan)) if plan is not None else ""
        if plan is None:
            self._plans.pop(key, None)
            self._noted(key, None, None)
        elif self._plans.get(key) == told:
            return
        else:
            self._plans[key] = told
        self._scheduled(key.namespace, key.name)
        names = {str((plan.get("spec") or {}).get("workflow") or "")} if plan else set()
        names |= {
            seen.labels.get(labels.WORKFLOW, "")
            for seen in self._templates(key.namespace)
            if seen.labels.get(labels.LAUNCH_PLAN) == key.name
        }
        for name in sorted(names - {""}):
            self._add(QueueKey(key.namespace, name, "Workflow"), 0.0)

    async def _domain(self, key: QueueKey) -> float | None:
        """A Domain's own conditions, and every Workflow of its namespace if what it says has changed."""
        place, domain = await self._domains.read(key.namespace)
        told = children.digest({"place": str(place), "spec": (domain.body or {}).get("spec")})
        body = domain.body
        if key.name != NAME:
            body = await self._api.find(resources.DOMAINS.path(key.namespace, key.name))
        held = None
        if body is not None and key.name == NAME and isinstance(place, Place):
            held = await guards.look(self._api, body, place)
        notices = self._delivered(key.namespace, domain) if key.name == NAME else None
        decision = status.decide(body, place, timestamps.now(), held, notices) if body is not None else Decision()
        if not self._access.may_write():
            return 1.0
        self._noted(key, body, decision.statuses[0].patch if decision.statuses else None)
        await self._finish(decision)
        if self._places.get(key.namespace) != told:
            self._places[key.namespace] = told
            await self._look_at_all(key.namespace)
            self._scheduled(key.namespace, "")
        return decision.again

    async def _look_at_all(self, namespace: str) -> None:
        listing = await self._api.list(resources.WORKFLOWS.path(namespace), metadata_only=True)
        for item in listing.items:
            self._add(QueueKey(namespace, item["metadata"]["name"], "Workflow"), 0.0)

    async def _finish(self, decision: Decision) -> None:
        await apply.write_statuses(self._api, decision.statuses, self._wrote)
        for event in decision.events:
            self._access.publish(event)
        for other in decision.look_at:
            self._add(other, 0.0)

    async def _unreadable(self, key: QueueKey, error: errors.Poison) -> None:
        """Say in the Workflow's conditions what cannot be read; its next change is looked at again."""
        body = await self._api.find(resources.WORKFLOWS.path(key.namespace, key.name), metadata_only=True)
        if body is None or not self._access.may_write():
            return
        whole = {**body, "apiVersion": resources.WORKFLOWS.api_version, "kind": resources.WORKFLOWS.kind}
        wanted = Wanted(False, Reason.UNREADABLE, str(error), stalled=True)
        patch = decide.status_of(whole, wanted, timestamps.seconds(timestamps.now()))
        statuses = (Status(whole, patch),)
        await self._finish(Decision(statuses=statuses, events=tuple(decide.announce(statuses))))

    async def _failed(self, bodies: Mapping[str, Body | None], found: Mapping[str, errors.ClusterError]) -> None:
        """Say in the conditions of each definition why what it asks for is not there."""
        statuses = []
        for subject, error in found.items():
            metrics.APPLY_ERRORS.labels(reason=type(error).__name__).inc()
            body = bodies.get(subject)
            if body is None or isinstance(error, (errors.Conflict, errors.Unavailable)):
                continue  # passes by itself within seconds, or could not be written either
            refused = isinstance(error, (errors.Refused, errors.Poison))
            reason = Reason.REFUSED if refused else Reason.APPLY_FAILED
            wanted = Wanted(False, reason, str(error), stalled=refused, reconciling=not refused)
            patch = decide.status_of(body, wanted, timestamps.seconds(timestamps.now()))
            if not children.fits(patch, body.get("status") or {}):
                statuses.append(Status(body, patch))
        if statuses:
            await self._finish(Decision(statuses=tuple(statuses), events=tuple(decide.announce(statuses))))


_OF_RUNS = ("schedule", "trigger", "runs", "lastSuccess", "notices")


def _essence(plan: Body) -> dict[str, object]:
    """A launch plan without what changes with its runs."""
    metadata, status = plan["metadata"], plan.get("status") or {}
    kept = {name: metadata.get(name) for name in ("uid", "generation", "labels", "annotations", "deletionTimestamp")}
    said = {name: value for name, value in status.items() if name not in _OF_RUNS}
    return {"metadata": kept, "spec": plan.get("spec"), "status": said, "decided": bool(status.get("schedule"))}


def _without(decision: Decision, refused: Mapping[str, object]) -> Decision:
    """The decision without the statuses of definitions of which something was refused."""
    kept = tuple(status for status in decision.statuses if _subject(status.body) not in refused)
    told = {str(status.body["metadata"].get("uid")) for status in kept}
    events = tuple(event for event in decision.events if event.regarding.get("uid") in told or not refused)
    return replace(decision, statuses=kept, events=events)


def _uid(body: Body | None) -> str:
    return str(body["metadata"].get("uid")) if body is not None else ""


def _subject(body: Body) -> str:
    return str(body["metadata"]["name"]) if body["kind"] == "LaunchPlan" else ""
