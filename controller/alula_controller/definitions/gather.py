"""Reads what a decision about a definition rests on: the definition, its neighbours, and what is in the cluster
already.

Called by `reconcile`. Everything is read anew each time; nothing is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from alula_api.contract import labels
from alula_controller.cluster import client, resources
from alula_controller.cluster.resources import Resource
from alula_controller.cluster.watches import Seen
from alula_controller.definitions import children, compilation, revisions
from alula_controller.definitions.world import Body, Compiled, Key, World
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import Place
from alula_controller.settings import Settings
from alula_controller.timestamps import now

GENERATED = (resources.TEMPLATES, resources.CRONS)


class Gatherer:
    """Reads worlds.

    Args:
        api: the cluster.
        settings: the installation.
        domains: reads what namespaces have to say.
    """

    def __init__(self, api: client.Cluster, settings: Settings, domains: Domains) -> None:
        self._api = api
        self._settings = settings
        self._domains = domains
        self._compiled = compilation.Memory()

    async def workflow(self, key: Key) -> World:
        """The world around one Workflow."""
        space = key.namespace
        workflow, plans, (place, domain) = await asyncio.gather(
            self._api.find(resources.WORKFLOWS.path(space, key.name)),
            self._api.list(resources.LAUNCH_PLANS.path(space)),
            self._domains.read(space),
        )
        mine = tuple(
            {"apiVersion": resources.LAUNCH_PLANS.api_version, "kind": "LaunchPlan", **plan}
            for plan in plans.items
            if (plan.get("spec") or {}).get("workflow") == key.name and not plan["metadata"].get("deletionTimestamp")
        )
        compiled = None
        if workflow is not None and isinstance(place, Place):
            told = compilation.engine(self._settings, place, domain)
            compiled = await asyncio.to_thread(self._compiled.compile_all, workflow, mine, domain.body, told)
        live = await self._live(key, compiled)
        kept = await self._api.list(resources.REVISIONS.path(space), labels=_of(key), metadata_only=True)
        seen = tuple(Seen.of(item) for item in kept.items)
        runs = await self._runs(space) if _deletes(workflow, compiled, live, seen) else ()
        return World(key, workflow, mine, place, compiled, live, seen, runs)

    async def _live(self, key: Key, compiled: Compiled | None) -> Mapping[tuple[str, str], Body]:
        """Generated objects by (kind, name): those with the Workflow's label, and whatever has a wanted name."""
        found: dict[tuple[str, str], Body] = {}
        for resource in GENERATED:
            listing = await self._api.list(resource.path(key.namespace), labels=_of(key))
            for item in listing.items:
                found[resource.kind, item["metadata"]["name"]] = {
                    **item,
                    "apiVersion": resource.api_version,
                    "kind": resource.kind,
                }
        wanted = (
            [*compiled.objects, *(body for each in compiled.plan_objects.values() for body in each)] if compiled else []
        )
        missing = [about for about in map(children.about, wanted) if about not in found]
        others = await asyncio.gather(
            *(self._api.find(_resource(kind).path(key.namespace, name)) for kind, name in missing)
        )
        found.update({about: other for about, other in zip(missing, others, strict=True) if other is not None})
        return found

    async def _runs(self, namespace: str) -> tuple[Seen, ...]:
        listing = await self._api.list(resources.RUNS.path(namespace), labels=labels.REVISION, metadata_only=True)
        return tuple(Seen.of(item) for item in listing.items)


def _of(key: Key) -> str:
    return f"{labels.WORKFLOW}={key.name}"


def _resource(kind: str) -> Resource:
    return next(resource for resource in GENERATED if resource.kind == kind)


def _deletes(
    workflow: Body | None, compiled: Compiled | None, live: Mapping[tuple[str, str], Body], kept: tuple[Seen, ...]
) -> bool:
    """Whether the decision may delete something that a run could rest on, so that the runs must be known."""
    if workflow is None or compiled is None or compiled.diagnostics:
        return False
    wanted = {children.about(body) for body in compiled.objects}
    wanted |= {children.about(body) for each in compiled.plan_objects.values() for body in each}
    return not wanted.issuperset(live) or bool(revisions.superfluous(kept, (), now()))
