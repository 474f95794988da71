"""What the kinds share: metadata, conditions and status, and what `kubectl` is told about a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import pydantic

from alula_api.kinds.fields import Count, Listed, Mapped, Part, Whole, Word, without_nulls

MOST_RUNS = 10


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class NameRule:
    """What holds for the name of a resource, in CEL for the API server and as a function for Python."""

    cel: str
    holds: Callable[[str], bool]
    message: str


@dataclass(frozen=True)
class Kind:
    """What the API server and `kubectl` are told about a kind beside its schema."""

    name: str
    plural: str
    short: str
    description: str
    columns: tuple[Column, ...]
    name_rules: tuple[NameRule, ...]
    categories: tuple[str, ...] = ("alula",)
    immutable: bool = False
    selectable: tuple[str, ...] = ()
    """Fields by which the API server can select."""


def label_name(longest: int) -> NameRule:
    """A name from which other names are made, so that it must be a DNS label of at most that many characters."""
    return NameRule(
        cel=f"self.metadata.name.size() <= {longest} && !self.metadata.name.contains('.')",
        holds=lambda name: len(name) <= longest and "." not in name,
        message=f"must have at most {longest} characters and no dot, because other names are made from it",
    )


READY = Column("Ready", ".status.conditions[?(@.type=='Ready')].status")
MESSAGE = Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1)
AGE = Column("Age", ".metadata.creationTimestamp", "date")


class Metadata(pydantic.BaseModel):
    """Metadata as the API server keeps it; the fields that we read are typed, all others pass through."""

    model_config = pydantic.ConfigDict(defer_build=True, extra="allow", strict=True, frozen=True)

    name: str
    namespace: str | None = None
    uid: str | None = None
    generation: int | None = None
    labels: Annotated[dict[str, str], Mapped(10_000)] = {}
    annotations: Annotated[dict[str, str], Mapped(10_000)] = {}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _null_is_absence(cls, data: Any) -> Any:
        return without_nulls(data)


class Condition(Part):
    """One condition, in the form that `kubectl wait` and kstatus know."""

    model_config = pydantic.ConfigDict(defer_build=True, extra="ignore")

    type: Annotated[str, pydantic.StringConstraints(max_length=316, pattern="^[A-Za-z]([-A-Za-z0-9_./]*[A-Za-z0-9])?$")]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[
        str, pydantic.StringConstraints(max_length=1024, pattern="^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ]
    message: Annotated[str, pydantic.StringConstraints(max_length=32768)] = ""
    observed_generation: Count | None = None
    last_transition_time: Annotated[str, pydantic.Field(max_length=64, json_schema_extra={"format": "date-time"})]


class Status(Part):
    """What the controller found: conditions first, then the generation that they speak about."""

    model_config = pydantic.ConfigDict(defer_build=True, extra="ignore")

    conditions: Annotated[list[Condition], Listed(32, key="type")] = pydantic.Field(
        [], description="Ready, and Reconciling or Stalled while they are true"
    )
    observed_generation: Annotated[int, Whole(-1, 2**53)] | None = pydantic.Field(
        None, description="the generation of the spec that this status speaks about"
    )
    last_handled_reconcile_at: Word | None = pydantic.Field(
        None, description="the last value of the annotation that asks for a reconciliation"
    )
    last_handled_run_at: Word | None = pydantic.Field(
        None, description="the last value of the annotation that asks for a run"
    )
    last_handled_retry_at: Word | None = pydantic.Field(
        None, description="the last value of the annotation that asks for the last failed run again"
    )

    def condition(self, type: str) -> Condition | None:
        """The condition of that type, if it is set."""
        return next((condition for condition in self.conditions if condition.type == type), None)


class LatestRun(Part):
    """A run of the launch plan or Workflow."""

    name: Word
    phase: Word
    created: Word
    tick: Word | None = pydantic.Field(None, description="the scheduled time that it was started for")
    outcome: Word | None = pydantic.Field(None, description="skipped or replaced, where the plan's policy ended it")


class CurrentFailure(Part):
    """The latest run that ended, while that failed; runs that the plan's policy ended do not count."""

    name: Word
    phase: Word
    since: Word = pydantic.Field(description="when the first of the runs was created that failed one after the other")


class RunsStatus(Status):
    """What the controller found, with the latest runs."""

    runs: Annotated[list[LatestRun], Listed(MOST_RUNS, key="name")] = pydantic.Field(
        [], description="the latest runs, the newest first"
    )
    last_success: LatestRun | None = pydantic.Field(None, description="the latest run that succeeded")
    current_failure: CurrentFailure | None = pydantic.Field(
        None, description="there while the latest run that ended has failed"
    )


class Resource(Part):
    """A whole object: `apiVersion`, `kind`, `metadata`; each kind adds its spec and status."""

    KIND: ClassVar[Kind]

    api_version: Literal["alula.dev/v1alpha1"] = "alula.dev/v1alpha1"
    kind: str
    metadata: Metadata

    def to_dict(self) -> dict[str, Any]:
        """The object as JSON data: declared order, without what is unset."""
        body = self.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True)
        return {"apiVersion": self.api_version, "kind": self.kind, **{k: v for k, v in body.items() if k not in _HEAD}}


_HEAD = ("apiVersion", "kind")
