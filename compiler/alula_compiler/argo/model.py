"""Argo's side of a workflow: which templates there are, and the objects. Made from a program, once, by `argo.build`."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from alula_api.contract.graphs.bindings import Items
from alula_api.contract.graphs.specs import NodeSpec

Object: TypeAlias = dict[str, Any]
"""An object of Kubernetes or Argo, or a part of one, as JSON data."""

_FIRST = operator.itemgetter(0)

Form: TypeAlias = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
"""The inputs of a call that are lists of single values, with the path in each of those."""


def form(node: NodeSpec) -> Form:
    """Return the form of a call. Calls of one task that have one form share a template."""
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


@dataclass(frozen=True, slots=True)
class Names:
    """The templates of a program by what they run."""

    tasks: Mapping[tuple[str, Form], TaskTemplate]
    graphs: Mapping[str, str]

    def of(self, node: NodeSpec) -> str:
        """Return the name of the template that a node calls."""
        return self.graphs[node.target] if node.task is None else self.tasks[node.task, form(node)].name


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
