"""Look-up by name over a program: built once by a pass, so that no pass searches a list per node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from alula_api.contract.families import Schema
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Port, TaskSpec
from alula_compiler.program import Program


@dataclass(frozen=True)
class Interface:
    """What a task or graph takes and gives, by name."""

    inputs: Mapping[str, Port]
    outputs: Mapping[str, Schema]


def _interface(called: TaskSpec | GraphSpec) -> Interface:
    return Interface({port.name: port for port in called.inputs}, {each.name: each.type for each in called.outputs})


@dataclass(frozen=True)
class Tables:
    """The tasks and graphs of a program by name, and their interfaces."""

    program: Program

    @cached_property
    def tasks(self) -> Mapping[str, TaskSpec]:
        """Tasks by name."""
        return {task.name: task for task in self.program.tasks}

    @cached_property
    def graphs(self) -> Mapping[str, GraphSpec]:
        """Graphs by name."""
        return {graph.name: graph for graph in self.program.graphs}

    @cached_property
    def _of_tasks(self) -> Mapping[str, Interface]:
        return {name: _interface(task) for name, task in self.tasks.items()}

    @cached_property
    def _of_graphs(self) -> Mapping[str, Interface]:
        return {name: _interface(graph) for name, graph in self.graphs.items()}

    def interface(self, node: NodeSpec) -> Interface | None:
        """Return the interface of what a node calls, or None when there is no such task or graph."""
        if node.task is not None:
            return self._of_tasks.get(node.task)
        return self._of_graphs.get(node.graph or "")
