"""A workflow as the compiler reads it: frozen, comparable values, without Argo and without Kubernetes' envelope.

`reading` makes a `Program` from resources, each pass makes a new one from it, and nothing changes one in place. No
field waits for a later pass: what Argo needs beyond this is in `argo.model`. Names are names: a node says which task it
calls, and what needs the task looks it up in `tables`.
"""

from __future__ import annotations

from dataclasses import dataclass

from alula_api.contract.graphs.specs import GraphSpec, TaskSpec


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
    tasks: tuple[TaskSpec, ...] = ()
    graphs: tuple[GraphSpec, ...] = ()
    plans: tuple[LaunchPlan, ...] = ()
    domain: Domain = Domain()

    def graph(self, name: str) -> GraphSpec | None:
        """Return the graph of that name."""
        return next((graph for graph in self.graphs if graph.name == name), None)

    @property
    def main(self) -> GraphSpec:
        """The graph that a run starts with; the resolving pass has made sure that there is one."""
        return next(graph for graph in self.graphs if graph.is_main)
