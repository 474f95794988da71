"""The run that a launch plan gets for a tick, and what of an existing schedule of the engine's is taken over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alula_api.contract import labels, names, timetables
from alula_api.contract.ticks import Timetable
from alula_api.contract.timetables import Schedule
from alula_controller import timestamps
from alula_controller.cluster import resources
from alula_controller.schedules.decide import Decided

CRON_LABEL = "workflows.argoproj.io/cron-workflow"
"""Of Argo's: the CronWorkflow that started a run."""

Body = Mapping[str, Any]


def run(plan: Body, schedule: Schedule, tick: datetime) -> dict[str, Any]:
    """The run of a plan for a tick; its name follows from both."""
    metadata = plan["metadata"]
    text = timetables.instant(tick)
    spec: dict[str, Any] = {"workflowTemplateRef": {"name": names.launch_plan_template(metadata["name"])}}
    if schedule.input:
        value = timetables.value(schedule, tick)
        spec["arguments"] = {"parameters": [{"name": schedule.input, "value": value}]}
    return resources.run(
        metadata["namespace"],
        names.scheduled_run(metadata["name"], round(tick.timestamp())),
        spec,
        {labels.TICK: text, labels.REASON: f"scheduled for {text}"},
        {labels.LAUNCH_PLAN: metadata["name"], labels.OWNER_UID: metadata["uid"]},
    )


def answers(found: Body, wanted: Body) -> bool:
    """Whether a run that has the name of one that is wanted was started for the same tick: by us, or by the
    CronWorkflow that we took over."""
    metadata, mine = found.get("metadata") or {}, wanted["metadata"]
    marks, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if marks.get(CRON_LABEL) == wanted["spec"]["workflowTemplateRef"]["name"]:
        return True
    same_plan = marks.get(labels.OWNER_UID) == mine["labels"][labels.OWNER_UID]
    return bool(same_plan and notes.get(labels.TICK) == mine["annotations"][labels.TICK])


def taken_over(cron: Body, schedule: Schedule) -> Decided | None:
    """How far the CronWorkflow of an earlier version has decided the schedule; None where it is no guide.

    It has started runs up to its last scheduled time, or since it was made, and a run that it starts from now on has
    the name that we would give it.
    """
    metadata, spec = cron.get("metadata") or {}, cron.get("spec") or {}
    marks = metadata.get("labels") or {}
    if marks.get(labels.MANAGED_BY) != labels.MANAGER or spec.get("suspend"):
        return None
    same = tuple(spec.get("schedules") or ()) == schedule.lines and str(spec.get("timezone") or "") == schedule.zone
    last = str((cron.get("status") or {}).get("lastScheduledTime") or metadata.get("creationTimestamp") or "")
    until = timestamps.parse(last)
    return Decided(until, Timetable.of(schedule).digest()) if same and until is not None else None
