"""What only a task can make or read, here as on a cluster: lists in lists, parts of values, lists that maps made.

Called by `closures` for a workflow with all that it calls. Whether an input or a result of a sub-workflow is such a
list or part depends on the call, so each sub-workflow is looked at once for each form in which it is called.
"""

from __future__ import annotations

import dataclasses
import operator
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


@dataclasses.dataclass(frozen=True, slots=True)
class Gathered:
    """A list that a map made, of which no pod makes one piece, or what lies in it.

    Attributes:
        by: The node of the map.
        batched: Whether its items lie in batches, which publish nothing else.
        item: The list that each of its items is, where a map inside the mapped workflow makes that.
        inside: Whether it is something in the list.
        alone: Whether it is an item of another map's list, which travels in a list of it alone.
    """

    by: str
    batched: bool
    item: Gathered | None = None
    inside: bool = False
    alone: bool = False


Form: TypeAlias = "str | Gathered | tuple[Form, ...]"
"""What stands for a value: itself, a part of it, a map's list, or a list with each element's own form."""
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
        self._running: dict[int, bool] = {}

    def look(self, workflow: int, inputs: Forms = (), depth: int = 0) -> Forms:
        """Return the outputs that are parts or lists when these inputs are; no deeper than any run can go."""
        if depth > walks.MAX_DEPTH:
            return ()
        known = self._known.get((workflow, inputs))
        if known is None:
            looked = _Look(self, self._graphs[workflow], self._subjects[workflow], dict(inputs), depth)
            known = self._known[workflow, inputs] = looked.outputs()
        return known

    def runs_a_task(self, workflow: int, depth: int = 0) -> bool:
        """Tell whether a workflow has a node that stays one: a task, or what decides."""
        if depth > walks.MAX_DEPTH:
            return True
        known = self._running.get(workflow)
        if known is None:
            known = self._running[workflow] = any(
                calls.deciding(node.call)
                or any(each.kind == callee.TASK or self.runs_a_task(id(each), depth + 1) for each in node.called)
                for node in self._graphs[workflow].nodes
            )
        return known


