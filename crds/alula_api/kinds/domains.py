"""The kind `Domain`: what holds for everything in a namespace. Written by the platform, never by a release."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic

from alula_api.contract.retries import MAX_RETRIES
from alula_api.kinds.fields import Label, ObjectName, Part, Prefix, Whole
from alula_api.kinds.resources import AGE, MESSAGE, READY, Column, Kind, NameRule, Resource, Status


class Storage(Part):
    """Where the domain's data lies."""

    root: Label | None = pydantic.Field(None, description="one of the installation's roots, by name")
    secret: ObjectName | None = pydantic.Field(
        None, description="Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the pods"
    )


class DefaultRetries(Part):
    """What stands for a task's `retries` where the task says nothing."""

    system: Annotated[int, Whole(0, MAX_RETRIES)] | None = pydantic.Field(
        None, description="losses of pods and stores after which there is another attempt"
    )


class TaskDefaults(Part):
    """What holds for the domain's tasks where they say nothing."""

    retries: DefaultRetries | None = None


class DomainSpec(Part):
    """What a Domain should be."""

    storage: Storage | None = None
    fill: Literal["controller", "off"] | None = pydantic.Field(
        None, description="whether cached tasks are filled in before a run starts; controller when absent"
    )
    task_defaults: TaskDefaults | None = None


class DomainStatus(Status):
    """What became of a Domain."""

    project: Annotated[str, pydantic.Field(max_length=63)] | None = pydantic.Field(
        None, description="from the label of the namespace"
    )
    domain: Annotated[str, pydantic.Field(max_length=63)] | None = pydantic.Field(
        None, description="from the label of the namespace"
    )
    store: Prefix | None = pydantic.Field(None, description="the prefix under which the domain's data lies")


class Domain(Resource):
    """What holds for a namespace."""

    KIND: ClassVar[Kind] = Kind(
        name="Domain",
        plural="domains",
        short="adom",
        description="Domain holds for every workflow of its namespace: where data lies, and what is allowed.",
        columns=(Column("Project", ".status.project"), Column("Domain", ".status.domain"), READY, MESSAGE, AGE),
        name_rules=(
            NameRule(
                cel="self.metadata.name == 'domain'",
                holds=lambda name: name == "domain",
                message="must be domain, because a namespace has one Domain",
            ),
        ),
    )

    kind: Literal["Domain"] = "Domain"
    spec: DomainSpec = pydantic.Field(default_factory=DomainSpec)
    status: DomainStatus | None = None
