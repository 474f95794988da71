"""The compiler's own form of a workflow: frozen, comparable values, without Argo and without Kubernetes' envelope.

`reading` makes a `Program` from resources, each pass makes a new one from it, and nothing changes one in place. Names
are names: a node says which task it calls, and whoever needs the task looks it up in a table of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]
Object: TypeAlias = dict[str, Any]

MAIN = "main"
"""The graph that a run starts with; its inputs and outputs are the workflow's."""
ADMIT = "admit"
"""The first node of every run, and its template: the controller completes it, so nobody else may have the name."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the author wrote, as JSON text."""

    text: str


@dataclass(frozen=True, slots=True)
class FromInput:
    """An input of the graph, or what lies behind an attribute path in it."""

    input: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FromNode:
    """An output of a node of the same graph, or what lies behind an attribute path in it."""

    node: str
    output: str
    path: tuple[str, ...] = ()


Leaf: TypeAlias = Constant | FromInput | FromNode


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose elements have each their own source."""

    leaves: tuple[Leaf, ...]


Binding: TypeAlias = Leaf | Items


def leaves(binding: Binding) -> tuple[Leaf, ...]:
    """Return the sources that a binding reads: itself, or each element of a list."""
    return binding.leaves if isinstance(binding, Items) else (binding,)


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a workflow, graph or task, or an output of a task."""

    name: str
    type: Schema
    default: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a graph, and where its value comes from."""

    name: str
    type: Schema
    binding: Binding
    description: str = ""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between attempts."""

    duration: str
    factor: int | None = None
    cap: str | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """How Argo runs a task's attempts: what `lower_tasks` makes of the task's own options."""

    image: str
    env: tuple[Object, ...]
    retry: Object
    deadline: int | None = None
    resources: Object = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A task: what to call, with which types, and how to run it."""

    name: str
    entrypoint: str
    key: str = ""
    source: str = ""
    description: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    cache: str | None = None
    retries: int = 0
    backoff: Backoff | None = None
    timeout: str | None = None
    image: str | None = None
    resources: Object = field(default_factory=dict)
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str, str], ...] = ()
    """(environment variable, Secret, key in the Secret)"""
    pod: Pod | None = None
    """Set by `lower_tasks`."""


@dataclass(frozen=True, slots=True)
class Node:
    """One call in a graph, of a task or of another graph."""

    id: str
    task: str | None = None
    graph: str | None = None
    inputs: tuple[tuple[str, Binding], ...] = ()
    after: tuple[str, ...] = ()
    source: str = ""
    template: str = ""
    """The Argo template that runs it; set by `name_templates`."""

    @property
    def target(self) -> str:
        """The name of the task or graph that is called."""
        return self.task if self.task is not None else self.graph or ""

    def reads(self) -> list[Leaf]:
        """Every source that the node's inputs have."""
        return [leaf for _, binding in self.inputs for leaf in leaves(binding)]

    def depends(self) -> tuple[str, ...]:
        """The nodes that must have succeeded before: those it reads from, then those it only waits for, each once."""
        names = [leaf.node for leaf in self.reads() if isinstance(leaf, FromNode)]
        return tuple(dict.fromkeys((*names, *self.after)))


@dataclass(frozen=True, slots=True)
class Graph:
    """A static graph of nodes."""

    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Output, ...] = ()
    nodes: tuple[Node, ...] = ()
    source: str = ""
    template: str = ""
    """The Argo template that it becomes; set by `name_templates`."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """The workflow with inputs, some of them fixed, and a schedule."""

    name: str
    workflow: str
    inputs: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    description: str = ""
    crons: tuple[str, ...] = ()
    timezone: str | None = None
    suspend: bool = False
    source: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Domain:
    """What the namespace's Domain says to the compiler."""

    secret: str = ""


@dataclass(frozen=True, slots=True)
class Storage:
    """What every pod is told about data and code; made by `apply_domain`."""

    secret: str = ""


@dataclass(frozen=True, slots=True)
class TaskTemplate:
    """One Argo template of a task; a second one only where calls pass lists of another shape."""

    name: str
    task: str
    paths: tuple[str, ...] = ()
    """Inputs of which some call passes only a part."""
    items: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = ()
    """Inputs that are lists of single values, and the path in each of those."""


@dataclass(frozen=True, slots=True)
class Program:
    """A workflow, its launch plans and its domain, in whatever state the passes have brought them to."""

    name: str
    version: str
    image: str
    description: str = ""
    source: str = ""
    runtime: int = 1
    """Version of the pod's contract that the release speaks."""
    bundle: str = ""
    """Digest of the code that is laid over the image; empty without."""
    tasks: tuple[Task, ...] = ()
    graphs: tuple[Graph, ...] = ()
    plans: tuple[LaunchPlan, ...] = ()
    domain: Domain = Domain()
    storage: Storage | None = None
    templates: tuple[TaskTemplate, ...] = ()
    """Set by `name_templates`."""
    objects: tuple[Object, ...] = ()
    """The compiled Argo objects; set by `emit`."""
    plans_by_template: Mapping[str, Object] = field(default_factory=dict)
    """What `admit` needs to know of each compiled WorkflowTemplate, by its name; set by `emit`."""

    def graph(self, name: str) -> Graph | None:
        """Return the graph of that name."""
        return next((graph for graph in self.graphs if graph.name == name), None)

    @property
    def main(self) -> Graph:
        """The graph that a run starts with; the resolving pass has made sure that there is one."""
        return next(graph for graph in self.graphs if graph.name == MAIN)
