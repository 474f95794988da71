"""The kind `LaunchPlan`: a Workflow with inputs, some of them fixed, and a schedule."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic

from alula_api.contract import names
from alula_api.kinds.fields import JsonText, Label, Listed, Parameter, Part, ReleaseVersion, Text, Word, bounded
from alula_api.kinds.resources import AGE, MESSAGE, READY, Column, Kind, Resource, Status, label_name
from alula_api.kinds.workflows import MAX_PARAMETERS

Cron = Annotated[str, bounded(128)]
TimeZone = Annotated[str, bounded(64, "^[A-Za-z0-9_+/-]+$")]


class InputValue(Part):
    """A value for an input of the workflow."""

    name: Parameter
    value: JsonText = pydantic.Field(
        description="canonical JSON text; for a text input, what is not a JSON string is taken as it stands"
    )


class Schedule(Part):
    """When to start runs."""

    cron: Annotated[list[Cron], Listed(20, unique=True)] = pydantic.Field(
        description="five fields, or @daily and the like"
    )
    timezone: TimeZone | None = pydantic.Field(None, description="IANA name; UTC when absent")


class LaunchPlanSpec(Part):
    """What a LaunchPlan should be."""

    workflow: Label = pydantic.Field(description="the Workflow of the same namespace")
    version: ReleaseVersion | None = pydantic.Field(None, description="of the Workflow that it came with")
    description: Text | None = None
    inputs: Annotated[list[InputValue], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="defaults that who starts a run may replace"
    )
    fixed_inputs: Annotated[list[InputValue], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="values that nobody may replace"
    )
    schedule: Schedule | None = None
    suspend: bool | None = pydantic.Field(None, description="true: the schedule starts nothing")


class LaunchPlanStatus(Status):
    """What became of a LaunchPlan."""

    version: Word | None = pydantic.Field(None, description="the release of the workflow that is compiled")
    revision: Word | None = pydantic.Field(None, description="the compiled spec, after the domain's patches")


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
            READY,
            MESSAGE,
            AGE,
        ),
        name_rules=(label_name(names.MOST_OBJECT_NAME),),
    )

    kind: Literal["LaunchPlan"] = "LaunchPlan"
    spec: LaunchPlanSpec
    status: LaunchPlanStatus | None = None
