"""The kind `WorkflowRevision`: what the controller keeps of each effective Workflow. Written by the controller alone.

It cannot be changed and has no status: runs that wait for days are checked and followed by the revision they carry.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic

from alula_api.contract.graphs import plans
from alula_api.kinds.fields import Label, Part
from alula_api.kinds.resources import AGE, Column, Kind, Resource

MAX_SPEC = 1 << 20

PlanText = Annotated[str, pydantic.StringConstraints(min_length=2, max_length=plans.MAX_TEXT)]
SpecText = Annotated[str, pydantic.StringConstraints(min_length=2, max_length=MAX_SPEC)]


class WorkflowRevisionSpec(Part):
    """What a revision keeps."""

    workflow: Label = pydantic.Field(description="the Workflow that it was compiled from")
    plan: PlanText = pydantic.Field(
        description="canonical JSON text: graphs, bindings, cache versions and interface, by which runs are admitted"
    )
    spec: SpecText = pydantic.Field(description="canonical JSON text: the spec of the compiled WorkflowTemplate")


class WorkflowRevision(Resource):
    """The plan and the compiled spec of one revision of a template."""

    KIND: ClassVar[Kind] = Kind(
        name="WorkflowRevision",
        plural="workflowrevisions",
        short="arev",
        description="WorkflowRevision is the plan and the compiled spec that runs follow; the controller writes it.",
        columns=(Column("Workflow", ".spec.workflow"), AGE),
        name_rules=(),
        immutable=True,
    )

    kind: Literal["WorkflowRevision"] = "WorkflowRevision"
    spec: WorkflowRevisionSpec
