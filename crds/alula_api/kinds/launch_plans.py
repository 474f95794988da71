"""The kind `LaunchPlan`: a Workflow with inputs, some of them fixed, and a schedule."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic

from alula_api.contract import events, names
from alula_api.contract.notices import MAX_PLACES
from alula_api.contract.queue import MAX_PRIORITY, MAX_WEIGHT
from alula_api.kinds.fields import (
    Count,
    Duration,
    JsonText,
    Label,
    Listed,
    Parameter,
    Part,
    Positive,
    ReleaseVersion,
    Text,
    Whole,
    Word,
    bounded,
)
from alula_api.kinds.resources import AGE, MESSAGE, READY, Column, Kind, Resource, RunsStatus, label_name
from alula_api.kinds.workflows import MAX_PARAMETERS

Cron = Annotated[str, bounded(128)]
TimeZone = Annotated[str, bounded(64, "^[A-Za-z0-9_+/-]+$")]
Instant = Annotated[
    str, bounded(40, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$")
]
MOST_SKIPPED = 20
MOST_LOST = 10
MOST_OWED = 4 * MAX_PLACES


class InputValue(Part):
    """A value for an input of the workflow."""

    name: Parameter
    value: JsonText = pydantic.Field(
        description="canonical JSON text; for a text input, what is not a JSON string is taken as it stands"
    )


class Schedule(Part):
    """When to start runs."""

    cron: Annotated[list[Cron], Listed(20, unique=True)] = pydantic.Field(
        [], description="five fields, or @daily and the like"
    )
    every: Duration | None = pydantic.Field(None, description="an interval, counted from `starts`; in whole seconds")
    timezone: TimeZone | None = pydantic.Field(None, description="IANA name; UTC when absent")
    starts: Instant | None = pydantic.Field(None, description="nothing starts before it: 2026-11-29T02:00:00Z")
    ends: Instant | None = pydantic.Field(None, description="nothing starts at or after it")
    jitter: Duration | None = pydantic.Field(
        None, description="by which a run starts later than its scheduled time at most"
    )
    input: Parameter | None = pydantic.Field(
        None, description="the input that gets the scheduled time: a datetime, a date or a text"
    )
    catch_up: Literal["None", "Last", "All"] | None = pydantic.Field(
        None, description="what becomes of times that were missed while no controller was there; None when absent"
    )
    within: Duration | None = pydantic.Field(
        None, description="for how long a missed time is worth catching up with; 1d when absent"
    )


class TriggerInput(Part):
    """An input that gets an output of the run that ended."""

    name: Parameter
    output: Parameter


PayloadPath = Annotated[str, bounded(events.MAX_PATH, events.PATH)]


class EventCondition(Part):
    """A part of an event's payload that has to be one of some values."""

    path: PayloadPath = pydantic.Field(
        description="names of members, or numbers of items from 0, with dots between: `Records.0.s3.object.key`"
    )
    values: Annotated[list[JsonText], Listed(20, least=1)] = pydantic.Field(
        description="JSON texts of texts, numbers, true, false or null; what is no JSON is a text as it stands"
    )


class EventInput(Part):
    """An input that gets a part of an event's payload."""

    name: Parameter
    path: PayloadPath = pydantic.Field(description="as in `where`; `$` is the whole payload")


class TriggerEvent(Part):
    """Events from outside that start runs, sent to Argo's server at `/api/v1/events/<namespace>/<name>`."""

    name: Label = pydantic.Field(description="as in the address")
    where: Annotated[list[EventCondition], Listed(20, key="path")] = pydantic.Field(
        [], description="what has to be so; a run of another event ends as skipped"
    )
    inputs: Annotated[list[EventInput], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="what the run gets of the payload; an input whose part is not there has its default"
    )
    delivery: PayloadPath | None = pydantic.Field(
        None, description="the part of the payload that is the same when an event is sent twice; all of it when absent"
    )
    delivery_header: Annotated[str, bounded(events.MAX_PATH, "^x-[a-z0-9-]+$")] | None = pydantic.Field(
        None, description="the header that is the same when an event is sent twice"
    )


class Trigger(Part):
    """What starts runs beside a schedule."""

    launch_plan: Label | None = pydantic.Field(None, description="the launch plan whose runs do when they end")
    workflow: Label | None = pydantic.Field(None, description="the Workflow whose runs do when they end")
    domain: Label | None = pydantic.Field(
        None,
        description="of the same project, whose runs do, if this domain's Domain lists it; its own domain when absent",
    )
    when: Literal["Succeeded", "Failed", "Ended"] | None = pydantic.Field(
        None, description="how they have to end; Succeeded when absent"
    )
    inputs: Annotated[list[TriggerInput], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="what the new run gets of the one that ended"
    )
    release: bool | None = pydantic.Field(None, description="true: a new revision of the workflow starts one too")
    event: TriggerEvent | None = pydantic.Field(None, description="events from outside that start runs")


class Concurrency(Part):
    """How many runs of a launch plan run at a time."""

    limit: Positive = pydantic.Field(description="runs at a time")
    policy: Literal["Queue", "Skip", "Replace"] | None = pydantic.Field(
        None, description="what becomes of more: they wait, end at once, or end the oldest that runs; Queue when absent"
    )


class Retention(Part):
    """How long runs of a launch plan are kept, where that is shorter than the domain keeps them."""

    succeeded: Duration | None = pydantic.Field(None, description="runs that succeeded; the domain's when absent")
    failed: Duration | None = pydantic.Field(None, description="all others; the domain's when absent")


