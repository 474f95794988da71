"""A model of an API server with one domain, replicas that act on it one request at a time, and everything that may come
between: crashes at each write, other writers, runs that begin and end, clocks that step. What holds at each instant is
checked there: neither the number nor the resources of the runs that were let go pass the quota, of a launch plan's runs
the older is chosen first, unless it lacks resources, and none is passed over more often than the quota says.

Used by `test_ledger`. The replicas run the controller's own `ledger.rounds`; `Mutant` forgets the ledger.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alula_api.contract.queue import Quota, Run, Terms, choose
from alula_controller.admission import ledger
from alula_controller.admission.ledger import Intent, Ledger, ListRuns, ReadLedger, Step, WriteLedger


class Conflict(Exception):
    pass


@dataclass
class Stored:
    run: Run
    version: int = 0
    over: bool = False


@dataclass(frozen=True)
class ReadRun:
    uid: str


@dataclass(frozen=True)
class PatchRun:
    uid: str
    version: int


class Server:
    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.intents: tuple[Intent, ...] = ()
        self.passed: Mapping[str, int] = {}
        self.version = 0
        self.runs: dict[str, Stored] = {}
        self.admitted: list[str] = []

    def running(self) -> int:
        return sum(each.run.admitted and not each.over for each in self.runs.values())

    def needed(self) -> int:
        return sum(each.run.needs.get("cpu", 0) for each in self.runs.values() if each.run.admitted and not each.over)

    def in_order(self, step: Step) -> None:
        """Of the runs that were chosen now and of those that wait on, none is out of its turn."""
        before = {each.uid for each in self.intents}
        chosen = [self.runs[each.uid].run for each in step.intents if each.uid not in before]
        for waiting in step.choice.waiting:
            for run in chosen:
                if run.plan == waiting.run.plan and _age(waiting.run) < _age(run):
                    assert waiting.run.needs, f"{run.uid} came before {waiting.run.uid}"
        assert all(times <= self.quota.max_passed for times in step.passed.values()), "it was passed over too often"

    def answer(self, question: Any) -> Any:
        match question:
            case ReadLedger():
                return Ledger(self.intents, str(self.version), self.passed), self.quota
            case ListRuns():
                return [each.run for each in self.runs.values() if not each.over]
            case WriteLedger(version, step):
                if version != str(self.version):
                    raise Conflict
                self.in_order(step)
                self.intents, self.passed = step.intents, step.passed
                self.version += 1
            case ReadRun(uid):
                found = self.runs[uid]
                return found.version, found.over or found.run.admitted
            case PatchRun(uid, version):
                found = self.runs[uid]
                if version != found.version:
                    raise Conflict
                assert not found.run.admitted, f"{uid} was let go twice"
                found.run = replace(found.run, admitted=True)
                found.version += 1
                self.admitted.append(uid)
        return None


def _age(run: Run) -> tuple[float, str]:
    return run.created, run.uid


Actor = Generator[Any, Any, None]


def replica(now: Any) -> Actor:
    """Rounds, and after each the completion of what the ledger names."""
    while True:
        try:
            step: Step = yield from ledger.rounds(now())
        except Conflict:
            continue
        for intent in step.intents:
            yield from complete(intent.uid)


def complete(uid: str) -> Actor:
    try:
        version, settled = yield ReadRun(uid)
        read, _ = yield ReadLedger()
        if not settled and read.names(uid):
            yield PatchRun(uid, version)
    except Conflict:
        pass


def mutant(now: Any) -> Actor:
    """Counts marks in a fresh list and relies on the version of each run alone."""
    while True:
        _, quota = yield ReadLedger()
        runs = yield ListRuns()
        for run in choose(runs, (), quota, now()).admit:
            try:
                version, settled = yield ReadRun(run.uid)
                if not settled:
                    yield PatchRun(run.uid, version)
            except Conflict:
                pass


def hasty(now: Any) -> Actor:
    """Lists before it reads the ledger, and so forgets intents whose runs it saw marked before."""
    while True:
        runs = yield ListRuns()
        read, quota = yield ReadLedger()
        step = ledger.step(read, runs, quota, now())
        try:
            if step.intents != read.intents:
                yield WriteLedger(read.version, step)
        except Conflict:
            continue
        for intent in step.intents:
            yield from complete(intent.uid)


class OverQuota(AssertionError):
    pass


def simulate(seed: int, make: Any = replica, steps: int = 150) -> Server:
    """One random schedule of two replicas; what the server holds when all has settled."""
    chance = random.Random(seed)
    terms = [Terms(priority=chance.randrange(3), running=chance.choice([None, None, 1])) for _ in range(3)]
    resources = chance.choice([{}, {"cpu": 3}])
    server = Server(
        Quota(
            running=chance.randint(1, 3),
            max_priority=2,
            aging_seconds=chance.choice([None, 50.0]),
            resources=resources,
            max_passed=chance.randrange(3),
        )
    )
    clock = 1000.0

    def now() -> float:
        return clock

    actors = [make(now), make(now)]
    pending: list[Any] = [None, None]
    started = 0

    def advance(index: int, crash: str = "") -> None:
        """Ask the server what the replica wants next; a crash takes the replica before or after the answer."""
        question = pending[index] or next(actors[index])
        if crash == "before":
            reset(index)
            return
        try:
            answer = server.answer(question)
        except Conflict as conflict:
            pending[index] = actors[index].throw(conflict)
        else:
            pending[index] = actors[index].send(answer)
        if server.running() > (server.quota.running or 0):
            raise OverQuota(seed)
        if resources and server.needed() > resources["cpu"]:
            raise OverQuota(f"{seed}: resources")
        if crash == "after":
            reset(index)

    def reset(index: int) -> None:
        actors[index], pending[index] = make(now), None

    for _ in range(steps):
        clock += chance.choice([0.0, 0.1, 1.0, 30.0, -20.0])
        match chance.random():
            case dice if dice < 0.12 and started < 12:
                plan = chance.randrange(3)
                needs = {"cpu": chance.randint(1, 3)} if chance.random() < 0.4 else {}
                uid = f"run-{started}"
                server.runs[uid] = Stored(Run(uid, uid, clock, f"plan-{plan}", terms=terms[plan], needs=needs))
                started += 1
            case dice if dice < 0.2:
                running = [each for each in server.runs.values() if each.run.admitted and not each.over]
                if running:
                    ended = chance.choice(running)
                    ended.over, ended.version = True, ended.version + 1
            case dice if dice < 0.25 and server.runs:
                chance.choice(list(server.runs.values())).version += 1  # Argo writes
            case dice:
                advance(chance.randrange(2), "before" if dice > 0.97 else "after" if dice > 0.94 else "")
    return settle(server, advance, chance)


def settle(server: Server, advance: Any, chance: random.Random) -> Server:
    """No more crashes: every run that is let go ends, until there is none and nothing stands in the ledger."""
    for _ in range(5000):
        if all(each.over for each in server.runs.values()) and not server.intents:
            return server
        for each in server.runs.values():
            if each.run.admitted and not each.over and chance.random() < 0.1:
                each.over, each.version = True, each.version + 1
        advance(chance.randrange(2))
    raise AssertionError(f"it does not settle: {server.intents}, {server.runs}")
