"""One domain's queue, once: reads its ledger, lists its unfinished runs, chooses, writes the ledger, and has the chosen
runs looked at. Called by the work queue of domains when a run or the Domain has changed, at most once a second.

The order of the reads and of the write is that of `ledger.rounds`. A run is let go by `reconcile`, which asks the
ledger once more; nothing is let go here.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.argo import queued
from alula_api.contract.queue import Choice, Quota, Run, Terms, Waiting, rough
from alula_controller import logs, metrics, timestamps
from alula_controller.admission import ledger
from alula_controller.admission.ledger import Ledger, ListRuns, ReadLedger, Step, WriteLedger
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.domains.view import NAME, DomainView

log = logging.getLogger(__name__)

KIND = "Queue"
LIST_SECONDS = 1.0  # between two rounds of a domain
INTENT_SECONDS = 5.0  # after which a run that was chosen and is not let go yet is looked at again
SKIPPED, REPLACED = "skipped", "replaced"  # the label of a run that its launch plan's policy ended
RUN_LABEL = "workflows.argoproj.io/workflow"  # of Argo's: the run that a pod is of
LIVE = "status.phase!=Succeeded,status.phase!=Failed"
TOLD_RUNS = 20  # whose place stands in their message
TELL_SECONDS = 60.0  # between two messages on a run
COUNT_SECONDS = 10.0  # between two writes of counts alone
SAMPLE, LEAST_SAMPLE, LEAST_SECONDS = 30, 5, 30.0  # runs from whose number and time the others' wait is guessed
PACES = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)  # seconds a run that are told


@dataclass
class _Memory:
    """What is remembered of a domain, for the sake of rates alone."""

    round: float = float("-inf")
    counted: float = float("-inf")
    told: dict[str, tuple[str, float]] | None = None  # uid -> the message, when
    lingers: bool = False  # whether pods of a run that is over hold another one back
    chosen: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLE))  # when the latest runs were

    def pace(self) -> float | None:
        """Seconds between two runs that were let go lately; None if few were."""
        seconds = self.round - self.chosen[0] if self.chosen else 0.0
        if len(self.chosen) < LEAST_SAMPLE or seconds < LEAST_SECONDS:
            return None
        return seconds / len(self.chosen)


class Dispatcher:
    """Decides whose turn it is.

    Args:
        access: the cluster.
        terms: of a namespace's launch plan, by name.
        waiting: the names of a namespace's runs that are known to wait.
        look: has one run looked at.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        access: Access,
        terms: Callable[[str, str], Terms],
        waiting: Callable[[str], Iterable[str]],
        look: Callable[[str, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._refused: dict[str, dict[str, tuple[str, str]]] = {}  # namespace -> uid -> why a run is to fail, outcome
        self._access = access
        self._terms = terms
        self._waiting = waiting
        self._look = look
        self._clock = clock
        self._memory: dict[str, _Memory] = {}

    def refusal(self, namespace: str, uid: str) -> tuple[str, str]:
        """Why a run is to end, waiting or let go, and what its label says; empty for one that may stay."""
        return self._refused.get(namespace, {}).get(uid, ("", ""))

    async def handle(self, key: QueueKey) -> float | None:
        """One round; when to do the next, if time alone may change something."""
        memory = self._memory.setdefault(key.namespace, _Memory())
        early = memory.round + LIST_SECONDS - self._clock()
        if early > 0:
            return early
        domain = await self._access.api.find(resources.DOMAINS.path(key.namespace, NAME))
        quota = DomainView.of(domain).quota
        if domain is None or quota is None:
            del self._memory[key.namespace]
            self._refused.pop(key.namespace, None)
            for name in self._waiting(key.namespace) if memory.round > float("-inf") else ():
                self._look(key.namespace, name)  # none waits for a turn any more
            return None
        memory.round = self._clock()
        found, step = await self._round(key.namespace, domain, quota)
        if step is None:
            return LIST_SECONDS
        memory.chosen.extend([memory.round] * len(step.choice.admit))
        for intent in step.intents:
            self._look(key.namespace, intent.name)
        self._refuse(key.namespace, step.choice)
        owed = await self._count(domain, step, memory)
        await self._tell(step.choice.waiting, found, memory)
        return LIST_SECONDS if memory.lingers else _next(step, owed)

    async def _round(
        self, namespace: str, domain: Mapping[str, Any], quota: Quota
    ) -> tuple[list[Mapping[str, Any]], Step | None]:
        """What was listed and what was decided; nothing where another instance acts now."""
        found: list[Mapping[str, Any]] = []
        going = ledger.rounds(timestamps.now().timestamp())
        answer: Any = None
        while True:
            try:
                question = going.send(answer)
            except StopIteration as end:
                return found, end.value
            match question:
                case ReadLedger():
                    answer = Ledger.of(domain), quota
                case ListRuns():
                    found = await self._list(namespace)
                    runs = [self._run(each) for each in found]
                    lingering = await self._lingering(namespace, runs)
                    self._memory[namespace].lingers = bool(lingering)
                    answer = [*runs, *lingering]
                case WriteLedger(version, step):
                    if not self._access.may_write():
                        return found, None
                    await self._write(
                        namespace,
                        {"metadata": {"resourceVersion": version}},
                        _status(step, self._memory[namespace].pace()),
                    )
                    answer = None

    async def _list(self, namespace: str) -> list[Mapping[str, Any]]:
        """All unfinished runs, as new as the question: a list from a cache may lack what we wrote ourselves."""
        path = resources.RUNS.path(namespace)
        listing = await self._access.api.list(path, labels=queued.UNFINISHED, metadata_only=True)
        return list(listing.items)

    async def _lingering(self, namespace: str, unfinished: list[Run]) -> list[Run]:
        """Runs that are over while their pods are not gone, of launch plans with a run that waits for that.

        A run that is stopped is over in Argo before its pods are: for as long as their grace period. Asked after the
        runs were listed: what is over by then starts no pod.
        """
        plans = {run.plan for run in unfinished if run.terms.replaces and not run.admitted}
        if not plans:
            return []
        path = resources.PODS.path(namespace)
        listing = await self._access.api.list(path, labels=RUN_LABEL, fields=LIVE, metadata_only=True)
        owners = {str(each["metadata"]["labels"][RUN_LABEL]) for each in listing.items}
        found = []
        for name in sorted(owners - {run.name for run in unfinished}):
            body = await self._access.api.find(resources.RUNS.path(namespace, name), metadata_only=True)
            if body is not None and queued.plan(body["metadata"]) in plans:
                found.append(dataclasses.replace(self._run(body), admitted=True, ending=True))
        return found

    async def _write(self, namespace: str, body: Mapping[str, Any], admission: Mapping[str, Any]) -> None:
        path = resources.DOMAINS.path(namespace, NAME, "status")
        await self._access.api.merge(path, {**body, "status": {"admission": admission}})
        metrics.WRITES.labels(kind="Domain", verb="patch").inc()

    def _run(self, body: Mapping[str, Any]) -> Run:
        metadata = body["metadata"]
        plan = queued.plan(metadata)
        return queued.run(metadata, self._terms(str(metadata["namespace"]), plan) if plan else Terms())

    def _refuse(self, namespace: str, choice: Choice) -> None:
        self._refused[namespace] = {run.uid: (reason, "") for run, reason in choice.refuse}
        self._refused[namespace] |= {run.uid: (reason, SKIPPED) for run, reason in choice.skip}
        self._refused[namespace] |= {run.uid: (reason, REPLACED) for run, reason in choice.replace}
        for run, _ in (*choice.refuse, *choice.skip, *choice.replace):
            self._look(namespace, run.name)

    async def _count(self, domain: Mapping[str, Any], step: Step, memory: _Memory) -> bool:
        """Write the counts where they differ from what stands there, not too often; whether that is yet to be done."""
        told = (domain.get("status") or {}).get("admission") or {}
        wanted = _status(step, memory.pace())
        counts = {name: wanted[name] for name in ("running", "waiting", "oldest", "pace")}
        if {name: told.get(name) for name in counts} == counts or wanted["intents"] != (told.get("intents") or []):
            return False  # they are right, or were written with the intents
        if memory.counted + COUNT_SECONDS > self._clock() or not self._access.may_write():
            return True
        memory.counted = self._clock()
        await self._write(domain["metadata"]["namespace"], {}, counts)
        return False

    async def _tell(self, waiting: tuple[Waiting, ...], found: list[Mapping[str, Any]], memory: _Memory) -> None:
        """Write the first runs' places into their messages, and into those that others overtook that they are not
        among the first any more."""
        metadata = {str(each["metadata"]["uid"]): each["metadata"] for each in found}
        told = memory.told or {}
        memory.told = {each.run.uid: told[each.run.uid] for each in waiting[:TOLD_RUNS] if each.run.uid in told}
        for each in waiting[TOLD_RUNS:]:
            if each.run.uid in told and self._access.may_write():
                text = f"waits beyond place {TOLD_RUNS} of {len(waiting)}"
                if not await self._say(metadata[each.run.uid], text):
                    memory.told[each.run.uid] = told[each.run.uid]
        for each in waiting[:TOLD_RUNS]:
            text = f"waits at place {each.rank} of {len(waiting)}{_wait(each.rank, memory.pace())}: {each.reason}"
            last, when = memory.told.get(each.run.uid, ("", float("-inf")))
            if text == last or when + TELL_SECONDS > self._clock() or not self._access.may_write():
                continue
            if await self._say(metadata[each.run.uid], text):
                memory.told[each.run.uid] = text, self._clock()

    async def _say(self, metadata: Mapping[str, Any], text: str) -> bool:
        """Write a run's message; whether it stands there."""
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": {"message": text}}
        try:
            await self._access.patch_run({"metadata": metadata}, patch)
        except (errors.Conflict, errors.NotFound):
            log.info("a run moved while it was told its place", extra=logs.about(name=metadata["name"]))
            return False
        return True


def _wait(rank: int, pace: float | None) -> str:
    """Roughly how long a run at this place waits, if others are let go as often as lately; empty if few were."""
    return "" if pace is None else f" for about {rough(rank * pace)}"


def _status(step: Step, pace: float | None) -> dict[str, Any]:
    """What the Domain's status says of admission; texts of absent parts are None, which removes them."""
    waiting = step.choice.waiting
    oldest = min((each.run.created for each in waiting), default=None)
    return {
        "running": step.running,
        "waiting": len(waiting),
        "oldest": timestamps.of_epoch(oldest) if oldest is not None else None,
        "pace": next((told for told in PACES if pace <= told), None) if waiting and pace is not None else None,
        "intents": [{"uid": each.uid, "name": each.name} for each in step.intents],
        "passed": [{"uid": uid, "times": times} for uid, times in step.passed.items()],
    }


def _next(step: Step, owed: bool) -> float | None:
    waits = [INTENT_SECONDS] if step.intents else []
    waits += [step.choice.again] if step.choice.again is not None else []
    waits += [COUNT_SECONDS] if owed or step.choice.waiting else []
    return max(LIST_SECONDS, min(waits)) if waits else None