class Notification(Part):
    """A place of the domain that is told of runs."""

    place: Label = pydantic.Field(description="one of the Domain's notifications, by name")
    when: Annotated[list[Literal["Succeeded", "Failed", "Recovered", "Late", "Queued"]], Listed(5, unique=True)] = (
        pydantic.Field([], description="of what it is told; Failed and Recovered when there is none")
    )
    late_after: Duration | None = pydantic.Field(
        None, description="with Late: after its scheduled time, when a run that has not ended is late"
    )
    queued_for: Duration | None = pydantic.Field(
        None, description="with Queued: when a run has waited in the queue for too long"
    )


class LaunchPlanSpec(Part):
    """What a LaunchPlan should be."""

    workflow: Label = pydantic.Field(description="the Workflow of the same namespace")
    version: ReleaseVersion | None = pydantic.Field(None, description="of the Workflow that it came with")
    description: Text | None = None
    inputs: Annotated[list[InputValue], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="defaults that who starts a run may replace"
    )
    fixed_inputs: Annotated[list[InputValue], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="values that cannot be replaced"
    )
    schedule: Schedule | None = None
    suspend: bool | None = pydantic.Field(None, description="true: schedule and trigger start nothing")
    trigger: Trigger | None = None
    concurrency: Concurrency | None = None
    priority: Annotated[int, Whole(0, MAX_PRIORITY)] | None = pydantic.Field(
        None, description="in the domain's queue: a run of a higher one comes first; 0 when absent"
    )
    weight: Annotated[int, Whole(1, MAX_WEIGHT)] | None = pydantic.Field(
        None, description="its share in the queue beside other plans of the same priority; 1 when absent"
    )
    queue_timeout: Duration | None = pydantic.Field(
        None, description="how long a run may wait in the queue before it fails; for ever when absent"
    )
    deadline: Duration | None = pydantic.Field(
        None, description="of a run, from its admission, as 2h; the Workflow's when absent"
    )
    retention: Retention | None = pydantic.Field(
        None, description="how long runs are kept after their end, where the domain would keep them for longer"
    )
    notifications: Annotated[list[Notification], Listed(MAX_PLACES, key="place")] = pydantic.Field(
        [], description="who is told of its runs"
    )


class Skipped(Part):
    """A scheduled time at which no run was started."""

    tick: Word
    reason: Annotated[str, bounded(256)]


class ScheduleStatus(Part):
    """How far the schedule is decided."""

    decided: Word = pydantic.Field(description="all scheduled times up to it are decided")
    timetable: Word = pydantic.Field(description="the digest of the schedule that this holds for")
    state: Literal["Active", "Suspended", "Disabled"]
    next: Word | None = pydantic.Field(None, description="the next scheduled time")
    skipped: Annotated[list[Skipped], Listed(MOST_SKIPPED)] = pydantic.Field([], description="the latest ones")


class NotFollowed(Part):
    """The end of a run that started none, though the trigger waits for it."""

    run: Annotated[str, bounded(320)] = pydantic.Field(description="that ended; of another domain: `domain/run`")
    reason: Annotated[str, bounded(256)]


class TriggerStatus(Part):
    """How far the trigger is decided."""

    since: Word = pydantic.Field(description="runs that ended before it start nothing")
    digest: Word = pydantic.Field(description="of the trigger that this holds for")
    revision: Word | None = pydantic.Field(None, description="the revision that starts nothing any more")
    releases: Count | None = pydantic.Field(None, description="how many revisions started runs")
    skipped: Annotated[list[NotFollowed], Listed(MOST_SKIPPED)] = pydantic.Field([], description="the latest ones")


class OwedNotice(Part):
    """A notice of scheduled times without a run that is still to be sent."""

    place: Word
    tick: Word = pydantic.Field(description="the latest of them")
    reason: Annotated[str, bounded(256)]


class LostNotice(Part):
    """A notice that was given up."""

    place: Word
    when: Word
    about: Word = pydantic.Field(description="the run, or the scheduled time")
    at: Word
    reason: Annotated[str, bounded(256)]


class NoticesStatus(Part):
    """What was told of the runs, as far as the next notice depends on it."""

    failing: bool = pydantic.Field(description="whether the run that was last told of had failed")
    run: Word | None = pydantic.Field(None, description="the uid of the run with which that began")
    missed: Word | None = pydantic.Field(None, description="scheduled times up to it are told of that have no run")
    owed: Annotated[list[OwedNotice], Listed(MOST_OWED)] = pydantic.Field([])
    dead: Count | None = pydantic.Field(None, description="how many notices were given up")
    lost: Annotated[list[LostNotice], Listed(MOST_LOST)] = pydantic.Field([], description="the latest of those")


class LaunchPlanStatus(RunsStatus):
    """What became of a LaunchPlan."""

    version: Word | None = pydantic.Field(None, description="the release of the workflow that is compiled")
    revision: Word | None = pydantic.Field(None, description="the compiled spec, after the domain's patches")
    schedule: ScheduleStatus | None = None
    trigger: TriggerStatus | None = None
    notices: NoticesStatus | None = None


class LaunchPlan(Resource):
    """A Workflow with inputs and a schedule."""

    KIND: ClassVar[Kind] = Kind(
        name="LaunchPlan",
        plural="launchplans",
        short="alp",
        description="LaunchPlan is a Workflow with inputs, some of them fixed, and a schedule.",
        columns=(
            Column("Workflow", ".spec.workflow"),
            Column("Schedule", ".spec.schedule.cron"),
            Column("Suspend", ".spec.suspend", "boolean"),
            Column("Next", ".status.schedule.next"),
            READY,
            MESSAGE,
            AGE,
        ),
        name_rules=(label_name(names.MOST_OBJECT_NAME),),
        selectable=(".spec.workflow",),
    )

    kind: Literal["LaunchPlan"] = "LaunchPlan"
    spec: LaunchPlanSpec
    status: LaunchPlanStatus | None = None
