"""What the resources Workflow and LaunchPlan say, as frozen values: a field of a task has its one shape here.

The SDK's emission makes them, the compiler works on them, and a command that compares a file with a cluster reads
them. `alula_api.kinds` has the same fields for the API server, with their bounds and verdicts; a test demands that they
agree. Types are those of the contract; in JSON they are text, and the classes among them stand once under `types`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alula_api.contract import keys, memory, names, type_spelling
from alula_api.contract.families import Schema
from alula_api.contract.graphs import bindings, calls, json_fields
from alula_api.contract.graphs.bindings import Binding, FromNode, Leaf
from alula_api.contract.graphs.calls import Call
from alula_api.contract.graphs.handlers import Handler
from alula_api.contract.named_types import NamedType, Types
from alula_api.contract.retries import SYSTEM_RETRIES, Backoff, Budget

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An archive of code, unpacked over the image; it is found by its digest alone."""

    digest: str
    """sha256 of the canonical list of its files."""
    size: int
    """Bytes of the archive."""


@dataclass(frozen=True, slots=True)
class Code:
    """What the pods run."""

    image: str
    runtime: int
    """Version of the pod's contract that the emitting SDK speaks."""
    bundle: Bundle | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a workflow, graph or task, or an output of a task."""

    name: str
    type: Schema
    default: str | None = None
    """Canonical JSON text; without it an input must be given. An output has none."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a workflow or graph, and where its value comes from."""

    name: str
    type: Schema
    binding: Binding = field(metadata={"json": "from"})
    description: str = ""


@dataclass(frozen=True, slots=True)
class TaskKind:
    """What runs the task in place of a plain container: the name of a kind, and what that kind wants to know."""

    name: str
    config: str = ""
    """Canonical JSON text."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A task with it is looked up before it runs and remembered after it."""

    version: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Two budgets of failures after which there is another attempt."""

    limit: int = 0
    """Failures of the user's code."""
    system: int | None = None
    """Losses of pods and stores; what the Domain says when None, or `retries.SYSTEM_RETRIES`."""
    backoff: Backoff | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """Requests and limits of a task's container, as in a pod."""

    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Growth:
    """How the memory grows after the container was killed for lack of it."""

    factor: str
    """By which each further attempt has more, as a decimal."""
    max: str
    """The most that any attempt has."""


@dataclass(frozen=True, slots=True)
class EnvVar:
    """An environment variable with a value that everyone may read."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SecretVar:
    """An environment variable from a Secret of the namespace."""

    name: str
    secret: str
    key: str


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint of nodes that a pod may run on in spite of."""

    key: str
    value: str | None = None
    """Any when absent."""
    effect: str | None = None
    """All when absent."""


