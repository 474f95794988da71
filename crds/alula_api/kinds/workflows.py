"""The kind `Workflow`: typed tasks, and the graphs that connect them.

Built by `alula.emit`, read by the compiler and the controller. It says what a Workflow may look like; what it means
(that a node exists, that types fit) is the compiler's to check, with the author's file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import pydantic
import pydantic_core

from alula_api.contract import lists, memory, names, pods
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import MAX_PATH
from alula_api.contract.retries import MAX_RETRIES
from alula_api.kinds.bindings import Binding, PathStep
from alula_api.kinds.fields import (
    ATOMIC,
    CacheName,
    ConditionText,
    Count,
    Digest,
    Duration,
    Entrypoint,
    EnvName,
    EnvValue,
    Identifier,
    Image,
    JsonText,
    Label,
    LabelKey,
    Listed,
    Mapped,
    ObjectName,
    Parameter,
    Part,
    Positive,
    Quantity,
    ReleaseVersion,
    SecretKey,
    Text,
    TypeName,
    TypeText,
    Whole,
    Word,
    bounded,
)
from alula_api.kinds.resources import AGE, MESSAGE, READY, Column, Kind, NameRule, Resource, RunsStatus, label_name

MAX_TASKS = 2_000
LabelValue = Annotated[str, bounded(63, "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", least=0)]
MAX_GRAPHS = 2_000
MAX_NODES = 10_000
MAX_PARAMETERS = 1_000
MAX_TYPES = 1_000
MAX_FIELDS = 1_000
MAX_CASES = 100

Loc: TypeAlias = tuple[int | str, ...]
TYPE = "a type in the manner of Python, as list[Forest] | None"


class Bundle(Part):
    """An archive of code, unpacked over the image; it is found by its digest alone."""

    digest: Digest = pydantic.Field(description="sha256 of the canonical list of its files")
    size: Count = pydantic.Field(description="bytes of the archive")


class Code(Part):
    """What the pods run."""

    image: Image = pydantic.Field(description="the container image of all tasks that name none")
    runtime: Positive = pydantic.Field(description="version of the pod's contract that the emitting SDK speaks")
    bundle: Bundle | None = pydantic.Field(None, description="code that is laid over the image")


class Field(Part):
    """A field of a named type."""

    name: Word
    type: TypeText = pydantic.Field(description=TYPE)
    default: JsonText | None = pydantic.Field(
        None, description="canonical JSON text; without it the field must be given"
    )
    optional: bool = pydantic.Field(False, description="true: it may be missing although it has no default")


class Member(Part):
    """A member of an Enum."""

    name: Word
    value: JsonText | None = pydantic.Field(None, description="its value as JSON text")


class NamedType(Part):
    """A class that is a type, once for all its uses."""

    name: TypeName = pydantic.Field(description="as types name it; with its module where two have one name")
    kind: Literal["Record", "NamedTuple", "Enum"] = pydantic.Field("Record", description="Record when absent")
    title: Annotated[str, bounded(1024, least=0)] | None = pydantic.Field(
        None, description="what the class is called, where the name does not say it"
    )
    fields: Annotated[list[Field], Listed(MAX_FIELDS, key="name")] = pydantic.Field([], description="in declared order")
    values: Annotated[list[Member], Listed(MAX_FIELDS, key="name")] = pydantic.Field(
        [], description="of an Enum, in declared order"
    )


class Input(Part):
    """An input of a workflow or task."""

    name: Parameter
    type: TypeText = pydantic.Field(description=TYPE)
    default: JsonText | None = pydantic.Field(
        None, description="canonical JSON text; without it the input must be given"
    )
    description: Text | None = None


class Output(Part):
    """An output of a task."""

    name: Parameter
    type: TypeText = pydantic.Field(description=TYPE)
    description: Text | None = None


class BoundOutput(Part):
    """An output of a workflow or graph, and the node or input that it comes from."""

    name: Parameter
    type: TypeText = pydantic.Field(description=TYPE)
    binding: Binding = pydantic.Field(alias="from", description="where its value comes from")
    description: Text | None = None


_IN_ORDER: Any = pydantic.Field([], description="in declared order")
Inputs = Annotated[list[Input], Listed(MAX_PARAMETERS, key="name")]
Outputs = Annotated[list[Output], Listed(MAX_PARAMETERS, key="name")]
BoundOutputs = Annotated[list[BoundOutput], Listed(MAX_PARAMETERS, key="name")]


class TaskKind(Part):
    """What runs a task in place of a plain container."""

    name: Label
    config: JsonText = pydantic.Field("", description="what the kind wants to know, as canonical JSON text")


class Cache(Part):
    """A task with it is looked up before it runs and remembered after it."""

    version: Word = pydantic.Field(description="part of the cache key: a new version never meets an old result")


class Backoff(Part):
    """How long to wait between attempts."""

    duration: Duration = pydantic.Field(description="before the second attempt, as 10s")
    factor: Annotated[int, Whole(1, 100)] | None = pydantic.Field(None, description="by attempt")
    cap: Duration | None = pydantic.Field(None, description="the longest wait")


class Retries(Part):
    """Two budgets of failures after which there is another attempt."""

    limit: Annotated[int, Whole(0, MAX_RETRIES)] = pydantic.Field(0, description="failures of the user's code")
    system: Annotated[int, Whole(0, MAX_RETRIES)] | None = pydantic.Field(
        None, description="losses of pods and stores; what the Domain says when absent, or 3"
    )
    backoff: Backoff | None = None


class Resources(Part):
    """Requests and limits of a task's container, as in a pod."""

    requests: Annotated[dict[str, Quantity], Mapped(32)] = pydantic.Field(
        {}, description="what the scheduler sets aside"
    )
    limits: Annotated[dict[str, Quantity], Mapped(32)] = pydantic.Field(
        {}, description="what the container may use at most"
    )


