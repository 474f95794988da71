"""What only a task can make, here as on a cluster: a list inside a list, and a part of a value that a branch gives.

Called by `closures` for a workflow with all that it calls. Whether an input or a result of a sub-workflow is such a
list or part depends on the call, so each sub-workflow is looked at once for each form in which it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from alula.interfaces import callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import calls, walks
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode, Items

if TYPE_CHECKING:
    from alula.graph.nodes import Graph, Node
    from alula.interfaces.callee import Callee

Form: TypeAlias = "str | tuple[Form, ...]"
"""What stands for a value: itself, a part of it, or a list with each element's own form."""
Forms: TypeAlias = tuple[tuple[str, Form], ...]
"""Those of inputs or outputs, by name, that are not simply values."""
WHOLE: Final = ""
PART: Final = "part"
CONSTANT: Final = "constant"
"""An element of a list whose parts are known."""


class ValueForms:
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
        self._known: dict[tuple[int, Forms], Forms] = {}

    def look(self, workflow: int, inputs: Forms = (), depth: int = 0) -> Forms:
        """Return the outputs that are parts or lists when these inputs are; no deeper than any run can go."""
        if depth > walks.MAX_DEPTH:
            return ()
        known = self._known.get((workflow, inputs))
        if known is None:
            known = self._known[workflow, inputs] = self._look(workflow, dict(inputs), depth)
        return known

    def _look(self, workflow: int, inputs: Mapping[str, Form], depth: int) -> Forms:
        graph, subject = self._graphs[workflow], self._subjects[workflow]
        made: dict[tuple[str, str], Form] = {}

        def form(binding: Binding) -> Form:
            if isinstance(binding, Items):
                return tuple(CONSTANT if isinstance(leaf, Constant) else form(leaf) for leaf in binding.leaves)
            if isinstance(binding, FromInput):
                return _behind(inputs.get(binding.input, WHOLE), binding.path)
            if isinstance(binding, FromNode):
                return _behind(made.get((binding.node, binding.output), WHOLE), binding.path)
            return WHOLE

        def check(binding: Binding, source: str, where: str) -> None:
            if isinstance(binding, Items) and any(isinstance(each, tuple) for each in form(binding)):
                message = "a list of single values must not stand inside another list of single values"
                hint = "collect the inner list in a task"
                found = Diagnostic(Code.UNSUPPORTED_BINDING, message, source, f"{subject}, {where}", "", hint)
                self.problems[found] = None

        for node in graph.nodes:
            for name, binding in node.bindings.items():
                check(binding, str(node.source), f"node {node.id}, input {name}")
            over = calls.over(node.call)
            given = _those({name: PART if name in over else form(each) for name, each in node.bindings.items()})
            fed = calls.fed(node.call)
            for called in node.called:
                if called.kind != callee.WORKFLOW:
                    continue
                found = self.look(id(called), given, depth + 1)
                self._fed([name for name, _ in given if name in fed], node, subject)
                if calls.branches(node.call) or over or fed:
                    self._several(called, found, node, subject)
                else:
                    made.update(((node.id, name), each) for name, each in found)
        for name, binding in graph.outputs:
            check(binding, str(graph.source), f"output {name}")
        return _those({name: form(binding) for name, binding in graph.outputs})

    def _fed(self, names: list[str], node: Node, subject: str) -> None:
        """Each round of a repeated workflow takes a whole value, as every round after the first one gets."""
        for name in names:
            where = f"{subject}, node {node.id}, input {name}"
            source, hint = str(node.source), calls.WHOLE_STATE
            found = Diagnostic(Code.UNSUPPORTED_BINDING, calls.PART_OF_STATE, source, where, "", hint)
            self.problems[found] = None

    def _several(self, called: Callee, outputs: Forms, node: Node, subject: str) -> None:
        """Branches and items give whole values: what one of them passes on in part has no form that all share."""
        if outputs:
            told = ", ".join(name for name, _ in outputs)
            message = f"the graph {called.name} gives a part of a value, or a list of single values, as {told}"
            hint = f"let a task of the {'branch' if calls.branches(node.call) else 'workflow'} make the value"
            where = f"{subject}, node {node.id}"
            self.problems[Diagnostic(Code.UNSUPPORTED_BINDING, message, str(node.source), where, "", hint)] = None


def _those(forms: Mapping[str, Form]) -> Forms:
    return tuple(sorted((name, form) for name, form in forms.items() if form != WHOLE))


def _behind(form: Form, path: tuple[str, ...]) -> Form:
    """The form of what lies behind a path, of which other checks say whether it is there."""
    place = 0
    while place < len(path) and isinstance(form, tuple):
        step = path[place]
        form = form[int(step)] if step.isdecimal() and int(step) < len(form) else WHOLE
        place += 1
    if form == CONSTANT:
        return WHOLE
    return PART if place < len(path) else form
