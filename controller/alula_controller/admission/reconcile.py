"""One run that may wait at `admit`, once: gather, decide, patch. Called by `runs.reconcile`.

The patch holds only for the version that was read. Killed before it, the run is still held; killed after it, the run
carries its mark: nothing is lost or doubled.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from alula_api.argo import holds, nodes, runs
from alula_api.contract import labels
from alula_controller import conditions, metrics, timestamps
from alula_controller.admission import decide, gather
from alula_controller.admission.cache_lookup import Lookups
from alula_controller.admission.decide import Decision, Outcome, World
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains.gather import Domains

HELD_SOON = 2.0
MAX_TOLD = 10_000  # runs of which it is remembered what was said; of one that is forgotten it is said again
OFFLOADED = "Argo keeps this run's nodes in a database, where alula cannot answer the hold; turn nodeStatusOffLoad off"


def waiting(seen: Seen) -> bool:
    """Whether a run waits to be admitted, by its labels alone. (One with a mark may wait again after a retry.)"""
    if seen.labels.get(runs.COMPLETED_LABEL) == "true" or not seen.labels.get(labels.REVISION):
        return False
    return not holds.marks(seen.labels.get(labels.ADMITTED, ""), seen.uid)


class Admission:
    """Admits runs, or refuses them.

    Args:
        access: the cluster.
        domains: reads Domains.
        lookups: the cache.
        refusal: why the run of this namespace and uid is to wait no longer but to fail, and the outcome that its label
            is to say; empty for one that may wait.
    """

    def __init__(
        self,
        access: Access,
        domains: Domains,
        lookups: Lookups,
        refusal: Callable[[str, str], tuple[str, str]] = lambda namespace, uid: ("", ""),
    ) -> None:
        self._refusal = refusal
        self._access = access
        self._domains = domains
        self._lookups = lookups
        self._told: OrderedDict[str, str] = OrderedDict()  # uid -> what was said of a run that cannot be answered

    async def handle(self, run: Mapping[str, Any]) -> float | None:
        """Answer a run as read, if it waits; when to look again, if ever."""
        try:
            world = await gather.read(self._access.api, self._domains, self._lookups, run)
        except gather.NotHeldYet:
            # A change of the labels tells of others; a run that was retried has its mark already.
            marked = holds.marks(runs.label(run, labels.ADMITTED), str(run["metadata"]["uid"]))
            return HELD_SOON if marked else None
        except nodes.Hidden as error:
            message = OFFLOADED if isinstance(error, nodes.Offloaded) else str(error)
            await self._unanswerable(run, message, Reason.STATUS_OFFLOADED)
            return None
        if world is None:
            await self._unmark(run)
            return None
        refusal, ending = self._refusal(str(run["metadata"]["namespace"]), str(run["metadata"]["uid"]))
        if refusal and world.waits:
            world = dataclasses.replace(world, refusal=refusal, ending=ending)
        decision = decide.decide(world, timestamps.seconds(timestamps.now()))
        if not self._access.may_write():
            return 1.0
        if decision.patch is not None:
            await self._access.patch_run(run, _without_message(run, decision))
            self._record(world, decision)
        return None

    async def _unmark(self, run: Mapping[str, Any]) -> None:
        patch = decide.unmarked(run) if not runs.finished(run) else None
        if patch is not None and self._access.may_write():
            await self._access.patch_run(run, patch)

    def _record(self, world: World, decision: Decision) -> None:
        if decision.outcome == Outcome.ADMITTED:
            metrics.RUNS_ADMITTED.inc()
            if (seconds := timestamps.age(world.run)) is not None:
                metrics.ADMISSION_SECONDS.labels(namespace=world.run["metadata"]["namespace"]).observe(seconds)
            metrics.NODES_FILLED.inc(decision.filled)
        elif decision.outcome == Outcome.REFUSED:
            metrics.RUNS_REFUSED.labels(reason=world.ending or "invalid").inc()
        if decision.reason is not None:
            message = decision.message or "no task was taken from the cache"
            warning = decision.outcome == Outcome.REFUSED and not world.ending
            self._access.announce(world.run, decision.reason, message, warning=warning)
        for reason, message in decision.notes:
            self._access.announce(world.run, reason, message, warning=True)

    async def _unanswerable(self, run: Mapping[str, Any], message: str, reason: Reason) -> None:
        """Say once, on the run itself, why it will wait for ever."""
        if not self._access.may_write():
            return
        uid = str(run["metadata"]["uid"])
        if (run.get("status") or {}).get("message") == message or self._told.get(uid) == message:
            return
        self._told[uid] = message
        while len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)
        version = run["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "status": {"message": conditions.clip(message, 1000)}}
        await self._access.patch_run(run, patch)
        self._access.announce(run, reason, message, warning=True)


def _without_message(run: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    """The patch of a decision; an admitted run waits no more, so its message about that goes."""
    patch = dict(decision.patch or {})
    if decision.outcome == Outcome.ADMITTED and (run.get("status") or {}).get("message"):
        patch["status"] = {**patch["status"], "message": None}
    return patch