class Growth(Part):
    """How the memory grows after the container was killed for lack of it."""

    factor: Annotated[str, bounded(8, f"^{memory.FACTOR}$")] = pydantic.Field(
        description="by which the next attempt has more, as 2 or 1.5"
    )
    max: Quantity = pydantic.Field(description="the most memory that any attempt has")


class EnvVar(Part):
    """An environment variable with a value that everyone may read."""

    name: EnvName
    value: EnvValue


class SecretVar(Part):
    """An environment variable from a Secret of the namespace."""

    name: EnvName = pydantic.Field(description="the environment variable")
    secret: ObjectName = pydantic.Field(description="the Secret")
    key: SecretKey = pydantic.Field(description="the key in the Secret")


class Toleration(Part):
    """A taint of nodes that a pod may run on in spite of."""

    key: LabelKey
    value: LabelValue | None = pydantic.Field(None, description="any when absent")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = pydantic.Field(
        None, description="all when absent"
    )


class NodeRule(Part):
    """What holds for a label of a node."""

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: Annotated[list[LabelValue], Listed(64)] = pydantic.Field(
        [], description="one or more for In and NotIn, one number for Gt and Lt, none for the others"
    )


class Peers(Part):
    """The pods of the namespace with these labels."""

    labels: Annotated[dict[str, LabelValue], Mapped(64)]


class Affinity(Part):
    """Which nodes a pod may run on, by their labels and by the pods that run there."""

    nodes: Annotated[list[NodeRule], Listed(16)] = pydantic.Field([], description="all of them hold")
    preferred_nodes: Annotated[list[NodeRule], Listed(16)] = pydantic.Field(
        [], description="the more of them hold, the better"
    )
    apart_from: Annotated[list[Peers], Listed(16)] = pydantic.Field(
        [], description="never where one of these pods runs"
    )
    preferred_apart_from: Annotated[list[Peers], Listed(16)] = pydantic.Field(
        [], description="rather not where one of these pods runs"
    )
    topology_key: LabelKey | None = pydantic.Field(
        None, description="the label of nodes that says what is one place; kubernetes.io/hostname when absent"
    )


class Mount(Part):
    """A folder of the container, and the Secret, PersistentVolumeClaim or ConfigMap that lies there."""

    path: Annotated[str, bounded(253, pods.FOLDER)]
    secret: ObjectName | None = pydantic.Field(None, description="the Secret; its keys are the files")
    claim: ObjectName | None = pydantic.Field(None, description="the PersistentVolumeClaim")
    config_map: ObjectName | None = pydantic.Field(None, description="the ConfigMap; its keys are the files")


class PodSettings(Part):
    """Where a pod runs, and what stands in it."""

    node_selector: Annotated[dict[str, LabelValue], Mapped(64)] = pydantic.Field(
        {}, description="labels that the node must have"
    )
    tolerations: Annotated[list[Toleration], Listed(64)] = pydantic.Field(
        [], description="taints of nodes that it may run on in spite of"
    )
    affinity: Affinity | None = pydantic.Field(None, description="rules for nodes, and for pods beside it")
    priority_class: ObjectName | None = pydantic.Field(None, description="the PriorityClass")
    service_account: ObjectName | None = pydantic.Field(None, description="in place of the installation's")
    labels: Annotated[dict[str, LabelValue], Mapped(64)] = pydantic.Field({}, description="of the pod")
    annotations: Annotated[dict[str, Annotated[str, bounded(4096, least=0)]], Mapped(64)] = pydantic.Field(
        {}, description="of the pod"
    )
    shared_memory: Quantity | None = pydantic.Field(None, description="the size of /dev/shm")
    mounts: Annotated[list[Mount], Listed(64, key="path")] = pydantic.Field(
        [], description="Secrets, PersistentVolumeClaims and ConfigMaps as folders"
    )


