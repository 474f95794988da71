"""Which of a domain's waiting runs may start now, in which order the others follow, and why each waits. Pure.

The controller decides by it, `alula queue` shows it. Order: forced runs, then priority (strict; where the domain ages
runs, it grows with waiting), within it fair share between plans by their weight (runs without a plan: between people),
within a share age. A run that its own plan's or label's limit holds back is passed over.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract import durations, jsontext, quantities
from alula_api.contract.graphs import json_fields
from alula_api.contract.problems import InvalidValue

QUEUE, SKIP, REPLACE = "Queue", "Skip", "Replace"
"""What a launch plan's `concurrency.policy` may be."""
MAX_PRIORITY = 100
"""Of runs, where a domain says nothing."""
MAX_WEIGHT = 1000
MAX_INTENTS = 100
"""Runs that may be chosen and not let go yet; the Domain's status holds as many."""
MAX_PASSED = 10
"""How often a run that lacks resources is passed over, where a domain says nothing."""
POOL_RESERVE = 2
"""Runs beyond a pool's limit that may be let go, so that a place that becomes free is taken at once. Argo writes every
node that waits for a pool once a second, and carries about thirty of them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a launch plan (or a workflow, for its runs without a plan) asks of the queue.

    Attributes:
        priority: Of its runs; a higher one comes first.
        weight: Its share beside other plans of the same priority.
        running: How many of its runs may run at a time; None for any number.
        queue_seconds: How long a run may wait; None for ever.
        policy: What becomes of a run when as many as `running` are under way: it waits, is skipped, or takes the
            place of the oldest of them, which ends.
    """

    priority: int = 0
    weight: int = 1
    running: int | None = None
    queue_seconds: int | None = None
    policy: str = ""

    @classmethod
    def of(
        cls, priority: int | None, weight: int | None, running: int | None, timeout: str | None, policy: str = ""
    ) -> Terms:
        """From the fields of a launch plan, None where they are absent."""
        waits = math.ceil(durations.seconds(timeout)) if timeout else None
        return cls(priority or 0, weight or 1, running, waits, policy if policy != QUEUE else "")

    @property
    def skips(self) -> bool:
        """Whether a run beyond the limit is to end at once."""
        return self.policy == SKIP and self.running is not None

    @property
    def replaces(self) -> bool:
        """Whether a run beyond the limit ends an older one."""
        return self.policy == REPLACE and self.running is not None

    def to_text(self) -> str:
        """As they stand in an annotation; empty if they say nothing."""
        return jsontext.dumps_sorted(json_fields.to_json(self)) if self != Terms() else ""

    @classmethod
    def from_text(cls, text: str) -> Terms:
        """Read what `to_text` wrote; what cannot be read says nothing."""
        try:
            return json_fields.from_json(cls, jsontext.parse(text)) if text else cls()
        except InvalidValue:
            return cls()


