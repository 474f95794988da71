"""The traced graph as values: what the local runner walks and emission writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alula.code.places import Call, Source

if TYPE_CHECKING:
    from alula.interfaces.callee import Callee
    from alula.interfaces.interface import Input, Output
    from alula_api.contract.graphs.bindings import Binding


class Draft:
    """A node that is being recorded; its line is looked up at the end."""

    __slots__ = ("bindings", "call", "id", "index", "target")

    def __init__(self, index: int, id: str, target: Callee, call: Call) -> None:
        self.index = index
        self.id = id
        self.target = target
        self.call = call
        self.bindings: dict[str, Binding] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a task or workflow.

    Attributes:
        id: Readable and unique in its graph: `train`, `train-2`.
        bindings: An entry for each input that the call gives; the others take their defaults.
        after: Ids of nodes that must be finished first besides those that the bindings name.
    """

    id: str
    target: Callee
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