class Pod(PodSettings):
    """Where a task's pod runs, and what stands in it."""

    template: Label | None = pydantic.Field(
        None, description="of the Domain's podTemplates: what holds where this says nothing; its default when absent"
    )


class Task(Part):
    """A task: what to call, with which types, and how to run it."""

    name: Label
    entrypoint: Entrypoint = pydantic.Field(description="module:qualname, relative to the project's root")
    key: CacheName | None = pydantic.Field(None, description="name in the cache key; the entrypoint when absent")
    kind: TaskKind | None = pydantic.Field(None, description="what runs it; a plain container when absent")
    description: Text | None = None
    inputs: Inputs = _IN_ORDER
    outputs: Outputs = _IN_ORDER
    cache: Cache | None = None
    retries: Retries | None = None
    timeout: Duration | None = pydantic.Field(None, description="of one attempt, as 10m")
    resources: Resources | None = None
    on_oom: Growth | None = pydantic.Field(
        None, description="how the memory grows after the container was killed for lack of it"
    )
    interruptible: bool | None = pydantic.Field(
        None, description="whether it may run on nodes that may be taken away; what the Domain says when absent"
    )
    image: Image | None = pydantic.Field(None, description="in place of the workflow's")
    pool: Label | None = pydantic.Field(None, description="of the Domain, which limits its tasks over all runs")
    env: Annotated[list[EnvVar], Listed(500, key="name")] = pydantic.Field([], description="environment variables")
    secrets: Annotated[list[SecretVar], Listed(500, key="name")] = pydantic.Field(
        [], description="environment variables from Secrets"
    )
    pod: Pod | None = pydantic.Field(None, description="where its pod runs, and what stands in it")


class Read(Part):
    """An input of a node that its conditions read."""

    name: Identifier
    type: TypeText = pydantic.Field(description=TYPE)


class Case(Part):
    """A branch of a conditional."""

    name: Label = pydantic.Field(description="of the branch, as then or elif-1")
    when: ConditionText = pydantic.Field(description="when it is taken, as accuracy > 0.9 and not dry_run")
    graph: Label = pydantic.Field(description="what runs then")


class Branch(Part):
    """A conditional: the first case that holds is taken."""

    reads: Annotated[list[Read], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="the inputs of the node that the conditions read"
    )
    cases: Annotated[list[Case], Listed(MAX_CASES, key="name")] = pydantic.Field(description="in the order of asking")
    otherwise: Label | None = pydantic.Field(None, description="the graph that runs when no case holds")


class Map(Part):
    """A task or graph that runs once for each item of a list, or of several lists in step."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in ("task", "graph")], **ATOMIC}
    )

    task: Label | None = pydantic.Field(None, description="the task to run for each item")
    graph: Label | None = pydantic.Field(None, description="the graph to run for each item")
    over: Annotated[list[Parameter], Listed(MAX_PARAMETERS, unique=True, least=1)] = pydantic.Field(
        description="the inputs of the node that are lists"
    )
    outputs: Annotated[list[Parameter], Listed(MAX_PARAMETERS, unique=True)] = pydantic.Field(
        [], description="the outputs of the task or graph, each of which becomes a list"
    )
    concurrency: Positive | None = pydantic.Field(None, description="how many items may run at one time")
    min_successes: Positive | None = pydantic.Field(
        None, description="how many items must succeed; the others are null in the lists"
    )
    min_success_ratio: Annotated[str, bounded(8, f"^({calls.RATIO})$")] | None = pydantic.Field(
        None, description="the share of the items that must succeed, as a decimal"
    )
    batch: Annotated[int, Whole(lists.AUTO, lists.MAX_BATCH)] | None = pydantic.Field(
        None, description="how many items of a task one pod takes; 0 for as many as keep the map within 100 pods"
    )
    parallel: Annotated[int, Whole(1, lists.MAX_BATCH)] | None = pydantic.Field(
        None, description="how many items of a batch run at one time, 1 unless set"
    )

    @pydantic.model_validator(mode="after")
    def _one_item(self) -> Self:
        if (self.task is None) == (self.graph is None):
            raise pydantic_core.PydanticCustomError("call", "must have exactly one of `task`, `graph`")
        return self


class Fed(Part):
    """An input of a repeat's step that gets what the round before made."""

    input: Parameter
    output: Parameter = pydantic.Field(description="of the step")


