"""The ledger of a domain: who was chosen to start and does not carry the mark of it yet. Pure.

It stands in the Domain's status and is written by compare-and-swap before any run is let go, so that two replicas that
both believe to act never let go more runs than the quota allows: a precondition on one run says nothing about another.
An intent is dropped only when its run is seen marked, over or gone, in a list that was read after the ledger. Who finds
an intent without a mark completes it and never takes it back.

Called by `dispatch`, which does the reading and writing in the order of `rounds`; the simulation in the tests drives
`rounds` itself.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract import queue
from alula_api.contract.queue import MAX_INTENTS, Choice, Quota, Run


@dataclass(frozen=True, slots=True)
class Intent:
    """A run that was chosen."""

    uid: str
    name: str


@dataclass(frozen=True)
class Ledger:
    """What the Domain's status says of admission, and the version that this is.

    Attributes:
        intents: The runs that were chosen.
        version: Of the Domain.
        passed: How often waiting runs that lack resources were passed over, by their uids.
    """

    intents: tuple[Intent, ...] = ()
    version: str = ""
    passed: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, domain: Mapping[str, Any]) -> Ledger:
        """From a Domain as read."""
        admission = (domain.get("status") or {}).get("admission") or {}
        intents = tuple(Intent(str(each["uid"]), str(each["name"])) for each in admission.get("intents") or ())
        passed = {str(each["uid"]): int(each["times"]) for each in admission.get("passed") or ()}
        return cls(intents, str(domain["metadata"]["resourceVersion"]), passed)

    def names(self, uid: str) -> bool:
        """Whether this run was chosen."""
        return any(each.uid == uid for each in self.intents)


@dataclass(frozen=True)
class Step:
    """What a round decided: the intents that stand, and the choice for everybody else."""

    intents: tuple[Intent, ...] = ()
    choice: Choice = field(default_factory=Choice)
    running: int = 0
    passed: Mapping[str, int] = field(default_factory=dict)


def step(ledger: Ledger, runs: Iterable[Run], quota: Quota, now: float) -> Step:
    """The next ledger, from one that was read and from all unfinished runs as they were listed after that."""
    unfinished = {run.uid: run for run in runs}
    kept = tuple(each for each in ledger.intents if each.uid in unfinished and not unfinished[each.uid].admitted)
    uids = [each.uid for each in kept]
    choice = queue.choose(unfinished.values(), uids, quota, now, most=MAX_INTENTS - len(kept), passed=ledger.passed)
    chosen = tuple(Intent(run.uid, run.name) for run in choice.admit[: MAX_INTENTS - len(kept)])
    running = len(kept) + len(chosen) + sum(run.admitted for run in unfinished.values())
    often = sorted(choice.passed.items(), key=lambda each: (-each[1], each[0]))[:MAX_INTENTS]
    return Step(kept + chosen, choice, running, dict(often))


@dataclass(frozen=True)
class ReadLedger:
    """To be answered with the Ledger and the Quota, of a Domain read anew."""


@dataclass(frozen=True)
class ListRuns:
    """To be answered with all unfinished runs, by a list that is not older than the question."""


@dataclass(frozen=True)
class WriteLedger:
    """To be written if the version is still that which was read; else the round ends with a conflict."""

    version: str
    step: Step


Question = ReadLedger | ListRuns | WriteLedger


def rounds(now: float) -> Generator[Question, Any, Step]:
    """One round: its reads and its write, in the one order that is safe."""
    read: Ledger
    read, quota = yield ReadLedger()
    runs: Iterable[Run] = yield ListRuns()
    decided = step(read, runs, quota, now)
    if (decided.intents, decided.passed) != (read.intents, read.passed):
        yield WriteLedger(read.version, decided)
    return decided
