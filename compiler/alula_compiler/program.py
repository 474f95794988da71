"""A workflow as the compiler reads it: frozen, comparable values, without Argo and without Kubernetes' envelope.

`reading` makes a `Program` from resources, each pass makes a new one from it, and nothing changes one in place. No
field waits for a later pass: what Argo needs beyond this is in `argo.model`. Names are names: a node says which task it
calls, and what needs the task looks it up in `tables`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from alula_api.contract import names
from alula_api.contract.graphs.bindings import Binding, FromNode, Leaf, leaves, mapped
from alula_api.contract.retries import SYSTEM_RETRIES, Backoff, Budget

Schema: TypeAlias = dict[str, Any]

CONTAINER = "container"
"""The kind of a task that names none: its function, run in a pod."""


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
class Kind:
    """What runs a task, and its configuration as JSON text; `argo.tasks` knows the kinds."""

    name: str = CONTAINER
    config: str | None = None


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
    system_retries: int | None = None
    """None leaves it to the Domain."""
    backoff: Backoff | None = None
    timeout: str | None = None
    image: str | None = None
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str, str], ...] = ()
    """(environment variable, Secret, key in the Secret)"""
    kind: Kind = Kind()

    @property
    def budget(self) -> Budget:
        """The failures after which there is another attempt."""
        return Budget(self.retries, SYSTEM_RETRIES if self.system_retries is None else self.system_retries)


@dataclass(frozen=True, slots=True)
class Node:
    """One call in a graph, of a task or of another graph."""

    id: str
    task: str | None = None
    graph: str | None = None
    inputs: tuple[tuple[str, Binding], ...] = ()
    after: tuple[str, ...] = ()
    source: str = ""

    @property
    def target(self) -> str:
        """The name of the task or graph that is called."""
        return self.task if self.task is not None else self.graph or ""

    def reads(self) -> list[Leaf]:
        """Every source that the node's inputs have."""
        return [leaf for _, binding in self.inputs for leaf in leaves(binding)]

    def depends(self) -> tuple[str, ...]:
        """The nodes that must have succeeded before: those it reads from, then those it only waits for, each once."""
        read = [leaf.node for leaf in self.reads() if isinstance(leaf, FromNode)]
        return tuple(dict.fromkeys((*read, *self.after)))

    def reading(self, change: Callable[[Leaf], Leaf], after: tuple[str, ...]) -> Node:
        """Return the node with its sources changed, and other nodes that it only waits for."""
        inputs = tuple((name, mapped(binding, change)) for name, binding in self.inputs)
        return dataclasses.replace(self, inputs=inputs, after=after)


@dataclass(frozen=True, slots=True)
class Graph:
    """A static graph of nodes."""

    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Output, ...] = ()
    nodes: tuple[Node, ...] = ()
    source: str = ""

    @property
    def is_main(self) -> bool:
        """Whether a run starts with it; its inputs and outputs are the workflow's then."""
        return self.name == names.MAIN


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
    """The Secret with the pods' keys to the store; empty with workload identity, or to leave it to the installation."""
    system_retries: int | None = None
    """Of tasks that say nothing; None for the usual ones."""


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
    tasks: tuple[Task, ...] = ()
    graphs: tuple[Graph, ...] = ()
    plans: tuple[LaunchPlan, ...] = ()
    domain: Domain = Domain()

    def graph(self, name: str) -> Graph | None:
        """Return the graph of that name."""
        return next((graph for graph in self.graphs if graph.name == name), None)

    @property
    def main(self) -> Graph:
        """The graph that a run starts with; the resolving pass has made sure that there is one."""
        return next(graph for graph in self.graphs if graph.is_main)
