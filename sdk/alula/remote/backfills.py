"""Runs of a launch plan for scheduled times of the past: which there were, which are to be made, and their names.

Called by the command line. The name of a run follows from the plan, the time and how many runs there were for it, so
that the same backfill given twice starts nothing twice.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula.remote import connections
from alula.remote.refusals import refusal
from alula_api.argo import runs
from alula_api.contract import labels, names, ticks, timetables
from alula_api.contract.codes import Code
from alula_api.contract.ticks import Timetable

if TYPE_CHECKING:
    from alula_api.contract.timetables import Schedule
    from alula_api.contract.values import Json

MOST_TICKS = 1_000
LOWEST = "0"
"""The priority of backfills in the domain's queue."""
SUCCEEDED, FAILED = "Succeeded", ("Failed", "Error")


@dataclass(frozen=True)
class Tick:
    """A scheduled time of the past.

    Attributes:
        moment: The time.
        before: The runs that there were for it, the latest last, each with its phase.
        wanted: Whether a run is to be made.
        why: What there is instead, or why one is made.
    """

    moment: datetime.datetime
    before: tuple[tuple[str, str], ...] = ()
    wanted: bool = True
    why: str = "no run"


def between(given: Schedule, begin: datetime.datetime, end: datetime.datetime) -> list[datetime.datetime]:
    """The scheduled times from `begin` on and before `end`.

    Raises:
        RemoteError: they are too many for one backfill.
    """
    walk = ticks.after(Timetable.of(given), begin - datetime.timedelta(microseconds=1))
    found = list(itertools.islice(itertools.takewhile(lambda tick: tick < end, walk), MOST_TICKS + 1))
    if len(found) > MOST_TICKS:
        message = f"there are more than {MOST_TICKS:,} scheduled times between {begin} and {end}"
        raise refusal(message, f"the first {MOST_TICKS:,} are over at {found[-1]:%Y-%m-%dT%H:%M:%SZ}", Code.TOO_LARGE)
    return found


def plan(
    moments: Iterable[datetime.datetime], listed: Iterable[Mapping[str, Any]], name: str, which: str
) -> list[Tick]:
    """What to do for each time.

    Args:
        moments: The scheduled times.
        listed: The metadata of the launch plan's runs.
        name: The launch plan.
        which: `missing` (those without a run that succeeded or is under way), `failed` (those whose last run failed),
            or `all`.
    """
    there: dict[str, list[tuple[str, str, str]]] = {}
    for each in listed:
        tick = _tick(each, name)
        if tick:
            phase = str((each.get("labels") or {}).get(runs.PHASE_LABEL) or "Pending")
            there.setdefault(tick, []).append((str(each.get("creationTimestamp") or ""), str(each["name"]), phase))
    found = []
    for moment in moments:
        before = tuple((run, phase) for _, run, phase in sorted(there.get(timetables.instant(moment), ())))
        wanted, why = _choose(before, which)
        found.append(Tick(moment, before, wanted, why))
    return found


def _tick(metadata: Mapping[str, Any], plan: str) -> str:
    """The scheduled time of a run; empty for none. One of a schedule of Argo's has it in its name alone."""
    noted = str((metadata.get("annotations") or {}).get(labels.TICK) or "")
    if noted:
        return noted
    ending = str(metadata["name"]).removeprefix(f"{names.launch_plan_template(plan)}-")
    if not (ending.isascii() and ending.isdecimal() and len(ending) <= 10):
        return ""
    return timetables.instant(datetime.datetime.fromtimestamp(int(ending), datetime.UTC))


def _choose(before: tuple[tuple[str, str], ...], which: str) -> tuple[bool, str]:
    if not before:
        return which != "failed", "no run"
    good = [run for run, phase in before if phase == SUCCEEDED]
    going = [run for run, phase in before if phase not in (SUCCEEDED, *FAILED)]
    run, phase = before[-1]
    told = f"{run} {phase.lower()}"
    if which == "all":
        return True, told
    if good:
        return False, f"{good[-1]} succeeded"
    if going:
        return False, f"{going[-1]} is under way"
    return True, told


def run_name(name: str, tick: Tick) -> str:
    """The name of the run for a scheduled time."""
    return names.backfill_run(name, round(tick.moment.timestamp()), len(tick.before))


def manifest(name: str, given: Schedule, tick: Tick) -> dict[str, Json]:
    """The run for a scheduled time."""
    moment = timetables.instant(tick.moment)
    spec: dict[str, Json] = {"workflowTemplateRef": {"name": names.launch_plan_template(name)}}
    if given.input:
        spec["arguments"] = {"parameters": [{"name": given.input, "value": timetables.value(given, tick.moment)}]}
    notes: dict[str, Json] = {
        labels.TICK: moment,
        labels.PRIORITY: LOWEST,
        labels.BACKFILL: "true",
        labels.REASON: f"backfill for {moment} by `alula backfill`",
    }
    metadata: dict[str, Json] = {"name": run_name(name, tick), "annotations": notes}
    return {"apiVersion": connections.ARGO, "kind": "Workflow", "metadata": metadata, "spec": spec}