@dataclass(frozen=True, slots=True)
class LabelLimit:
    """How many runs with the same value of a label may run at a time."""

    key: str
    limit: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What a domain allows.

    Attributes:
        running: Runs at a time; None for any number.
        queued: The longest queue; None for any length. The newest runs beyond it are refused.
        limits: For runs with the same value of a label.
        max_priority: To which every priority is cut.
        aging_seconds: Each time that a run has waited for so long again, its priority counts one higher; None: never.
        suspended: Nothing starts.
        pools: How many tasks may be in a pool at a time, over all runs.
        resources: What all runs together may request, in `quantities.ONE`s, by the estimates of their peaks.
        max_passed: How often a run that lacks resources is passed over; then what becomes free is kept for it.
    """

    running: int | None = None
    queued: int | None = None
    limits: tuple[LabelLimit, ...] = ()
    max_priority: int = MAX_PRIORITY
    aging_seconds: float | None = None
    suspended: bool = False
    pools: Mapping[str, int] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    max_passed: int = MAX_PASSED

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Quota | None:
        """That of a Domain's `spec`; None for a domain in which no run waits.

        Raises:
            ValueError: The API server would refuse this spec.
        """
        given = spec.get("quota") or {}
        pools = {str(each["name"]): int(each["limit"]) for each in spec.get("pools") or ()}
        resources = amounts(spec.get("resources") or {})
        if not (given or spec.get("suspend") or pools or resources):
            return None
        aging = given.get("agingAfter")
        return cls(
            given.get("running"),
            given.get("queued"),
            tuple(LabelLimit(str(each["key"]), int(each["limit"])) for each in given.get("limits") or ()),
            int(given.get("maxPriority", MAX_PRIORITY)),
            durations.seconds(aging) or None if aging else None,
            bool(spec.get("suspend")),
            pools,
            resources,
            int(given.get("maxPassed", MAX_PASSED)),
        )


def amounts(given: Mapping[str, Any]) -> dict[str, int]:
    """Quantities by their names, in `quantities.ONE`s; without those that are none."""
    found = {str(name): quantities.amount(str(text)) for name, text in given.items()}
    return {name: amount for name, amount in found.items() if amount is not None}


@dataclass(frozen=True, slots=True)
class Run:
    """An unfinished run, by its metadata.

    Attributes:
        uid: The run's.
        name: The run's.
        created: Seconds since the epoch.
        plan: Its launch plan; empty for none.
        person: Who started it, where known.
        labels: Its labels.
        priority: Its own, where it was started with one; else the plan's counts.
        forced: Whether an operator lets it go whatever the limits say.
        admitted: Whether it was let go already.
        ending: Whether its end was asked for; it counts until it is over and its pods are gone.
        pools: The pools in which its tasks take places.
        needs: What it requests at its peak, estimated, in `quantities.ONE`s.
        terms: Of its plan.
    """

    uid: str
    name: str
    created: float
    plan: str = ""
    person: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    forced: bool = False
    admitted: bool = False
    ending: bool = False
    terms: Terms = Terms()
    pools: tuple[str, ...] = ()
    needs: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> tuple[str, str]:
        """What it has its fair share with."""
        return ("plan", self.plan) if self.plan else ("person", self.person)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits: its place among those that wait, from 1, and what holds it back."""

    run: Run
    rank: int
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of the runs that are not admitted yet.

    Attributes:
        admit: To start now, in this order.
        refuse: Never to start, with the reason.
        skip: The same, because their launch plan skips what is beyond its limit.
        replace: To end, let go or not, because a newer run of their launch plan takes their place.
        passed: How often each waiting run that lacks resources was passed over, by its uid, where it was.
        waiting: The others, by rank.
        again: Seconds after which time alone may change something; None for never.
    """

    admit: tuple[Run, ...] = ()
    refuse: tuple[tuple[Run, str], ...] = ()
    waiting: tuple[Waiting, ...] = ()
    again: float | None = None
    skip: tuple[tuple[Run, str], ...] = ()
    replace: tuple[tuple[Run, str], ...] = ()
    passed: Mapping[str, int] = field(default_factory=dict)


def choose(
    runs: Iterable[Run],
    intended: Iterable[str],
    quota: Quota,
    now: float,
    *,
    most: int = 100,
    passed: Mapping[str, int] | None = None,
) -> Choice:
    """Decide for all unfinished runs of a domain.

    Args:
        runs: Unfinished runs, admitted and waiting.
        intended: Uids of waiting runs that were chosen before and count as running.
        quota: What the domain allows.
        now: Seconds since the epoch.
        most: Runs to admit at once.
        passed: How often runs that lack resources were passed over before, by their uids.
    """
    chosen_before = set(intended)
    used = _Used(quota)
    going, waiting = [], []
    for run in runs:
        if run.admitted or run.uid in chosen_before:
            used.add(run)
            going.append(run)
        else:
            waiting.append(run)
    refused = [(run, f"it waited for longer than {run.terms.queue_seconds:g} s") for run in waiting if _over(run, now)]
    refused += [(run, f"it can never start: {why}") for run in waiting if (why := _too_large(run, quota))]
    refused = list({run.uid: (run, why) for run, why in reversed(refused)}.values())
    gone = {run.uid for run, _ in refused}
    replaced = () if quota.suspended else tuple(_replaced(going, [run for run in waiting if run.uid not in gone]))
    gone |= {run.uid for run, _ in replaced}
    line = _Line([run for run in waiting if run.uid not in gone], quota, now)
    over = Counter(passed or {})
    admit = list(line.take(used, most, over))
    rest = line.rest(used)
    skipped = [(run, f"skipped: {used.held_back_by_plan(run)}") for run in rest if run.terms.skips]
    skipped = [(run, reason) for run, reason in skipped if reason != "skipped: "]
    gone |= {run.uid for run, _ in skipped}
    refused += _beyond([run for run in rest if run.uid not in gone], quota)
    gone |= {run.uid for run, _ in refused}
    kept = [run for run in rest if run.uid not in gone]
    ranked = tuple(Waiting(run, rank, used.obstacle(run) or line.kept or ENOUGH) for rank, run in enumerate(kept, 1))
    counts = {run.uid: over[run.uid] for run in kept if over[run.uid]}
    return Choice(tuple(admit), tuple(refused), ranked, _again(kept, quota, now), tuple(skipped), replaced, counts)


def _too_large(run: Run, quota: Quota) -> str:
    """Why the domain's resources never hold a run, if so."""
    for name, most in quota.resources.items():
        if not run.forced and run.needs.get(name, 0) > most:
            need, bound = quantities.text(name, run.needs[name]), quantities.text(name, most)
            return f"its estimated peak is {need} of {name}, and the domain's runs may request {bound} together"
    return ""


