"""One definition, once: gather, decide, apply. The work queue calls `Reconciler.handle`; nothing else does.

A write that fails shows in the definition's conditions and is tried again by the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from alula_api.contract import labels
from alula_controller import timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason, Wanted
from alula_controller.definitions import apply, children, decide
from alula_controller.definitions.decide import Decision, Status
from alula_controller.definitions.gather import Gatherer
from alula_controller.definitions.world import Body, Key
from alula_controller.domains import status
from alula_controller.domains.gather import Domains
from alula_controller.domains.view import NAME


class Reconciler:
    """Brings definitions and what is made from them into line.

    Args:
        access: the cluster.
        gatherer: reads worlds.
        domains: reads Domains.
        add: puts a key into the queue.
        templates: the templates that are known to exist, by namespace; a hint for what a plan belonged to before.
    """

    def __init__(
        self,
        access: Access,
        gatherer: Gatherer,
        domains: Domains,
        *,
        add: Callable[[Key, float], None],
        templates: Callable[[], Iterable[Seen]] = lambda: (),
    ) -> None:
        self._access = access
        self._api = access.api
        self._gatherer = gatherer
        self._domains = domains
        self._add = add
        self._templates = templates
        self._places: dict[str, str] = {}  # namespace -> digest of what its Domain and labels say

    async def handle(self, key: Key) -> float | None:
        """Look at one definition; when to look again, if ever."""
        match key.kind:
            case "Workflow":
                return await self._workflow(key)
            case "LaunchPlan":
                await self._launch_plan(key)
                return None
            case _:
                return await self._domain(key)

    async def _workflow(self, key: Key) -> float | None:
        world = await self._gatherer.workflow(key)
        decision = decide.decide(world, timestamps.now())
        if not self._access.may_write():
            return 1.0
        try:
            await apply.write(self._api, decision)
        except errors.ClusterError as error:
            await self._failed(world.workflow, error)
            raise
        await self._finish(decision)
        return decision.again

    async def _launch_plan(self, key: Key) -> None:
        """A plan is compiled with its Workflow: look at the one it names, and at any that it named before."""
        plan = await self._api.find(resources.LAUNCH_PLANS.path(key.namespace, key.name))
        names = {str((plan.get("spec") or {}).get("workflow") or "")} if plan else set()
        names |= {
            seen.labels.get(labels.WORKFLOW, "")
            for seen in self._templates()
            if seen.namespace == key.namespace and seen.labels.get(labels.LAUNCH_PLAN) == key.name
        }
        for name in sorted(names - {""}):
            self._add(Key("Workflow", key.namespace, name), 0.0)

    async def _domain(self, key: Key) -> float | None:
        """A Domain's own conditions, and every Workflow of its namespace if what it says has changed."""
        place, domain = await self._domains.read(key.namespace)
        told = children.digest({"place": str(place), "spec": (domain.body or {}).get("spec")})
        body = domain.body
        if key.name != NAME:
            body = await self._api.find(resources.DOMAINS.path(key.namespace, key.name))
        decision = status.decide(body, place, timestamps.now()) if body is not None else Decision()
        if not self._access.may_write():
            return 1.0
        await self._finish(decision)
        if self._places.get(key.namespace) != told:
            self._places[key.namespace] = told
            await self._look_at_all(key.namespace)
        return decision.again

    async def _look_at_all(self, namespace: str) -> None:
        listing = await self._api.list(resources.WORKFLOWS.path(namespace), metadata_only=True)
        for item in listing.items:
            self._add(Key("Workflow", namespace, item["metadata"]["name"]), 0.0)

    async def _finish(self, decision: Decision) -> None:
        await apply.write_statuses(self._api, decision.statuses)
        for event in decision.events:
            self._access.publish(event)
        for other in decision.look_at:
            self._add(other, 0.0)

    async def _failed(self, workflow: Body | None, error: errors.ClusterError) -> None:
        """Say in the Workflow's conditions why what it asks for is not there."""
        if workflow is None or isinstance(error, (errors.Conflict, errors.Unavailable)):
            return  # passes by itself within seconds, or could not be written either
        refused = isinstance(error, errors.Refused)
        reason = Reason.REFUSED if refused else Reason.APPLY_FAILED
        wanted = Wanted(False, reason, str(error), stalled=refused, reconciling=not refused)
        patch = decide.status_of(workflow, wanted, timestamps.seconds(timestamps.now()))
        if children.fits(patch, workflow.get("status") or {}):
            return
        statuses = (Status(workflow, patch),)
        await self._finish(Decision(statuses=statuses, events=tuple(decide.announce(statuses))))