@dataclass(frozen=True, slots=True)
class NodeRule:
    """What holds for a label of a node."""

    key: str
    operator: str
    """`In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`, as in Kubernetes."""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peers:
    """The pods of the namespace with these labels."""

    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Affinity:
    """Which nodes a pod may run on, by their labels and by the pods that run there."""

    nodes: tuple[NodeRule, ...] = ()
    """All of them hold."""
    preferred_nodes: tuple[NodeRule, ...] = ()
    """The more of them hold, the better."""
    apart_from: tuple[Peers, ...] = ()
    """Never where one of these pods runs."""
    preferred_apart_from: tuple[Peers, ...] = ()
    """Rather not where one of these pods runs."""
    topology_key: str | None = None
    """The label that says what is one place; `kubernetes.io/hostname` when absent."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the container, and the Secret, PersistentVolumeClaim or ConfigMap that lies there."""

    path: str
    secret: str | None = None
    claim: str | None = None
    config_map: str | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether nothing can be written there."""
        return self.claim is None


@dataclass(frozen=True, slots=True)
class Pod:
    """Where a task's pod runs, and what stands in it."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    affinity: Affinity | None = None
    priority_class: str | None = None
    service_account: str | None = None
    """In place of the installation's."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    shared_memory: str | None = None
    """The size of `/dev/shm`."""
    mounts: tuple[Mount, ...] = ()
    template: str | None = None
    """Of the Domain: what holds where this says nothing."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task: what to call, with which types, and how to run it."""

    name: str
    entrypoint: str
    """`module:qualname`, relative to the project's root."""
    key: str = ""
    """The name in the cache key; the entrypoint when empty."""
    kind: TaskKind | None = None
    description: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    cache: Cache | None = None
    retries: Retry | None = None
    timeout: str | None = None
    """Of one attempt."""
    resources: Resources | None = None
    on_oom: Growth | None = None
    interruptible: bool | None = None
    """Whether it may run on nodes that the cluster may take away; what the Domain says when absent."""
    image: str | None = None
    """In place of the workflow's."""
    pool: str | None = None
    """Of the domain, in which an attempt takes a place."""
    env: tuple[EnvVar, ...] = ()
    secrets: tuple[SecretVar, ...] = ()
    pod: Pod | None = None

    @property
    def budget(self) -> Budget:
        """The failures after which there is another attempt."""
        chosen = self.retries or Retry()
        return Budget(chosen.limit, SYSTEM_RETRIES if chosen.system is None else chosen.system)

    @property
    def memory(self) -> list[memory.Step]:
        """The memory of its attempts, after each kill for lack of it; empty where it does not grow."""
        if self.on_oom is None or self.resources is None:
            return []
        kills = self.budget.system  # a killed process leaves no record of a failure of the user's code
        return memory.steps(self.on_oom.factor, self.on_oom.max, self.resources.requests, self.resources.limits, kills)

    @property
    def most(self) -> Resources:
        """The most that an attempt of it asks for."""
        chosen, steps = self.resources or Resources(), self.memory
        if not steps:
            return chosen
        last = steps[-1]

        def grown(side: Mapping[str, str], text: str) -> Mapping[str, str]:
            return {**side, memory.MEMORY: text} if text else side

        return Resources(grown(chosen.requests, last.request), grown(chosen.limits, last.limit))

    @property
    def interface(self) -> str:
        """The digest of its inputs and outputs, as it stands in cache keys."""
        inputs, outputs = ([(port.name, port.type) for port in ports] for ports in (self.inputs, self.outputs))
        return keys.interface_digest(inputs, outputs)

    @property
    def environment(self) -> str:
        """The digest of what it sets in the environment, as it stands in cache keys; empty when it sets nothing."""
        variables = [(each.name, each.value) for each in self.env]
        return keys.environment_digest(variables, [(each.name, each.secret, each.key) for each in self.secrets])


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One call in a graph."""

    id: str
    call: Call = field(metadata={"json": json_fields.BESIDE})
    inputs: tuple[tuple[str, Binding], ...] = ()
    """By the name of the input, each once."""
    after: tuple[str, ...] = ()
    """Nodes to wait for beside those whose outputs are used."""

    def reads(self) -> list[Leaf]:
        """Every source that the node's inputs have."""
        return [leaf for _, binding in self.inputs for leaf in bindings.leaves(binding)]

    def depends(self) -> tuple[str, ...]:
        """The nodes that must have succeeded before: those it reads from, then those it only waits for, each once."""
        read = [leaf.node for leaf in self.reads() if isinstance(leaf, FromNode)]
        return tuple(dict.fromkeys((*read, *self.after)))

    def reading(self, change: Callable[[Leaf], Leaf], after: tuple[str, ...]) -> NodeSpec:
        """Return the node with its sources changed, and other nodes that it only waits for."""
        inputs = tuple((name, bindings.mapped(binding, change)) for name, binding in self.inputs)
        return replace(self, inputs=inputs, after=after)


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """A static graph; `main` has the workflow's own inputs and outputs, the others carry theirs."""

    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Output, ...] = ()
    nodes: tuple[NodeSpec, ...] = ()

    @property
    def is_main(self) -> bool:
        """Whether a run starts with it."""
        return self.name == names.MAIN


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """What a Workflow should be."""

    version: str
    code: Code
    graphs: tuple[GraphSpec, ...]
    """`main`, and every sub-workflow once."""
    description: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Output, ...] = ()
    tasks: tuple[TaskSpec, ...] = ()
    failure_policy: str | None = None
    """What becomes of a run after a failure: a `walks.Policy`; `Drain` when absent."""
    handlers: tuple[Handler, ...] = ()
    """What is started when a run is over."""
    deadline: str | None = None
    """Of a run, from its admission."""

    def to_json(self) -> Json:
        """Return the `spec` of the resource.

        Raises:
            InvalidValue: A type is longer or deeper as text than a resource may hold.
        """
        named, text = type_spelling.spelled([port.type for port in self.ports()])
        body = json_fields.to_json(self, text)
        if named:
            body["types"] = [json_fields.to_json(each) for each in named]
        return {key: body[key] for key in _ORDER if key in body}

    @classmethod
    def from_json(cls, found: object) -> WorkflowSpec:
        """Return the spec of a resource.

        Raises:
            InvalidValue: It does not fit; names the place.
        """
        types = found.get("types") if isinstance(found, dict) else None
        listed = types if isinstance(types, list) else []
        named = [json_fields.from_json(NamedType, each, where=f"$.types[{i}]") for i, each in enumerate(listed)]
        return json_fields.from_json(cls, found, Types(named).schema)

    def ports(self) -> Iterator[Port | Output]:
        """Every input and output of the workflow, its tasks and its graphs."""
        yield from self.inputs
        yield from self.outputs
        for task in self.tasks:
            yield from task.inputs
            yield from task.outputs
        for graph in self.graphs:
            yield from graph.inputs
            yield from graph.outputs
            for node in graph.nodes:
                yield from (Port(name, schema) for name, schema in calls.reads(node.call))


