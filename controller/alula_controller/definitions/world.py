"""What `gather` read and `decide` decides on: frozen values, and nothing that could read more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract.diagnostics import Diagnostic
from alula_controller.cluster.watches import Seen
from alula_controller.domains.places import NoPlace, Place

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Key:
    """One definition to look at."""

    kind: str  # Workflow, LaunchPlan or Domain
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Compiled:
    """What the compiler made: of the Workflow, and of each of its launch plans, so that a bad plan spoils only itself.

    Attributes:
        objects: of the Workflow itself, as the compiler orders them.
        diagnostics: what is wrong with the Workflow.
        plan_objects: of each launch plan, by its name.
        plan_diagnostics: what is wrong with each launch plan, by its name.
        plans: what `admit` needs, by template name.
    """

    objects: tuple[Body, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    plan_objects: Mapping[str, tuple[Body, ...]] = field(default_factory=dict)
    plan_diagnostics: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    plans: Mapping[str, Body] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """A Workflow, what belongs to it, and what is in the cluster under the names that it would use.

    Attributes:
        key: which Workflow.
        workflow: as read; None if there is none.
        launch_plans: those that name it.
        place: of the namespace.
        compiled: None where there is no place or no workflow.
        live: generated objects as read, by (kind, name): all that carry the Workflow's label, and whatever else has the
            name of one that is wanted.
        revisions: the ControllerRevisions with the Workflow's label (metadata only).
        runs: runs of this namespace that name a revision; read only where something would be deleted.
    """

    key: Key
    workflow: Body | None
    launch_plans: tuple[Body, ...] = ()
    place: Place | NoPlace | None = None
    compiled: Compiled | None = None
    live: Mapping[tuple[str, str], Body] = field(default_factory=dict)
    revisions: tuple[Seen, ...] = ()
    runs: tuple[Seen, ...] = ()
