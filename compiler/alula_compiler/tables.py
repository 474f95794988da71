"""Look-up by name over a program: built once by a pass, so that no pass searches a list per node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from alula_api.contract.graphs.interfaces import Interfaces
from alula_api.contract.graphs.specs import GraphSpec, TaskSpec
from alula_compiler.program import Program


@dataclass(frozen=True)
class Tables:
    """The tasks and graphs of a program by name, and the interfaces of calls."""

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
    def interfaces(self) -> Interfaces:
        """What every call takes and gives."""
        return Interfaces(self.program.tasks, self.program.graphs)