_ORDER = (
    "version",
    "description",
    "failurePolicy",
    "deadline",
    "handlers",
    "code",
    "types",
    "inputs",
    "outputs",
    "tasks",
    "graphs",
)
"""Of the fields in the resource: the short ones first."""


@dataclass(frozen=True, slots=True)
class InputValue:
    """A value for an input of the workflow."""

    name: str
    value: str
    """Canonical JSON text; for a text input, what is not a JSON string is taken as it stands."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to start runs."""

    cron: tuple[str, ...] = ()
    every: str | None = None
    """The interval between two runs, counted from `starts`."""
    timezone: str | None = None
    """UTC when absent."""
    starts: str | None = None
    ends: str | None = None
    jitter: str | None = None
    """By which a run starts later than its tick at most."""
    input: str | None = None
    """The input that gets the scheduled time."""
    catch_up: str | None = None
    """What becomes of ticks that were missed: a `timetables.CatchUp`."""
    within: str | None = None
    """For how long a missed tick is worth catching up with."""


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many runs of a launch plan run at a time."""

    limit: int
    policy: str | None = None
    """What becomes of more of them: `Queue` (as when absent), they wait, `Skip`, they end at once, or `Replace`, the
    oldest that runs ends for them."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the runs of a launch plan stay after their end: never longer than those of its domain."""

    succeeded: str | None = None
    failed: str | None = None
    """Of all that did not succeed."""


@dataclass(frozen=True, slots=True)
class TriggerInput:
    """An input of the workflow that gets an output of the run that ended."""

    name: str
    output: str


@dataclass(frozen=True, slots=True)
class EventCondition:
    """A part of an event's payload that has to be one of some values."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventInput:
    """An input of the workflow that gets a part of an event's payload."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """Events from outside that start runs."""

    name: str
    """As in the address that they are sent to."""
    where: tuple[EventCondition, ...] = ()
    inputs: tuple[EventInput, ...] = ()
    delivery: str | None = None
    """The part of the payload that is the same when an event is sent twice; the whole payload when absent."""
    delivery_header: str | None = None
    """The header that is."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts runs beside a schedule."""

    launch_plan: str | None = None
    """The launch plan whose runs do when they end."""
    workflow: str | None = None
    """The workflow whose runs do."""
    domain: str | None = None
    """Whose runs do, of the same project; the plan's own domain when absent."""
    when: str | None = None
    """How they have to end: a `triggers.When`; `Succeeded` when absent."""
    inputs: tuple[TriggerInput, ...] = ()
    release: bool | None = None
    """Whether a new revision starts one too."""
    event: TriggerEvent | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A place of the domain that is told of runs."""

    place: str
    when: tuple[str, ...] = ()
    """Of what: `notices.When`s; `notices.USUAL` when there is none."""
    late_after: str | None = None
    """After its scheduled time, when a run that has not ended is late."""
    queued_for: str | None = None
    """When a run has waited in the queue for too long."""


@dataclass(frozen=True, slots=True)
class LaunchPlanSpec:
    """What a LaunchPlan should be."""

    workflow: str
    version: str = ""
    description: str = ""
    inputs: tuple[InputValue, ...] = ()
    """Defaults that the person or program that starts a run may replace."""
    fixed_inputs: tuple[InputValue, ...] = ()
    """Values that a run may not replace."""
    schedule: Schedule | None = None
    suspend: bool | None = None
    """Whether the schedule starts nothing."""
    trigger: Trigger | None = None
    concurrency: Concurrency | None = None
    priority: int | None = None
    """In the domain's queue; 0 when absent."""
    weight: int | None = None
    """Its share in the queue beside other plans of the same priority; 1 when absent."""
    queue_timeout: str | None = None
    """How long a run may wait in the queue before it fails; for ever when absent."""
    deadline: str | None = None
    """Of a run, from its admission; the workflow's when absent."""
    retention: Retention | None = None
    notifications: tuple[Notification, ...] = ()

    def to_json(self) -> Json:
        """Return the `spec` of the resource."""
        return json_fields.to_json(self)

    @classmethod
    def from_json(cls, found: object) -> LaunchPlanSpec:
        """Return the spec of a resource.

        Raises:
            InvalidValue: It does not fit; names the place.
        """
        return json_fields.from_json(cls, found)
