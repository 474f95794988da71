"""Looks at a run that is over, or at a launch plan that waits for others, once: read, decide, create, then mark.

Killed between the writes, the same runs are created again, which their names refuse. Called by the work queue of
triggers: for each run that is over and not marked, once for each namespace with plans that wait for it, and when a plan
or its template changes. What waits for runs of another domain has a lane of its own: neither holds up the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import nodes, origins, runs
from alula_api.contract import labels, names
from alula_api.contract.triggers import Trigger, Waits, of_project
from alula_controller import logs, timestamps
from alula_controller.cluster import resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains import places
from alula_controller.domains.view import NAME, DomainView
from alula_controller.triggers import decide

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
ENDED_RUN, WAITING_PLAN = "EndedRun", "Trigger"

Body = Mapping[str, Any]


@dataclass(frozen=True)
class TriggerKey(QueueKey):
    """A run that is over (`EndedRun`), or a launch plan that waits for such runs (`Trigger`).

    Attributes:
        namespace: Of the launch plans.
        source: The namespace of the run, where it is not that of the launch plans.
    """

    source: str = ""

    @property
    def lane(self) -> str:
        """Each pair of namespaces has its own."""
        return f"{self.namespace}<{self.source}" if self.source else self.namespace

    def __str__(self) -> str:
        whose = f" for {self.namespace}" if self.source else ""
        return f"{self.kind} {self.source or self.namespace}/{self.name}{whose}"


class Triggers:
    """Starts the runs that follow others.

    Args:
        access: the cluster.
        now: the wall clock.
        namespaces: the namespaces that are known.
    """

    def __init__(
        self,
        access: Access,
        now: Callable[[], datetime] = timestamps.now,
        namespaces: Callable[[], Iterable[Seen]] = lambda: (),
    ) -> None:
        self._access = access
        self._api = access.api
        self._now = now
        self._namespaces = namespaces
        self._known: dict[str, dict[str, tuple[str, Trigger]]] = {}  # namespace -> launch plan -> workflow, trigger
        self._elsewhere: set[str] = set()  # namespaces with plans that wait for runs of other domains

    def note(self, namespace: str, workflow: str, plan: str, text: str) -> bool:
        """Remember what the compiled template of a launch plan says it waits for; whether it waits, or has waited."""
        known = self._known.setdefault(namespace, {})
        before, trigger = known.pop(plan, None), Trigger.from_text(text)
        if trigger is not None:
            known[plan] = workflow, trigger
        elif not known:
            del self._known[namespace]
        self._elsewhere.discard(namespace)
        if any(each.domain for _, each in known.values()):
            self._elsewhere.add(namespace)
        return trigger is not None or before is not None

    def plans(self) -> list[TriggerKey]:
        """All launch plans that wait for something."""
        return [TriggerKey(space, plan, WAITING_PLAN) for space, known in self._known.items() for plan in known]

    def waits(self, namespace: str) -> Waits:
        """The launch plans of a namespace that wait for something."""
        return self._known.get(namespace, {})

    def of_project(self, namespace: str) -> tuple[Waits, frozenset[str]]:
        """The launch plans of the project of a namespace that wait for something, as its domain names them, and the
        project's domains.
        """
        domains = places.domains(namespace, self._namespaces())
        if not self._elsewhere.intersection(domains.values()):  # so there is no circle through several domains
            return self.waits(namespace), frozenset(domains)
        own = next(domain for domain, space in domains.items() if space == namespace)
        return of_project(own, {domain: self.waits(space) for domain, space in domains.items()}), frozenset(domains)

    def _waiting(self, namespace: str) -> dict[str, Trigger]:
        return {plan: trigger for plan, (_, trigger) in self.waits(namespace).items()}

    def keys(self, seen: Seen) -> list[TriggerKey]:
        """Where a run that is over may start others, by its labels alone; one that its policy ended does not."""
        if seen.labels.get(labels.OUTCOME) or seen.labels.get(labels.TRIGGERED) == seen.uid:
            return []
        spaces = self._receivers(seen.namespace, seen.labels)
        return [TriggerKey(space, seen.name, ENDED_RUN, _other(seen.namespace, space)) for space in spaces]

    def _receivers(self, source: str, marks: Mapping[str, str]) -> list[str]:
        """The namespaces with plans that wait for a run in `source` with these labels."""
        return [space for space in sorted({source, *self._elsewhere}) if self._followers(space, source, marks)]

    def _followers(self, space: str, source: str, marks: Mapping[str, str]) -> dict[str, Trigger]:
        """The launch plans of a namespace that wait for a run in `source` with these labels."""
        found = {plan: each for plan, each in self._waiting(space).items() if each.follows(marks)}
        if not any(each.domain for each in found.values()):  # as nearly always
            return found if space == source else {}
        domains = places.domains(space, self._namespaces())
        return {
            plan: each
            for plan, each in found.items()
            if (domains.get(each.domain, "") if each.domain else space) == source
        }

    async def handle(self, key: TriggerKey) -> float | None:
        """Look at one run or plan; when to look again, if ever."""
        if key.kind == ENDED_RUN:
            return await self._run(key)
        return await self._plan(key)

    async def _run(self, key: TriggerKey) -> float | None:
        source = key.source or key.namespace
        path = resources.RUNS.path(source, key.name)
        run = await self._api.find(path)
        if run is None or runs.misshapen(run) or not runs.finished(run):
            return None
        if runs.label(run, labels.TRIGGERED) == run["metadata"]["uid"]:
            return None
        if not self._access.may_write():
            return AGAIN_SECONDS
        marks = run["metadata"].get("labels") or {}
        again = key.namespace in decide.done_in(run)
        followers = {} if again else self._followers(key.namespace, source, marks)
        domain = await self._domain(key.namespace) if followers else DomainView()
        for name, trigger in sorted(followers.items(), key=lambda each: each[0]):
            if domain.fires and (not trigger.domain or trigger.domain in domain.trusted):
                await self._follow(run, key.namespace, name, trigger)
        patch = decide.done(run, key.namespace, self._receivers(source, marks))
        if again and "labels" not in patch["metadata"]:
            return None  # others are left
        await self._access.patch_run(run, patch)
        return None

    async def _domain(self, namespace: str) -> DomainView:
        return DomainView.of(await self._api.find(resources.DOMAINS.path(namespace, NAME)))

    async def _follow(self, run: Body, namespace: str, name: str, trigger: Trigger) -> None:
        plan = await self._api.find(resources.LAUNCH_PLANS.path(namespace, name))
        if plan is None:
            return
        plan = {**plan, "apiVersion": resources.LAUNCH_PLANS.api_version, "kind": resources.LAUNCH_PLANS.kind}
        domains = places.domains(namespace, self._namespaces()) if trigger.domain else {}
        own = next((domain for domain, space in domains.items() if space == namespace), "")
        try:
            body = await asyncio.to_thread(decide.following, run, plan, trigger, own)  # its nodes may be anybody's
            if body is not None and trigger.domain:
                await self._bounded(plan, body)
            if body is not None:
                await self._start(plan, body)
        except (decide.Refused, nodes.Hidden) as error:
            message = error.reason if isinstance(error, decide.Refused) else str(error)
            await self._skip(plan, decide.label_of(run, trigger), message)

    async def _bounded(self, plan: Body, body: Body) -> None:
        """See to it that the runs of another domain do not flood this one.

        Raises:
            decide.Refused: too many runs of the plan are not over.
        """
        space, most = plan["metadata"]["namespace"], decide.MOST_UNFINISHED
        selector = f"{labels.LAUNCH_PLAN}={plan['metadata']['name']},{runs.COMPLETED_LABEL}!=true"
        found = await self._api.list(resources.RUNS.path(space), labels=selector, metadata_only=True, most=most)
        there = {str(each["metadata"]["name"]) for each in found.items}
        if len(there) < most or body["metadata"]["name"] in there:
            return
        if await self._api.find(resources.RUNS.path(space, body["metadata"]["name"]), metadata_only=True) is None:
            raise decide.Refused(f"{most} runs of the launch plan are not over, and another domain's start no more")

    async def _skip(self, plan: Body, run: str, message: str) -> None:
        """Say of a plan that the end of a run started none, in its status and as an Event."""
        status = {"trigger": {"skipped": decide.skipped(plan, run, message)}}
        await self._access.patch_status(resources.LAUNCH_PLANS, plan, status)
        self._access.announce(plan, Reason.TRIGGER_SKIPPED, message, warning=True)

    async def _start(self, plan: Body, body: Body) -> None:
        metadata = body["metadata"]
        if not await self._access.start(body):
            found = await self._access.run_of_name(body)
            if not decide.answers(found, body):
                raise decide.Refused(f"another run has the name {metadata['name']}")
            return
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
        await self._access.patch_status(resources.LAUNCH_PLANS, plan, {"trigger": after})
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
            after: dict[str, Any] = {"since": timestamps.seconds(self._now()), "digest": trigger.digest()}
            seen = {"revision": revision, "releases": int((before or {}).get("releases") or 0)} if revision else {}
            return {**after, **seen}
        if not trigger.release or not revision or revision == before.get("revision"):
            return dict(before)
        count = int(before.get("releases") or 0)
        domain = await self._domain(plan["metadata"]["namespace"])
        if before.get("revision") and not trigger.suspended and domain.fires:
            count += 1
            template = names.launch_plan_template(str(plan["metadata"]["name"]))
            name = f"{template[: decide.MAX_NAME - 19].rstrip('-.')}-release-{count}"
            spec = {"workflowTemplateRef": {"name": template}}
            try:
                await self._start(plan, decide.made(plan, name, {labels.REASON: f"{origins.RELEASED}{revision}"}, spec))
            except decide.Refused as error:
                self._access.announce(plan, Reason.TRIGGER_SKIPPED, error.reason, warning=True)
        return {**before, "revision": revision, "releases": count}


def _other(source: str, space: str) -> str:
    return source if source != space else ""