def _replaced(going: Iterable[Run], waiting: Iterable[Run]) -> Iterator[tuple[Run, str]]:
    """Runs whose place newer ones of their plan take: the plan keeps as many of the newest as its limit says.

    A run that was chosen and is not let go yet is left alone until it is.
    """
    plans: dict[str, list[Run]] = {}
    for run in waiting:
        if run.plan and run.terms.replaces and not run.forced:
            plans.setdefault(run.plan, []).append(run)
    under_way: dict[str, list[Run]] = {plan: [] for plan in plans}
    for run in going:
        if run.plan in plans and run.terms.replaces:
            under_way[run.plan].append(run)
    for plan, new in plans.items():
        newest = sorted(new, key=_age, reverse=True)
        most = newest[0].terms.running or 1
        reason = f"replaced: {newest[0].name} is newer, and launch plan {plan} runs {most} at a time"
        yield from ((run, reason) for run in newest[most:])
        stays = sorted(under_way[plan], key=_age, reverse=True)[max(0, most - len(newest)) :]
        yield from ((run, reason) for run in stays if run.admitted and not run.ending)


def _age(run: Run) -> tuple[float, str]:
    return run.created, run.uid


ENOUGH = "others come first for now"


class _Used:
    """What the runs that count take of the limits."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self.running = 0
        self.shares: Counter[tuple[str, str]] = Counter()
        self._plans: Counter[str] = Counter()
        self._labels: Counter[tuple[str, str]] = Counter()
        self._pools: Counter[str] = Counter()
        self._needs: Counter[str] = Counter()

    def add(self, run: Run) -> None:
        self._pools.update(run.pools)
        self._needs.update(run.needs)
        self.running += 1
        self.shares[run.share] += 1
        self._plans[run.plan] += 1
        self._labels.update((each.key, run.labels[each.key]) for each in self._quota.limits if each.key in run.labels)

    def full(self) -> str:
        """Why no run of the domain may start, if none may."""
        if self._quota.suspended:
            return "the domain is suspended"
        most = self._quota.running
        return (
            f"{self.running} of {most} runs of the domain are running"
            if most is not None and self.running >= most
            else ""
        )

    def held_back(self, run: Run) -> str:
        """Why this run must be passed over, if it must."""
        if by_plan := self.held_back_by_plan(run):
            return by_plan
        for each in self._quota.limits:
            value = run.labels.get(each.key)
            if value is not None and self._labels[each.key, value] >= each.limit:
                return f"{self._labels[each.key, value]} of {each.limit} runs with {each.key}={value} are running"
        for pool in run.pools:
            limit = self._quota.pools.get(pool)
            if limit is not None and self._pools[pool] >= limit + POOL_RESERVE:
                return f"{self._pools[pool]} runs are running with tasks in the pool {pool}, which holds {limit}"
        return ""

    def lacks(self, run: Run) -> str:
        """The resource of which there is not enough for this run, if so."""
        for name, most in self._quota.resources.items():
            need = run.needs.get(name, 0)
            if need and self._needs[name] + need > most:
                used, bound = quantities.text(name, self._needs[name]), quantities.text(name, most)
                needed = quantities.text(name, need)
                return f"it needs {needed} of {name}, and runs have {used} of the domain's {bound}"
        return ""

    def held_back_by_plan(self, run: Run) -> str:
        """Why its launch plan has it passed over, if it has."""
        most = run.terms.running
        if run.plan and most is not None and self._plans[run.plan] >= most:
            return f"{self._plans[run.plan]} of {most} runs of launch plan {run.plan} are running"
        return ""

    def obstacle(self, run: Run) -> str:
        return self.held_back(run) or self.full() or self.lacks(run)


class _Line:
    """Waiting runs: those of a priority before those of a lower one, shares in turn, the oldest of a share first."""

    def __init__(self, waiting: Iterable[Run], quota: Quota, now: float) -> None:
        self.kept = ""  # why no run starts that nothing else holds back, if so
        self._max_passed = quota.max_passed
        self._forced: list[Run] = []
        self._levels: dict[int, dict[tuple[str, str], list[Run]]] = {}
        for run in sorted(waiting, key=_age):
            if run.forced:
                self._forced.append(run)
            else:
                level = self._levels.setdefault(priority(run, quota, now), {})
                level.setdefault(run.share, []).append(run)

    def take(self, used: _Used, most: int, over: Counter[str]) -> Iterator[Run]:
        """Those that may start, one after the other; each counts from then on.

        Args:
            used: What the runs that count take; grows.
            most: So many at most.
            over: How often each run that lacks resources was passed over; grows. When one was often enough, none
                that comes after it starts.
        """
        for run in self._forced:
            used.add(run)
            yield run
        lacking: dict[str, Run] = {}
        for level in sorted(self._levels, reverse=True):
            for share in self._turns(level, used):
                if most <= 0 or used.full():
                    return
                for run in self._levels[level][share]:
                    if used.held_back(run):
                        continue
                    if used.lacks(run):
                        lacking[run.uid] = run
                        if self._keeps(run, over):
                            return
                        continue
                    self._levels[level][share].remove(run)
                    used.add(run)
                    most -= 1
                    yield run
                    over.update(lacking.keys())
                    if any(self._keeps(each, over) for each in lacking.values()):
                        return
                    break

    def _keeps(self, run: Run, over: Counter[str]) -> bool:
        """Whether what becomes free is kept for a run, because it was passed over often enough."""
        if over[run.uid] < self._max_passed:
            return False
        self.kept = f"what becomes free is kept for run {run.name}, which was passed over {self._max_passed} times"
        return True

    def _turns(self, level: int, used: _Used) -> Iterator[tuple[str, str]]:
        """Whose turn it is, again and again: the share with the fewest runs for its weight, then the oldest run."""
        shares = self._levels[level]
        heap = [(self._load(share, level, used), shares[share][0].created, share) for share in shares]
        heapq.heapify(heap)
        while heap:
            _, _, share = heapq.heappop(heap)
            before = len(shares[share])
            yield share
            if shares[share] and len(shares[share]) < before:  # else it is empty, or all it has is held back
                heapq.heappush(heap, (self._load(share, level, used), shares[share][0].created, share))

    def _load(self, share: tuple[str, str], level: int, used: _Used) -> float:
        return (used.shares[share] + 1) / max(1, self._levels[level][share][0].terms.weight)

    def rest(self, used: _Used) -> list[Run]:
        """Those that are left, in the order in which they would start if only the domain's own limit held them."""
        order: list[Run] = []
        counted = Counter(used.shares)
        for level in sorted(self._levels, reverse=True):
            lines = {share: list(reversed(runs)) for share, runs in self._levels[level].items() if runs}
            heap = [self._place(share, line, counted) for share, line in lines.items()]
            heapq.heapify(heap)
            while heap:
                _, _, share = heapq.heappop(heap)
                order.append(lines[share].pop())
                counted[share] += 1
                if lines[share]:
                    heapq.heappush(heap, self._place(share, lines[share], counted))
        return order

    @staticmethod
    def _place(
        share: tuple[str, str], line: list[Run], counted: Counter[tuple[str, str]]
    ) -> tuple[float, float, tuple[str, str]]:
        return (counted[share] + 1) / max(1, line[-1].terms.weight), line[-1].created, share


