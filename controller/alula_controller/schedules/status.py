"""What a launch plan's status says of its schedule and of its latest runs. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import runs
from alula_api.contract import labels
from alula_api.kinds.launch_plans import MOST_RUNS, MOST_SKIPPED
from alula_controller import conditions, timestamps
from alula_controller.schedules.decide import Decided, Decision, State

LONGEST_REASON = 256
MISSED = "missed: no controller was there in time, and catchUp does not ask for it"
UNDER_WAY = "are under way"
"""How the reason ends of a time that the plan's own policy skips."""
ENDED = ("Succeeded", "Failed", "Error")
SUCCEEDED = "Succeeded"

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


def unfinished(plan: Body) -> list[str]:
    """The runs whose end the status does not tell yet."""
    listed = (plan.get("status") or {}).get("runs") or []
    return [str(each["name"]) for each in listed if each.get("phase") not in ENDED]


def latest(plan: Body, found: Mapping[str, Body | None]) -> dict[str, Any]:
    """`status.runs`, `lastSuccess` and `currentFailure`, with the runs that were read just now (None: it is gone)."""
    status = plan.get("status") or {}
    listed = {str(each["name"]): dict(each) for each in status.get("runs") or []}
    for name, body in found.items():
        if body is not None:
            listed[name] = _entry(body["metadata"])
        elif name in listed and listed[name].get("phase") not in ENDED:
            del listed[name]  # it went before its end was seen
    ordered = sorted(listed.values(), key=lambda each: (each["created"], each["name"]), reverse=True)
    good = [each for each in ordered if each["phase"] == SUCCEEDED]
    last = status.get("lastSuccess")
    best = max([*good[:1], *([last] if last else [])], key=lambda each: (each["created"], each["name"]), default=None)
    before = status.get("currentFailure")
    failure = _failure(ordered, before)
    return {
        "runs": ordered[:MOST_RUNS],
        **({"lastSuccess": best} if best else {}),
        **({"currentFailure": failure} if failure or before else {}),
    }


def _failure(ordered: Sequence[Mapping[str, str]], before: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """The latest run that ended, if it failed, and since when they do; what stood there, while none is known."""
    ended = [each for each in ordered if each.get("phase") in ENDED and not each.get("outcome")]
    if not ended:
        return before
    row = [*itertools.takewhile(lambda each: each["phase"] != SUCCEEDED, ended)]
    if not row:
        return None
    since = row[-1]["created"]
    if before is not None and len(row) == len(ended):  # the first of them may have left the list
        since = min(since, before["since"])
    return {"name": row[0]["name"], "phase": row[0]["phase"], "since": since}


def _entry(metadata: Body) -> dict[str, str]:
    marks, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    entry = {
        "name": str(metadata["name"]),
        "phase": str(marks.get(runs.PHASE_LABEL) or "Pending"),
        "created": str(metadata.get("creationTimestamp") or ""),
    }
    if outcome := str(marks.get(labels.OUTCOME) or ""):
        entry["outcome"] = outcome
    tick = str(notes.get(labels.TICK) or "")
    return (
        {**entry, "tick": tick} if timestamps.parse(tick) is not None and len(tick) <= len(entry["created"]) else entry
    )


def differs(plan: Body, patch: Mapping[str, Any]) -> bool:
    """Whether a merge patch of the status would change anything."""
    status = plan.get("status") or {}
    for name, value in patch.items():
        old = status.get(name)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if any(old.get(key) != each for key, each in value.items()):
                return True
        elif value != old and not (old is None and not value):
            return True
    return False
