"""Argo's side of a workflow: which templates there are, and the objects. Made from a program, once, by `argo.build`."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from alula_api.contract import jsontext
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import Items
from alula_api.contract.graphs.calls import BranchCall, GraphCall, MapCall, RepeatCall, TaskCall
from alula_api.contract.graphs.specs import NodeSpec

Object: TypeAlias = dict[str, Any]
"""An object of Kubernetes or Argo, or a part of one, as JSON data."""

_FIRST = operator.itemgetter(0)

Form: TypeAlias = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
"""The inputs of a call that are lists of single values, with the path in each of those."""


def form(node: NodeSpec) -> Form:
    """Return the form of a call. Calls of one task that have one form share a template.

    In a map and in a repeat a list is a value.
    """
    if isinstance(node.call, MapCall | RepeatCall):
        return ()
    lists = [(name, binding) for name, binding in node.inputs if isinstance(binding, Items)]
    return tuple((name, tuple(leaf.path for leaf in items.leaves)) for name, items in sorted(lists, key=_FIRST))


@dataclass(frozen=True, slots=True)
class TaskTemplate:
    """One Argo template of a task; a second one only where calls pass lists of another form."""

    name: str
    task: str
    paths: tuple[str, ...] = ()
    """Inputs of which some call passes only a part."""
    items: Form = ()
    batch: MapCall | None = None
    """The map of which its pods run a batch of items each."""


@dataclass(frozen=True, slots=True)
class Names:
    """The templates of a program by what they run."""

    tasks: Mapping[tuple[str, Form], TaskTemplate]
    graphs: Mapping[str, str]
    branches: Mapping[tuple[str, ...], str]
    """By the graphs of a conditional."""
    maps: Mapping[tuple[MapCall, tuple[str, ...]], str] = field(default_factory=dict)
    """By the map and the inputs that its node gives."""

    tries: Mapping[tuple[MapCall, tuple[str, ...]], str] = field(default_factory=dict)
    """The templates of items that may fail, likewise."""
    batches: Mapping[tuple[MapCall, tuple[str, ...]], TaskTemplate] = field(default_factory=dict)
    """The templates of batches of items, likewise."""

    @property
    def know_batches(self) -> bool:
        """Whether a list that a map goes over may travel in batches; only then do maps ask in which form it does."""
        return bool(self.batches)

    repeats: Mapping[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    """By the repeat and the inputs that its node gives."""

    def of(self, node: NodeSpec) -> str:
        """Return the name of the template that a node calls."""
        match node.call:
            case TaskCall(task):
                return self.tasks[task, form(node)].name
            case GraphCall():
                return self.single(node.call)
            case BranchCall():
                return self.branches[calls.graphs(node.call)]
            case MapCall():
                return self.maps[map_key(node, node.call)]
            case RepeatCall():
                return self.repeats[repeat_key(node, node.call)]
            case _:
                assert_never(node.call)

    def single(self, call: TaskCall | GraphCall) -> str:
        """Return the name of the template of a task that gets whole values, or of a graph."""
        return self.tasks[call.task, ()].name if isinstance(call, TaskCall) else self.graphs[call.graph]

    def item(self, node: NodeSpec) -> str:
        """Return the name of the template of an item of a map, or of a batch of them, or of a round of a repeat; empty
        for every other call."""
        if isinstance(node.call, RepeatCall):
            return self.single(node.call.step)
        if not isinstance(node.call, MapCall):
            return ""
        batch = self.batches.get(map_key(node, node.call))
        return batch.name if batch is not None else self.single(node.call.item)

    def paths(self, call: TaskCall | GraphCall) -> tuple[str, ...]:
        """Return the inputs of which the template of a task or graph takes a part."""
        return self.tasks[call.task, ()].paths if isinstance(call, TaskCall) else ()

    def paths_of_item(self, node: NodeSpec, call: MapCall) -> tuple[str, ...]:
        """Return the inputs of which that of an item or batch takes a part."""
        batch = self.batches.get(map_key(node, call))
        return batch.paths if batch is not None else self.paths(call.item)


def map_key(node: NodeSpec, call: MapCall) -> tuple[MapCall, tuple[str, ...]]:
    """Return what the maps that share a template have in common."""
    return call, tuple(name for name, _ in node.inputs)


def repeat_key(node: NodeSpec, call: RepeatCall) -> tuple[str, tuple[str, ...]]:
    """Return what the repeats that share a template have in common."""
    spelled = jsontext.dumps_sorted(calls.to_json(call, lambda schema: schema))
    return spelled, tuple(name for name, _ in node.inputs)


@dataclass(frozen=True, slots=True)
class ArgoProgram:
    """A workflow and its launch plans in Argo's terms."""

    names: Names
    common: Object
    """What the specs of the workflow and of its launch plans share."""
    templates: tuple[Object, ...]
    """The templates of those specs, likewise."""
    objects: tuple[Object, ...]
    plans: Mapping[str, Object]
    """For each WorkflowTemplate, by its name, what the controller needs to admit its runs."""
    notes: tuple[str, ...] = ()
    """What its author may want to know although nothing is wrong."""