def priority(run: Run, quota: Quota, now: float) -> int:
    """What a run's priority counts as now."""
    given = min(run.terms.priority if run.priority is None else run.priority, quota.max_priority)
    waited = max(0.0, now - run.created)
    return given + (int(waited // quota.aging_seconds) if quota.aging_seconds else 0)


def _over(run: Run, now: float) -> bool:
    return not run.forced and run.terms.queue_seconds is not None and now - run.created > run.terms.queue_seconds


def _beyond(rest: list[Run], quota: Quota) -> list[tuple[Run, str]]:
    """The newest runs beyond the longest queue."""
    if quota.queued is None or len(rest) <= quota.queued:
        return []
    newest = sorted(rest, key=_age)[quota.queued :]
    return [(run, f"the queue of the domain is full: {quota.queued} runs wait") for run in newest]


def _again(kept: Iterable[Run], quota: Quota, now: float) -> float | None:
    moments = [run.created + run.terms.queue_seconds for run in kept if run.terms.queue_seconds is not None]
    if quota.aging_seconds:
        moments += [now + quota.aging_seconds - max(0.0, now - run.created) % quota.aging_seconds for run in kept]
    return max(0.001, min(moments) - now) if moments else None


_ROUGH = {30: "30s", 60: "1m", 120: "2m", 300: "5m", 600: "10m", 1800: "30m", 3600: "1h", 7200: "2h", 18000: "5h"}


def rough(seconds: float) -> str:
    """Return a wait that is guessed as `10m`, rounded up."""
    return next((text for most, text in _ROUGH.items() if seconds <= most), "many hours")
