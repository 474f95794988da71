"""The traced graph as values: what the local runner walks and emission writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alula.code import places
from alula.interfaces import callee
from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.calls import Call, GraphCall, TaskCall

if TYPE_CHECKING:
    from alula.interfaces.callee import Callee
    from alula.interfaces.interface import Input, Output
    from alula_api.contract.graphs.bindings import Binding
    from alula_api.contract.schemas import Schema


class Draft:
    """A node that is being recorded; its line is looked up at the end."""

    __slots__ = ("bindings", "call", "called", "id", "index", "outputs", "place", "subject")

    def __init__(
        self, index: int, id: str, call: Call, called: tuple[Callee, ...], place: places.Call, *, subject: str
    ) -> None:
        self.index = index
        self.id = id
        self.call = call
        self.called = called
        self.subject = subject
        self.place = place
        self.bindings: dict[str, Binding] = {}
        self.outputs: dict[str, Schema] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """One call in a workflow.

    Attributes:
        id: Readable and unique in its graph: `train`, `train-2`.
        call: What it does.
        called: The tasks and workflows that it may run, in their order.
        bindings: An entry for each input that the call gives; the others take their defaults.
        after: Ids of nodes that must be finished first besides those that the bindings name.
    """

    id: str
    call: Call
    called: tuple[Callee, ...]
    bindings: Mapping[str, Binding]
    after: tuple[str, ...]
    source: places.Source

    def depends(self) -> Iterator[str]:
        """The nodes that must be finished first."""
        yield from self.after
        for binding in self.bindings.values():
            yield from bindings.nodes(binding)


@dataclass(frozen=True)
class Graph:
    """A workflow as a static graph; `nodes` stand in an order in which they could run."""

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, Binding], ...]
    nodes: tuple[Node, ...]
    source: places.Source
    output_types: tuple[Output, ...] = field(default=(), repr=False)


def single(target: Callee) -> TaskCall | GraphCall:
    """The call of a task or workflow."""
    if target.kind == callee.TASK:
        return TaskCall(target.name)
    return GraphCall(target.name) if target.kind == callee.WORKFLOW else callee.refuse(target, "be called in a graph")
