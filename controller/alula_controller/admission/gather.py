"""Reads what the admission of a run rests on: the run, its own revision, its domain, and what the cache answers.

Called by `reconcile`. Reading stops as soon as it is clear that there is nothing to answer.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import re
from collections.abc import Mapping
from typing import Any

from alula_api.argo import holds, nodes, runs
from alula_api.contract import labels, pods
from alula_api.contract.graphs import plans
from alula_api.contract.graphs.walks import TooLarge
from alula_controller import logs
from alula_controller.admission import check, earlier_run, event_inputs
from alula_controller.admission.cache_lookup import Lookups
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_controller.admission.decide import World
from alula_controller.admission.dispatch import SKIPPED
from alula_controller.admission.ledger import Ledger
from alula_controller.cluster import client, resources
from alula_controller.definitions import revisions
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import NoPlace

log = logging.getLogger(__name__)

_STORE = re.compile(rf'\\+"name\\+":\\+"{pods.Env.STORE}\\+",\\+"value\\+":\\+"([^"\\]*)\\+"')


class NotHeldYet(Exception):
    """Argo has not made the run's first node yet, or after a retry has not made it anew."""


async def read(api: client.Cluster, domains: Domains, lookups: Lookups, run: Mapping[str, Any]) -> World | None:
    """The world of a run that waits for an answer; None if there is nothing to answer.

    Raises:
        nodes.Hidden: its nodes cannot be reached or read, or are not named as we expect.
        NotHeldYet: Argo has not brought it to `admit`.
    """
    namespace, name = str(run["metadata"]["namespace"]), str(run["metadata"]["name"])
    if runs.finished(run):
        return None
    revision = runs.label(run, labels.REVISION)
    stored = await api.find(resources.REVISIONS.path(namespace, revision)) if revision else None
    status = run.get("status") or {}
    if stored is None and nodes.packed(run):
        raise nodes.Unreadable(f"there is no revision {revision!r} in this namespace, so its packed nodes are not read")
    held = await asyncio.to_thread(nodes.read, status)  # of anybody's making: counted, and read beside the loop
    hold = holds.find(name, held)
    if hold is None:
        raise NotHeldYet
    if not holds.unanswered(hold):
        return None
    if stored is None:
        return World(
            run, held, refusal=f"the revision {revision!r} that this run was started from is gone; start it anew"
        )
    try:
        plan = await asyncio.to_thread(plans.from_text, str((stored.get("spec") or {}).get("plan") or ""))
    except plans.BadPlan as error:
        return World(run, held, refusal=str(error))
    if strange := check.strange(plan):
        return World(run, held, refusal=strange)
    template = runs.template(run)
    if template and template not in (plan.template, revisions.template_for(revision)):
        log.info("not a run of ours", extra=logs.about(namespace=namespace, name=name, template=template))
        return None
    arguments = (run.get("spec") or {}).get("arguments") or {}
    event = await asyncio.to_thread(event_inputs.read, plan, arguments, name)  # of anybody's making
    if event.skipped:
        return World(run, held, plan, refusal=event.skipped, ending=SKIPPED)
    checked = event.checked or check.check(plan, event.arguments, name)
    if checked.problems:
        return World(run, held, plan, checked)
    spec = str((stored.get("spec") or {}).get("spec") or "")
    return await _in_domain(api, domains, lookups, World(run, held, plan, checked), store_of(spec))


def store_of(spec: str) -> str:
    """Where the pods of a compiled spec keep their data; empty where that is not to be seen."""
    found = _STORE.search(spec)
    return found[1] if found else ""


async def _in_domain(api: client.Cluster, domains: Domains, lookups: Lookups, world: World, store: str) -> World:
    """The same world with whose turn it is and what the cache answers; nothing is looked up for a run that waits.

    Args:
        api: the cluster.
        domains: reads Domains.
        lookups: the cache.
        world: with what was checked.
        store: where the pods of the run keep their data: the Domain may have got another root since it was compiled.
    """
    namespace = world.run["metadata"]["namespace"]
    place, domain = await domains.read(namespace)
    assert world.plan is not None
    assert world.checked is not None

    def so(walk: CacheWalk | None = None, unfilled: str = "") -> World:
        return World(world.run, world.nodes, world.plan, world.checked, walk, unfilled=unfilled)

    if domain.quota is not None and not Ledger.of(domain.body or {}).names(str(world.run["metadata"]["uid"])):
        return dataclasses.replace(world, waits=True)
    if not domain.fill:
        return so()
    if isinstance(place, NoPlace):
        return so(unfilled=place.message)
    if place.store != store:
        return so(unfilled=f"the domain keeps its data in {place.store} now; the run was compiled for another place")
    if len(world.nodes) > 2:
        return so(unfilled="the run has nodes already")
    try:
        walk = CacheWalk(world.plan, world.checked.inputs)
    except TooLarge as error:
        return so(unfilled=str(error))
    short = await lookups.walk(walk, place, functools.partial(_guesses, api, world))
    return so(walk, short)


async def _guesses(api: client.Cluster, world: World, most: int) -> Mapping[str, Wanted]:
    """Keys that an earlier run like this one came to."""
    assert world.plan is not None
    assert world.checked is not None
    inputs = world.checked.inputs
    name, status = await earlier_run.read(api, world.run, inputs)
    if not name:
        return {}
    return await asyncio.to_thread(earlier_run.guesses, world.plan, inputs, name, status, most)
