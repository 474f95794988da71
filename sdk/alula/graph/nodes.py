"""The traced graph as values: what the local runner walks and emission writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alula.code.places import Source

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.declare.workflows import Workflow
    from alula.graph.bindings import Binding
    from alula.interfaces.interface import Input, Output


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a task or workflow.

    Attributes:
        id: Readable and unique in its graph: `train`, `train-2`.
        bindings: An entry for each input that the call gives; the others take their defaults.
        after: Ids of nodes that must be finished first besides those that the bindings name.
    """

    id: str
    target: Task[..., Any] | Workflow[..., Any]
    bindings: Mapping[str, Binding]
    after: tuple[str, ...]
    source: Source


@dataclass(frozen=True)
class Graph:
    """A workflow as a static graph; `nodes` stand in an order in which they could run."""

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, Binding], ...]
    nodes: tuple[Node, ...]
    source: Source
    output_types: tuple[Output, ...] = field(default=(), repr=False)
