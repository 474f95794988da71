"""Lists that are put together inside other such lists: only a task can make those, here as on a cluster.

Called by `closures` for a workflow with all that it calls. Whether an input or a result of a sub-workflow is such a
list depends on the call, so each sub-workflow is looked at once for each form in which it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alula.interfaces import callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import walks
from alula_api.contract.graphs.bindings import Binding, FromInput, FromNode, Items

if TYPE_CHECKING:
    from alula.graph.nodes import Graph

Ports = frozenset[str]


class NestedLists:
    """What is wrong in one workflow and all that it calls.

    Attributes:
        problems: Each once.

    Args:
        graphs: Of all workflows, by the identity of the workflow.
        subjects: What messages call those.
    """

    def __init__(self, graphs: Mapping[int, Graph], subjects: Mapping[int, str]) -> None:
        self.problems: dict[Diagnostic, None] = {}
        self._graphs, self._subjects = graphs, subjects
        self._known: dict[tuple[int, Ports], Ports] = {}

    def look(self, workflow: int, inputs: Ports = frozenset(), depth: int = 0) -> Ports:
        """Return the outputs that are such lists when these inputs are; no deeper than any run can go."""
        if depth > walks.MAX_DEPTH:
            return frozenset()
        known = self._known.get((workflow, inputs))
        if known is None:
            known = self._known[workflow, inputs] = self._look(workflow, inputs, depth)
        return known

    def _look(self, workflow: int, inputs: Ports, depth: int) -> Ports:
        graph, subject = self._graphs[workflow], self._subjects[workflow]
        made: dict[str, Ports] = {}

        def is_list(binding: Binding) -> bool:
            if isinstance(binding, Items):
                return True
            if isinstance(binding, FromInput):
                return not binding.path and binding.input in inputs
            if isinstance(binding, FromNode):
                return not binding.path and binding.output in made.get(binding.node, ())
            return False

        def check(binding: Binding, source: str, where: str) -> None:
            if isinstance(binding, Items) and any(map(is_list, binding.leaves)):
                message = "a list of single values must not stand inside another list of single values"
                hint = "collect the inner list in a task"
                found = Diagnostic(Code.UNSUPPORTED_BINDING, message, source, f"{subject}, {where}", "", hint)
                self.problems[found] = None

        for node in graph.nodes:
            for name, binding in node.bindings.items():
                check(binding, str(node.source), f"node {node.id}, input {name}")
            if node.target.kind == callee.WORKFLOW:
                listed = frozenset(name for name, binding in node.bindings.items() if is_list(binding))
                made[node.id] = self.look(id(node.target), listed, depth + 1)
        for name, binding in graph.outputs:
            check(binding, str(graph.source), f"output {name}")
        return frozenset(name for name, binding in graph.outputs if is_list(binding))