class _Look:
    """One look at a workflow that is called with inputs of these forms."""

    def __init__(self, forms: ValueForms, graph: Graph, subject: str, inputs: Mapping[str, Form], depth: int) -> None:
        self._forms, self._graph, self._subject = forms, graph, subject
        self._inputs, self._depth = inputs, depth
        self._made: dict[tuple[str, str], Form] = {}

    def outputs(self) -> Forms:
        for node in self._graph.nodes:
            for name, binding in node.bindings.items():
                self._check(binding, str(node.source), f"node {node.id}, input {name}")
            self._decide(node)
            self._call(node)
        for name, binding in self._graph.outputs:
            self._check(binding, str(self._graph.source), f"output {name}")
        return _those({name: self._form(binding) for name, binding in self._graph.outputs})

    def _form(self, binding: Binding) -> Form:
        if isinstance(binding, Items):
            return tuple(CONSTANT if isinstance(leaf, Constant) else self._form(leaf) for leaf in binding.leaves)
        if isinstance(binding, FromInput):
            return _behind(self._inputs.get(binding.input, WHOLE), binding.path)
        if isinstance(binding, FromNode):
            return _behind(self._made.get((binding.node, binding.output), WHOLE), binding.path)
        return WHOLE

    def _check(self, binding: Binding, source: str, where: str) -> None:
        """No list of single values stands in another one."""
        form = self._form(binding)
        if isinstance(form, tuple) and any(isinstance(each, tuple) for each in form):
            message = "a list of single values must not stand inside another list of single values"
            self._wrong(message, "collect the inner list in a task", source, where)

    def _decide(self, node: Node) -> None:
        """What decides looks into no list that a map made; a map goes over whole values."""
        over = calls.over(node.call)
        for name in calls.deciding(node.call):
            form = self._form(node.bindings[name])
            if isinstance(form, Gathered) and (form.inside or not over):
                self._in_no_piece("items" if over else "scalar", form, node)
            if over and isinstance(form, tuple) and any(map(_is_part, form)):
                self._wrong(calls.PART_IN_LIST, calls.COLLECT, str(node.source), f"node {node.id}, input {name}")

    def _call(self, node: Node) -> None:
        """What a node gives, and what is wrong with the workflows that it runs."""
        call = node.call
        gathered = Gathered(node.id, calls.is_batched(call))
        self._made.update(((node.id, name), gathered) for name in calls.listed(call))
        given = _those({name: self._given(node, name, binding) for name, binding in node.bindings.items()})
        workflows = [each for each in node.called if each.kind == callee.WORKFLOW]
        for called in workflows:
            found = self._forms.look(id(called), given, self._depth + 1)
            several = bool(calls.deciding(call) or calls.fed(call))
            if several and not calls.branches(call):
                self._runs(called, node)
            self._watch(dict(found), node)
            if several:
                self._several(called, found, node)
            for name, form in found:
                if calls.over(call):
                    if isinstance(form, Gathered) and name in calls.listed(call):
                        self._made[node.id, name] = dataclasses.replace(gathered, item=form)
                elif not several or isinstance(form, Gathered):
                    self._made[node.id, name] = form
        if workflows:
            self._feed(dict(given), node)

    def _given(self, node: Node, name: str, binding: Binding) -> Form:
        """The form of an input: of a list that is gone over that of an item."""
        form = self._form(binding)
        if name not in calls.over(node.call):
            return form
        if isinstance(form, tuple):
            found = next((each for each in form if isinstance(each, Gathered)), None)
        elif isinstance(form, Gathered):
            found = dataclasses.replace(form, inside=True) if form.batched else form.item
        else:
            found = None
        return dataclasses.replace(found, alone=True) if found else PART

    def _watch(self, made: Mapping[str, Form], node: Node) -> None:
        """The condition of a repeat looks into no list that a map in a round made."""
        for watched in calls.watched(node.call):
            form = made.get(watched.output) if watched.output else None
            if isinstance(form, Gathered):
                self._in_no_piece("scalar", form, node)

    def _feed(self, given: Mapping[str, Form], node: Node) -> None:
        """Each round of a repeated workflow takes a whole value, as every round after the first one gets."""
        for name in calls.fed(node.call):
            form = given.get(name, WHOLE)
            if form != WHOLE and (not isinstance(form, Gathered) or _is_part(form)):
                where = f"node {node.id}, input {name}"
                self._wrong(calls.PART_OF_STATE, calls.WHOLE_STATE, str(node.source), where)

    def _several(self, called: Callee, outputs: Forms, node: Node) -> None:
        """Branches and items give whole values: what one of them passes on in part has no form that all share."""
        parts = [name for name, form in outputs if not isinstance(form, Gathered) or _is_part(form)]
        if parts:
            told = ", ".join(parts)
            message = f"the graph {called.name} gives a part of a value, or a list of single values, as {told}"
            hint = f"let a task of the {'branch' if calls.branches(node.call) else 'workflow'} make the value"
            self._wrong(message, hint, str(node.source), f"node {node.id}")

    def _runs(self, called: Callee, node: Node) -> None:
        """A map or a repeat has something to run."""
        if not self._forms.runs_a_task(id(called)):
            is_map = bool(calls.over(node.call))
            message = calls.RUNS_NO_TASK.format(*(calls.OF_ITEMS if is_map else calls.OF_ROUNDS), called.name)
            hint = calls.LEAVE_OUT.format("map" if is_map else "repeat")
            self._wrong(message, hint, str(node.source), f"node {node.id}")

    def _in_no_piece(self, use: str, form: Gathered, node: Node) -> None:
        message = calls.IN_NO_PIECE.format(calls.USES[use], form.by)
        self._wrong(message, calls.TAKE_LIST, str(node.source), f"node {node.id}")

    def _wrong(self, message: str, hint: str, source: str, where: str) -> None:
        found = Diagnostic(Code.UNSUPPORTED_BINDING, message, source, f"{self._subject}, {where}", "", hint)
        self._forms.problems[found] = None


def _those(forms: Mapping[str, Form]) -> Forms:
    return tuple(sorted(((name, form) for name, form in forms.items() if form != WHOLE), key=_BY_NAME))


_BY_NAME = operator.itemgetter(0)


def _is_part(form: Form) -> bool:
    return form == PART or (isinstance(form, Gathered) and (form.inside or form.alone))


def _behind(form: Form, path: tuple[str, ...]) -> Form:
    """The form of what lies behind a path, of which other checks say whether it is there."""
    place = 0
    while place < len(path) and isinstance(form, tuple):
        step = path[place]
        form = form[int(step)] if step.isdecimal() and int(step) < len(form) else WHOLE
        place += 1
    if form == CONSTANT:
        return WHOLE
    if isinstance(form, Gathered):
        return dataclasses.replace(form, inside=form.inside or place < len(path))
    return PART if place < len(path) else form
