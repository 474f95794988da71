"""A workflow as the compiler reads it: frozen, comparable values, without Argo and without Kubernetes' envelope.

`reading` makes a `Program` from resources, each pass makes a new one from it, and nothing changes one in place. No
field waits for a later pass: what Argo needs beyond this is in `argo.model`. Names are names: a node says which task it
calls, and what needs the task looks it up in `tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alula_api.contract import queue
from alula_api.contract.graphs.comparables import Part
from alula_api.contract.graphs.handlers import Handler
from alula_api.contract.graphs.specs import (
    GraphSpec,
    Notification,
    Pod,
    Resources,
    Schedule,
    TaskSpec,
    Toleration,
    Trigger,
)
from alula_api.contract.retention import Retention


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """The workflow with inputs, some of them fixed, and a schedule."""

    name: str
    workflow: str
    inputs: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    description: str = ""
    schedule: Schedule | None = None
    """As the resource says it; `check_schedules` checks its texts."""
    trigger: Trigger | None = None
    """As the resource says it; `check_triggers` checks it."""
    notifications: tuple[Notification, ...] = ()
    """As the resource says them; `check_notices` checks them."""
    suspend: bool = False
    terms: queue.Terms = field(default_factory=queue.Terms)
    """What it asks of the domain's queue."""
    deadline: str = ""
    """Of its runs, in place of the workflow's."""
    retention: Retention = field(default_factory=Retention)
    """How long its runs stay; no longer than the domain's."""
    source: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Interruptible:
    """The nodes that the cluster may take away."""

    selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...] = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """What the namespace's Domain says to the compiler."""

    secret: str = ""
    """The Secret with the pods' keys to the store; empty with workload identity, or to leave it to the installation."""
    system_retries: int | None = None
    """Of tasks that say nothing; None for the usual ones."""
    resources: Resources = field(default_factory=Resources)
    """Of tasks that name neither request nor limit of a resource."""
    timeout: str | None = None
    """Of tasks that have none."""
    may_interrupt: bool | None = None
    """Whether tasks that say nothing may run on nodes that are taken away."""
    interruptible: Interruptible | None = None
    """The nodes for tasks that may; None where the domain names none."""
    pod_templates: Mapping[str, Pod] | None = None
    """Settings of pods that tasks name; None where no Domain is known."""
    pod_template: str | None = None
    """The one of tasks that name none; None where they have none."""
    most: Mapping[str, str] = field(default_factory=dict)
    """The most of each resource that a task may request or use."""
    forbidden: tuple[str, ...] = ()
    """What no task may say of its pod."""
    longest: str | None = None
    """The longest timeout; with it every task needs one."""
    images: tuple[str, ...] = ()
    """How an image may begin; all may when there is none."""
    digests: bool = False
    """Whether images are named by their digests."""
    retention: Retention = field(default_factory=Retention)
    """How long runs stay after their end."""
    pools: tuple[str, ...] | None = None
    """Those that a task may be in; None where no Domain is known."""
    places: Mapping[str, str | None] | None = None
    """Those for notices, each with its template, if it has one; None where no Domain is known."""
    trusted: tuple[str, ...] | None = None
    """The domains whose runs may start some here; None where no Domain is known, or where none are started."""
    fires: bool = True
    """Whether its launch plans start runs by themselves."""
    hard: Mapping[str, str] = field(default_factory=dict)
    """What the namespace's ResourceQuota allows all pods together."""


@dataclass(frozen=True, slots=True)
class Program:
    """A workflow, its launch plans and its domain."""

    name: str
    version: str
    image: str
    description: str = ""
    source: str = ""
    runtime: int = 1
    """Version of the pod's contract that the release speaks."""
    bundle: str = ""
    """Digest of the code that is laid over the image; empty without."""
    tasks: tuple[TaskSpec, ...] = ()
    graphs: tuple[GraphSpec, ...] = ()
    plans: tuple[LaunchPlan, ...] = ()
    domain: Domain = Domain()
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    """What tasks publish beside their outputs, by the task."""
    input_parts: tuple[Part, ...] = ()
    """What `admit` publishes beside the inputs of a run."""
    failure_policy: str = ""
    """What becomes of a run after a failure; empty for the usual."""
    handlers: tuple[Handler, ...] = ()
    """What is started when a run is over."""
    deadline: str = ""
    """Of a run, from its admission; empty for none."""

    def graph(self, name: str) -> GraphSpec | None:
        """Return the graph of that name."""
        return next((graph for graph in self.graphs if graph.name == name), None)

    @property
    def main(self) -> GraphSpec:
        """The graph that a run starts with; the resolving pass has made sure that there is one."""
        return next(graph for graph in self.graphs if graph.is_main)