class Watched(Read):
    """A value that the condition of a repeat reads: of an output of its step, or without one an input of the node."""

    output: Parameter | None = pydantic.Field(None, description="of the step, in which it lies")
    path: Annotated[list[PathStep], Listed(MAX_PATH)] = pydantic.Field([], description="where it lies there")


class Repeat(Part):
    """A task or graph that runs round after round, each with what the one before made, until a condition holds."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in ("task", "graph")], **ATOMIC}
    )

    task: Label | None = pydantic.Field(None, description="the task to run in each round")
    graph: Label | None = pydantic.Field(None, description="the graph to run in each round")
    until: ConditionText = pydantic.Field(description="when there is no other round, as loss < 0.1")
    max: Annotated[int, Whole(1, calls.MAX_ROUNDS)] = pydantic.Field(description="the most rounds")
    state: Annotated[list[Fed], Listed(MAX_PARAMETERS, key="input", least=1)] = pydantic.Field(
        description="the inputs that get an output of the round before"
    )
    outputs: Annotated[list[Parameter], Listed(MAX_PARAMETERS, unique=True)] = pydantic.Field(
        [], description="the outputs of the task or graph: those of the last round are those of the node"
    )
    reads: Annotated[list[Watched], Listed(MAX_PARAMETERS, key="name")] = pydantic.Field(
        [], description="what the condition reads"
    )

    @pydantic.model_validator(mode="after")
    def _one_step(self) -> Self:
        if (self.task is None) == (self.graph is None):
            raise pydantic_core.PydanticCustomError("call", "must have exactly one of `task`, `graph`")
        return self


class Node(Part):
    """One call in a graph: of a task, of another graph, of one for each item of a list, of one of several graphs, or
    of one again and again.
    """

    model_config = pydantic.ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [name]} for name in calls.KINDS],
            **ATOMIC,
        }
    )

    id: Label
    task: Label | None = pydantic.Field(None, description="the task to run")
    graph: Label | None = pydantic.Field(None, description="the graph to run")
    map: Map | None = pydantic.Field(None, description="what is run for each item of a list")
    branch: Branch | None = pydantic.Field(None, description="the graphs of which one is run")
    repeat: Repeat | None = pydantic.Field(None, description="what is run round after round")
    inputs: Annotated[dict[str, Binding], Mapped(MAX_PARAMETERS)] = pydantic.Field(
        {}, description="by the name of the input"
    )
    after: Annotated[list[Label], Listed(MAX_PARAMETERS, unique=True)] = pydantic.Field(
        [], description="nodes to wait for beside those whose outputs are used"
    )

    @pydantic.model_validator(mode="after")
    def _one_call(self) -> Self:
        known = [name for name in calls.KINDS if name in type(self).model_fields]
        if sum(getattr(self, name) is not None for name in known) != 1:
            options = ", ".join(f"`{name}`" for name in known)
            raise pydantic_core.PydanticCustomError("call", "must have exactly one of {options}", {"options": options})
        return self


class Graph(Part):
    """A static graph; `main` has the workflow's own inputs and outputs, the others carry theirs."""

    name: Label
    inputs: Inputs = _IN_ORDER
    outputs: BoundOutputs = _IN_ORDER
    nodes: Annotated[list[Node], Listed(MAX_NODES, key="id")] = pydantic.Field(
        [], description="calls of tasks and graphs"
    )


class Handler(Part):
    """A workflow that is started when a run is over."""

    event: Literal["Failure", "Exit"] = pydantic.Field(
        description="after what: a failure of an admitted run, or its end, however it ended"
    )
    workflow: Label = pydantic.Field(description="the Workflow to start")
    inputs: Annotated[list[Parameter], Listed(MAX_PARAMETERS, unique=True)] = pydantic.Field(
        [], description="the inputs of the run that it gets, by their names"
    )
    failure: Parameter | None = pydantic.Field(None, description="its input that gets the failure")


