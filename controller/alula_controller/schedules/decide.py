"""Which ticks of a launch plan start runs now. Pure: time is a parameter, what was decided before is given.

A tick is decided once: its run has a name that follows from plan and tick, and the plan's status says up to which tick
all are decided, because a name is free again when retention has collected the run. A controller that is killed after
a run was made and before the status was written makes the same run again, which its name refuses. The first sight of a
plan, of a changed timetable and of a plan that fires again records and fires nothing: a cluster rebuilt from git must
not start every plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from alula_api.contract import ticks
from alula_api.contract.ticks import Timetable
from alula_api.contract.timetables import CatchUp

ON_TIME = timedelta(minutes=5)
"""A tick that is decided so much later counts as on time: replicas change, and machines are busy."""
MAX_FIRED = 20
"""Runs that one decision starts; the ticks after them are decided next."""
MAX_LOOKED_AT = 10_000
"""Ticks that one decision looks at."""


class State(StrEnum):
    """Whether a plan fires."""

    ACTIVE = "Active"
    SUSPENDED = "Suspended"  # by the plan, by hand, or with the whole domain
    DISABLED = "Disabled"  # no plan of the domain fires


@dataclass(frozen=True)
class Decided:
    """What a plan's status says: all ticks up to `until`, of the timetable with this digest, are decided."""

    until: datetime
    timetable: str
    state: State = State.ACTIVE


@dataclass(frozen=True)
class Plan:
    """A launch plan's schedule, and how far it is decided (None: it was never looked at)."""

    uid: str
    timetable: Timetable
    state: State = State.ACTIVE
    catch_up: CatchUp = CatchUp.NONE
    window: timedelta = timedelta(days=1)
    decided: Decided | None = None


@dataclass(frozen=True)
class Decision:
    """What to do: create the runs of `fire`, then write `decided`; look again at `next` (never, if None).

    Attributes:
        fire: The ticks that start runs.
        missed: The latest ticks that do not, because they are too late.
        skipped: How many do not.
        decided: What the status is to say; None where it says so already.
        next: When to look again.
        tick: The next tick, whose run may start later by the jitter.
    """

    fire: tuple[datetime, ...] = ()
    missed: tuple[datetime, ...] = ()
    skipped: int = 0
    decided: Decided | None = None
    next: datetime | None = field(default=None)
    tick: datetime | None = None


def decide(plan: Plan, now: datetime, noticed: datetime | None = None) -> Decision:
    """The runs to start at `now`, and what is decided with them.

    Args:
        plan: The plan.
        now: The moment.
        noticed: When it was noticed that a tick has come, by a controller that has acted ever since: how late a tick
            is counts up to then, so that none is late because others had to be decided first.
    """
    digest = plan.timetable.digest()
    before = plan.decided
    if before is None or (before.timetable, before.state) != (digest, plan.state):
        began = now if before is None else max(now, before.until)
        return _waiting(plan, Decided(began, digest, plan.state), began)
    if plan.state != State.ACTIVE:
        return Decision()
    due, more = _come(plan, before.until, now)
    fire = _chosen(plan, due, min(now, noticed or now))
    if len(fire) > MAX_FIRED:
        due = [tick for tick in due if tick < fire[MAX_FIRED]]
        fire, more = fire[:MAX_FIRED], True
    missed = [tick for tick in due if tick not in fire]
    until = due[-1] if due else before.until
    decision = _waiting(plan, Decided(until, digest, plan.state) if due else None, until)
    return Decision(
        tuple(fire),
        tuple(missed[-MAX_FIRED:]),
        len(missed),
        decision.decided,
        now if more else decision.next,
        decision.tick,
    )


def _waiting(plan: Plan, decided: Decided | None, after: datetime) -> Decision:
    """Nothing but to wait for the first tick after `after`."""
    tick = next(ticks.after(plan.timetable, after), None) if plan.state == State.ACTIVE else None
    due = None if tick is None else tick + ticks.delay(plan.timetable, plan.uid, tick)
    return Decision(decided=decided, next=due, tick=tick)


def _come(plan: Plan, after: datetime, now: datetime) -> tuple[list[datetime], bool]:
    """The ticks after `after` whose time has come, and whether there are more of them than one decision looks at."""
    found: list[datetime] = []
    for tick in ticks.after(plan.timetable, after):
        if tick + ticks.delay(plan.timetable, plan.uid, tick) > now:
            return found, False
        if len(found) == MAX_LOOKED_AT:
            return found, True
        found.append(tick)
    return found, False


def _chosen(plan: Plan, due: list[datetime], now: datetime) -> list[datetime]:
    on_time = [tick for tick in due if _late(plan, tick, now) <= ON_TIME]
    match plan.catch_up:
        case CatchUp.NONE:
            return on_time
        case CatchUp.LAST:
            recent = [tick for tick in due if _late(plan, tick, now) <= max(plan.window, ON_TIME)]
            return on_time or recent[-1:]
        case CatchUp.ALL:
            return [tick for tick in due if _late(plan, tick, now) <= max(plan.window, ON_TIME)]


def _late(plan: Plan, tick: datetime, now: datetime) -> timedelta:
    return now - tick - ticks.delay(plan.timetable, plan.uid, tick)
