"""What `gather` read and `decide` decides on: frozen values, and nothing that could read more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.triggers import Waits
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.definitions.revisions import Revision
from alula_controller.domains.places import NoPlace, Place
from alula_controller.domains.view import DomainView

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Compiled:
    """What the compiler made: of the Workflow, and of each of its launch plans, so that a bad plan spoils only itself.

    Attributes:
        objects: of the Workflow itself, as the compiler orders them.
        diagnostics: what is wrong with the Workflow.
        plan_objects: of each launch plan, by its name.
        plan_diagnostics: what is wrong with each launch plan, by its name.
        plans: the text of what `admit` needs, by template name.
        notes: what its author may want to know although nothing is wrong.
        stopped: why there is no answer: the compiler's process ended, for the reason that is said here.
        passing: whether it is worth another try.
    """

    objects: tuple[Body, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    plan_objects: Mapping[str, tuple[Body, ...]] = field(default_factory=dict)
    plan_diagnostics: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    plans: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stopped: str = ""
    passing: bool = False


@dataclass(frozen=True)
class Stored:
    """A revision that was read in full, and the template's spec in it."""

    body: Body
    spec: Body


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
        revisions: those with the Workflow's label, of whichever Workflow of this name.
        stored: the specs of some of them, by the revision's name: of templates without an owner, and of those that
            unfinished runs name and that are gone.
        unfinished: runs of the Workflow that are not over; read only where a template is not wanted or not there.
        carried: the replaced revisions past their retention that some run still carries.
        retention: how long a revision stays after it was replaced.
        left_out: launch plans past the number, or the bytes, that are compiled with one Workflow; there may be more.
        waits: the launch plans of the project that wait for the end of runs, as their templates have it; those of other
            domains as `domain/plan`.
        domain: what the Domain of the namespace says.
        domains: the domains of the project that are known.
        failed: the last failed run of the Workflow (by the name "") and of each launch plan; read only where one is
            asked for again.
    """

    key: QueueKey
    workflow: Body | None
    launch_plans: tuple[Body, ...] = ()
    place: Place | NoPlace | None = None
    compiled: Compiled | None = None
    live: Mapping[tuple[str, str], Body] = field(default_factory=dict)
    revisions: tuple[Revision, ...] = ()
    stored: Mapping[str, Stored] = field(default_factory=dict)
    unfinished: tuple[Seen, ...] = ()
    carried: frozenset[str] = frozenset()
    retention: timedelta = timedelta(days=30)
    failed: Mapping[str, Body] = field(default_factory=dict)
    left_out: tuple[Body, ...] = ()
    waits: Waits = field(default_factory=dict)
    domain: DomainView = field(default_factory=DomainView)
    domains: frozenset[str] = frozenset()