class WorkflowSpec(Part):
    """What a Workflow should be."""

    version: ReleaseVersion = pydantic.Field(description="digest of what was emitted, or the user's own name for it")
    description: Text | None = None
    failure_policy: Literal["Drain", "Abort", "Continue"] | None = pydantic.Field(
        None,
        description="what becomes of a run after a failure: with Drain, as when absent, nothing new starts and what "
        "runs may finish; with Abort what runs is ended, too; with Continue all runs that does not depend on it",
    )
    deadline: Duration | None = pydantic.Field(None, description="of a run, from its admission, as 2h")
    handlers: Annotated[list[Handler], Listed(2, key="event")] = pydantic.Field(
        [], description="what is started when a run is over"
    )
    code: Code
    types: Annotated[list[NamedType], Listed(MAX_TYPES, key="name")] = pydantic.Field(
        [], description="each class that is a type, once"
    )
    inputs: Inputs = _IN_ORDER
    outputs: BoundOutputs = _IN_ORDER
    tasks: Annotated[list[Task], Listed(MAX_TASKS, key="name")] = pydantic.Field(
        [], description="each distinct task once"
    )
    graphs: Annotated[list[Graph], Listed(MAX_GRAPHS, key="name")] = pydantic.Field(
        description="`main`, and every sub-workflow once"
    )

    def ports(self) -> Iterator[tuple[Loc, Input | Output | BoundOutput | Read]]:
        """Everything in the spec that has a type, with its place."""
        yield from _ports(("spec",), self)
        for i, task in enumerate(self.tasks):
            yield from _ports(("spec", "tasks", i), task)
        for i, graph in enumerate(self.graphs):
            yield from _ports(("spec", "graphs", i), graph)
        for i, graph in enumerate(self.graphs):
            for j, node in enumerate(graph.nodes):
                loc: Loc = ("spec", "graphs", i, "nodes", j)
                branch, repeat = node.branch, node.repeat
                for k, read in enumerate(branch.reads if branch else ()):
                    yield (*loc, "branch", "reads", k), read
                for k, watched in enumerate(repeat.reads if repeat else ()):
                    yield (*loc, "repeat", "reads", k), watched

    def conditions(self) -> Iterator[tuple[Loc, str, set[str]]]:
        """Every condition in the spec, with its place and what it may read."""
        for i, graph in enumerate(self.graphs):
            for j, node in enumerate(graph.nodes):
                loc: Loc = ("spec", "graphs", i, "nodes", j)
                branch, repeat = node.branch, node.repeat
                for k, case in enumerate(branch.cases if branch else ()):
                    known = {read.name for read in branch.reads} if branch else set()
                    yield (*loc, "branch", "cases", k, "when"), case.when, known
                if repeat is not None:
                    yield (*loc, "repeat", "until"), repeat.until, {read.name for read in repeat.reads}

    def repeats(self) -> Iterator[tuple[Loc, Repeat]]:
        """Every repeat in the spec, with its place."""
        for i, graph in enumerate(self.graphs):
            for j, node in enumerate(graph.nodes):
                if node.repeat is not None:
                    yield ("spec", "graphs", i, "nodes", j, "repeat"), node.repeat

    def branches(self) -> Iterator[tuple[Loc, Branch]]:
        """Every conditional in the spec, with its place."""
        for i, graph in enumerate(self.graphs):
            for j, node in enumerate(graph.nodes):
                if node.branch is not None:
                    yield ("spec", "graphs", i, "nodes", j, "branch"), node.branch


def _ports(loc: Loc, owner: WorkflowSpec | Task | Graph) -> Iterator[tuple[Loc, Input | Output | BoundOutput]]:
    for i, each in enumerate(owner.inputs):
        yield (*loc, "inputs", i), each
    outputs: Sequence[Output | BoundOutput] = owner.outputs
    for i, output in enumerate(outputs):
        yield (*loc, "outputs", i), output


class WorkflowStatus(RunsStatus):
    """What became of a Workflow."""

    version: Word | None = pydantic.Field(None, description="the release that is compiled")
    revision: Word | None = pydantic.Field(None, description="the compiled spec, after the domain's patches")


class Workflow(Resource):
    """A typed, static workflow."""

    KIND: ClassVar[Kind] = Kind(
        name="Workflow",
        plural="workflows",
        short="awf",
        description="Workflow is a typed, static graph of tasks, compiled to an Argo WorkflowTemplate.",
        columns=(Column("Version", ".spec.version"), READY, MESSAGE, AGE),
        name_rules=(
            label_name(names.MOST_OBJECT_NAME),
            NameRule(
                cel="!self.metadata.name.startsWith('lp-')",
                holds=lambda name: not name.startswith("lp-"),
                message="must not start with lp-, because the templates of launch plans do",
            ),
        ),
    )

    kind: Literal["Workflow"] = "Workflow"
    spec: WorkflowSpec
    status: WorkflowStatus | None = None
