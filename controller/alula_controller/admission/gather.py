"""Reads what the admission of a run rests on: the run, its own revision, its domain, and what the cache answers.

Called by `reconcile`. Reading stops as soon as it is clear that there is nothing to answer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from alula_api.argo import holds, nodes, runs
from alula_api.contract import labels
from alula_api.contract.graphs import plans
from alula_api.contract.graphs.walks import TooLarge
from alula_controller import logs
from alula_controller.admission import check, decide
from alula_controller.admission.cache_lookup import Lookups
from alula_controller.admission.cache_walk import CacheWalk, colliding
from alula_controller.admission.decide import World
from alula_controller.cluster import client, resources
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import NoPlace

log = logging.getLogger(__name__)


async def read(api: client.Cluster, domains: Domains, lookups: Lookups, run: Mapping[str, Any]) -> World | None:
    """The world of a run that waits for an answer; None if there is nothing to answer.

    Raises:
        nodes.Hidden: its nodes cannot be reached or read, or are not named as we expect.
    """
    namespace, name = str(run["metadata"]["namespace"]), str(run["metadata"]["name"])
    if runs.finished(run) or decide.admitted(run):
        return None
    held = nodes.read(run.get("status") or {})
    hold = holds.find(name, held)
    if hold is None or not holds.unanswered(hold):
        return None
    revision = runs.label(run, labels.REVISION)
    stored = await api.find(resources.REVISIONS.path(namespace, revision)) if revision else None
    if stored is None:
        return World(
            run, held, refusal=f"the revision {revision!r} that this run was started from is gone; start it anew"
        )
    try:
        plan = plans.from_json((stored.get("data") or {}).get("plan"))
    except plans.BadPlan as error:
        return World(run, held, refusal=str(error))
    template = runs.template(run)
    if template and template != plan.template:
        log.info("not a run of ours", extra=logs.about(namespace=namespace, name=name, template=template))
        return None
    checked = check.check(plan, (run.get("spec") or {}).get("arguments") or {}, name)
    if checked.problems:
        return World(run, held, plan, checked)
    return await _with_cache(domains, lookups, World(run, held, plan, checked))


async def _with_cache(domains: Domains, lookups: Lookups, world: World) -> World:
    """The same world with what the cache answers."""
    namespace = world.run["metadata"]["namespace"]
    place, domain = await domains.read(namespace)
    assert world.plan is not None
    assert world.checked is not None

    def so(walk: CacheWalk | None = None, unfilled: str = "") -> World:
        return World(world.run, world.nodes, world.plan, world.checked, walk, unfilled=unfilled)

    if not domain.fill:
        return so()
    if isinstance(place, NoPlace):
        return so(unfilled=place.message)
    if len(world.nodes) > 2:
        return so(unfilled="the run has nodes already")
    try:
        if colliding(world.plan, world.name):
            return so(unfilled="two nodes of this run have the same id in Argo")
        walk = CacheWalk(world.plan, world.checked.inputs)
    except TooLarge as error:
        return so(unfilled=str(error))
    short = await lookups.walk(walk, place)
    return so(walk, short)
