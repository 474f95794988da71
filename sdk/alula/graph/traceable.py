"""What is a graph of its own: the base of `alula.declare.workflows.Workflow`, and of parts written in place.

Apart from `closures`, which walks them: a user's module declares workflows in a pod too, where nothing is traced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula.interfaces.callee import Callee

if TYPE_CHECKING:
    from alula.graph.nodes import Graph
    from alula_api.contract.diagnostics import Diagnostic


class Traceable(Callee):
    """A callee of the kind `WORKFLOW`."""

    @property
    def traced(self) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
        """The graph of this workflow alone, and everything that is wrong with it."""
        raise NotImplementedError

    @property
    def graph(self) -> Graph:
        """The static graph; what it reaches is checked too."""
        raise NotImplementedError
