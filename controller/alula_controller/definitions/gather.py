"""Reads what a decision about a definition rests on: the definition, its neighbours, and what is in the cluster
already.

Called by `reconcile`. Everything is read anew each time; nothing is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from alula_api.argo import runs
from alula_api.contract import jsontext, labels
from alula_api.contract.problems import InvalidValue
from alula_controller import timestamps
from alula_controller.cluster import client, resources
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.resources import Resource
from alula_controller.cluster.watches import Seen
from alula_controller.definitions import children, compilation, requests, revisions
from alula_controller.definitions.revisions import Revision
from alula_controller.definitions.world import Body, Compiled, Stored, World
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import Place
from alula_controller.settings import Settings

Compile = Callable[[str, compilation.Asked], Awaitable[Compiled]]

GENERATED = (resources.TEMPLATES, resources.BINDINGS, resources.CRONS)
_KIND = {"apiVersion": resources.LAUNCH_PLANS.api_version, "kind": resources.LAUNCH_PLANS.kind}
MAX_PLANS = 100  # launch plans of one Workflow
MAX_PLAN_BYTES = 8 << 20  # of all of them
MAX_COLLECTED = 20  # revisions past their retention for which runs are looked for at a time


class Gatherer:
    """Reads worlds.

    Args:
        api: the cluster.
        settings: the installation.
        domains: reads what namespaces have to say.
        compile: asks the compiler a question about a namespace.
        kinds: of which there are generated objects in a namespace, at least.
    """

    def __init__(
        self,
        api: client.Cluster,
        settings: Settings,
        domains: Domains,
        compile: Compile,
        kinds: Callable[[str], Sequence[Resource]] = lambda namespace: GENERATED,
    ) -> None:
        self._api = api
        self._settings = settings
        self._domains = domains
        self._compile = compile
        self._kinds = kinds
        self._intact: dict[tuple[str, str, str], tuple[str, str, str]] = {}

    async def workflow(self, key: QueueKey) -> World:
        """The world around one Workflow."""
        space = key.namespace
        workflow, plans, (place, domain) = await asyncio.gather(
            self._api.find(resources.WORKFLOWS.path(space, key.name)),
            self._launch_plans(key),
            self._domains.recent(space),
        )
        mine, left_out = plans
        compiled = None
        if workflow is not None and isinstance(place, Place):
            question = compilation.asked(self._settings, place, domain, workflow, mine)
            compiled = await self._compile(space, question)
        retention = timedelta(seconds=domain.retention.longest)
        listed = await self._api.list(resources.REVISIONS.path(space), labels=_of(key), metadata_only=True)
        kept = tuple(map(Revision.of, listed.items))
        live = await self._live(key, compiled, kept)
        unfinished = await self._unfinished(key, compiled, live, kept)
        failed = await self._failed(key, workflow, mine)
        retried = {revisions.carried_by(run) for run in failed.values()}
        stored = await self._stored(key, compiled, live, kept, unfinished, retried=retried)
        carried = await self._carried(space, kept, retention, timestamps.now())
        return World(
            key,
            workflow,
            mine,
            place,
            compiled,
            live,
            kept,
            stored,
            unfinished,
            carried,
            retention,
            failed,
            left_out,
            domain=domain,
        )

    async def _launch_plans(self, key: QueueKey) -> tuple[tuple[Body, ...], tuple[Body, ...]]:
        """The launch plans that name the Workflow, as many as are compiled with it, and some of those that are not.

        However many there are, and however large: no more than a page is read beyond what is compiled.
        """
        mine: list[Body] = []
        size = 0
        path, fields = resources.LAUNCH_PLANS.path(key.namespace), f"spec.workflow={key.name}"
        async for page in self._api.pages(path, fields=fields, most=MAX_PLANS + 1):
            for index, plan in enumerate(page.items):
                if plan["metadata"].get("deletionTimestamp"):
                    continue
                whole = {**_KIND, **plan}
                size += len(jsontext.encode(plan.get("spec") or {}))
                if len(mine) == MAX_PLANS or size > MAX_PLAN_BYTES:
                    left_out = page.items[index:]
                    return tuple(mine), tuple({**_KIND, **other} for other in left_out)
                mine.append(requests.effective(whole))
        return tuple(mine), ()

    async def _failed(self, key: QueueKey, workflow: Body | None, plans: tuple[Body, ...]) -> Mapping[str, Body]:
        """The last failed run of each definition that asks for it again."""
        bodies = {"": workflow, **{str(plan["metadata"]["name"]): plan for plan in plans}}
        asked = [name for name, body in bodies.items() if body is not None and requests.pending(body, requests.RETRY)]
        if not asked:
            return {}
        wanted = f"{_of(key)},{runs.PHASE_LABEL} in (Failed,Error)"
        listing = await self._api.list(resources.RUNS.path(key.namespace), labels=wanted, metadata_only=True)
        seen = sorted((Seen.of(item) for item in listing.items), key=lambda each: (each.created, each.name))
        last = {each.labels.get(labels.LAUNCH_PLAN, ""): each.name for each in seen}
        found = {
            name: await self._api.find(resources.RUNS.path(key.namespace, last[name])) for name in asked if name in last
        }
        return {name: body for name, body in found.items() if body is not None}

    async def _live(
        self, key: QueueKey, compiled: Compiled | None, kept: Iterable[Revision]
    ) -> Mapping[tuple[str, str], Body]:
        """Generated objects by (kind, name): those with the Workflow's label, and whatever has a wanted name."""
        wanted = {children.about(body): body for body in _bodies(compiled)}
        found: dict[tuple[str, str], Body] = {}
        whole, named = set(wanted), {each.template for each in kept}
        named |= {revisions.template_for(each.name) for each in kept}
        for resource in self._kinds(key.namespace):
            # Anybody may set the label: metadata only, and in full what has the name of an object that we would make.
            listing = await self._api.list(resource.path(key.namespace), labels=_of(key), metadata_only=True)
            for item in listing.items:
                about = resource.kind, str(item["metadata"]["name"])
                found[about] = {**item, "apiVersion": resource.api_version, "kind": resource.kind}
                if about in wanted and self._intact.get((key.namespace, *about)) == _state(item, wanted[about]):
                    found[about] = {**found[about], "spec": wanted[about]["spec"]}
                    whole.discard(about)
                if children.unowned(found[about], key.name) and about[1] in named:
                    whole.add(about)
        read = await asyncio.gather(
            *(self._api.find(_resource(kind).path(key.namespace, name)) for kind, name in sorted(whole))
        )
        for about, body in zip(sorted(whole), read, strict=True):
            found.pop(about, None)
            if body is not None:
                found[about] = body
        return found

    def keep(self, world: World, changed: Iterable[Body]) -> None:
        """Remember which objects are as they should be, so that they are not read again until they change."""
        touched = {children.about(body) for body in changed}
        uid = str(world.workflow["metadata"]["uid"]) if world.workflow is not None else ""
        for body in _bodies(world.compiled):
            about = children.about(body)
            key = world.key.namespace, *about
            live = world.live.get(about)
            if live is None or about in touched or not children.ours(live, uid):
                self._intact.pop(key, None)
            else:
                self._intact[key] = _state(live, body)

    async def _unfinished(
        self,
        key: QueueKey,
        compiled: Compiled | None,
        live: Mapping[tuple[str, str], Body],
        kept: Iterable[Revision],
    ) -> tuple[Seen, ...]:
        """The Workflow's runs that are not over, where a template may have to go, or to come back, because of them."""
        templates = {(children.TEMPLATE, each.template) for each in kept}
        templates |= {about for about in live if about[0] == children.TEMPLATE}
        if templates <= set(_wanted(compiled)):
            return ()
        selector = f"{_of(key)},{labels.REVISION},{runs.COMPLETED_LABEL}!=true"
        listing = await self._api.list(resources.RUNS.path(key.namespace), labels=selector, metadata_only=True)
        return tuple(map(Seen.of, listing.items))

    async def _stored(
        self,
        key: QueueKey,
        compiled: Compiled | None,
        live: Mapping[tuple[str, str], Body],
        kept: Iterable[Revision],
        unfinished: Iterable[Seen],
        *,
        retried: Iterable[str],
    ) -> dict[str, Stored]:
        """The revisions of templates without an owner, of those that runs name and that are gone, and those whose runs
        are to be started again.
        """
        names = {revisions.name_of(body) for body in live.values() if children.unowned(body, key.name)}
        there = {*live, *_wanted(compiled)}
        carried = {seen.labels[labels.REVISION] for seen in unfinished} & {each.name for each in kept}
        names |= {name for name in carried if (children.TEMPLATE, revisions.template_of(name)) not in there}
        names |= {*retried} & {each.name for each in kept}
        found: dict[str, Stored] = {}
        for name in sorted(names - {""}):
            body = await self._api.find(resources.REVISIONS.path(key.namespace, name))
            try:
                found |= {name: Stored(body, revisions.template_spec(body))} if body is not None else {}
            except InvalidValue:
                continue  # not one of ours
        return found

    async def _carried(
        self, namespace: str, kept: Iterable[Revision], retention: timedelta, moment: datetime
    ) -> frozenset[str]:
        """Of the revisions past their retention, those that must stay because a run carries them, or may carry them."""
        past = [each.name for each in kept if each.replaced and each.left(retention, moment) <= timedelta()]
        path = resources.RUNS.path(namespace)
        looked_at, later = past[:MAX_COLLECTED], past[MAX_COLLECTED:]
        found = await asyncio.gather(*(self._api.any(path, labels=f"{labels.REVISION}={name}") for name in looked_at))
        return frozenset({*later, *(name for name, carried in zip(looked_at, found, strict=True) if carried)})


def _wanted(compiled: Compiled | None) -> list[tuple[str, str]]:
    """How the objects that were compiled are found in the cluster."""
    return [children.about(body) for body in _bodies(compiled)]


def _bodies(compiled: Compiled | None) -> list[Body]:
    if compiled is None:
        return []
    return [*compiled.objects, *(body for each in compiled.plan_objects.values() for body in each)]


def _state(live: Body, wanted: Body) -> tuple[str, str, str]:
    """Which version of an object was compared with what, to be compared again when either changes."""
    metadata = live["metadata"]
    return str(metadata["uid"]), str(metadata.get("resourceVersion")), children.digest(wanted)


def _of(key: QueueKey) -> str:
    return f"{labels.WORKFLOW}={key.name}"


def _resource(kind: str) -> Resource:
    return next(resource for resource in GENERATED if resource.kind == kind)
