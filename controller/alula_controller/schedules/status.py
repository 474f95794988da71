"""What a launch plan's status says of its schedule. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.kinds.launch_plans import MOST_SKIPPED
from alula_controller import conditions, timestamps
from alula_controller.schedules.decide import Decided, Decision, State

LONGEST_REASON = 256
MISSED = "missed: no controller was there in time, and catchUp does not ask for it"
UNDER_WAY = "are under way"
"""How the reason ends of a time that the plan's own policy skips."""

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Skipped:
    """A tick at which no run was started, and why."""

    tick: datetime
    reason: str


def by_policy(reason: str) -> bool:
    """Whether a time has no run because the plan wants none while others are under way."""
    return reason.endswith(UNDER_WAY)


def decided(plan: Body) -> Decided | None:
    """How far the schedule of a plan is decided; None for one that was never looked at."""
    found = (plan.get("status") or {}).get("schedule") or {}
    until = timestamps.parse(str(found.get("decided") or ""))
    state = found.get("state")
    if until is None or state not in tuple(State):
        return None
    return Decided(until, str(found.get("timetable") or ""), State(state))


def schedule(plan: Body, decision: Decision, before: Decided | None, skipped: Iterable[Skipped]) -> dict[str, Any]:
    """`status.schedule` after a decision; `before` is what was decided, by the status or by what was taken over."""
    after = decision.decided or before
    assert after is not None, "the first sight of a plan decides"
    old = ((plan.get("status") or {}).get("schedule") or {}).get("skipped") or []
    new = [*skipped, *(Skipped(tick, MISSED) for tick in decision.missed)]
    told = [
        {"tick": timestamps.seconds(each.tick), "reason": conditions.clip(each.reason, LONGEST_REASON)}
        for each in sorted(new, key=lambda each: each.tick, reverse=True)
    ]
    return {
        "decided": timestamps.seconds(after.until),
        "timetable": after.timetable,
        "state": str(after.state),
        "next": timestamps.seconds(decision.tick) if decision.tick is not None else None,
        "skipped": [*told, *old][:MOST_SKIPPED],
    }
