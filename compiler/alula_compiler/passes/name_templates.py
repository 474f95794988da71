"""Every task and graph gets the name of its Argo template, as near to the author's as can be.

One template a task: what differs between calls are arguments. Only a list of single values needs another command line
than one value, so a task that is called in several such ways has a template for each: `join`, `join-2`.
"""

from __future__ import annotations

import dataclasses

from alula_compiler import engines, problems
from alula_compiler import program as ir

_Form = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
"""The inputs that are lists of single values, with the path in each of those."""


def run(program: ir.Program, settings: engines.Engine, report: problems.Report) -> ir.Program:
    """Set the template of every node and graph, and list the tasks' templates."""
    taken = {ir.ADMIT, ir.MAIN}
    forms = _forms(program)
    paths = _paths(program)
    names: dict[tuple[str, _Form], str] = {}
    templates = []
    for task, task_forms in forms.items():
        for form in task_forms:
            names[task, form] = _free(task, taken)
            lists = {name for name, _ in form}
            parts = tuple(name for name in paths.get(task, ()) if name not in lists)
            templates.append(ir.TaskTemplate(names[task, form], task, parts, form))
    of_graphs = {
        graph.name: graph.name if graph.name == ir.MAIN else _free(graph.name, taken) for graph in program.graphs
    }

    def named(node: ir.Node) -> ir.Node:
        if node.task is None:
            return dataclasses.replace(node, template=of_graphs[node.target])
        return dataclasses.replace(node, template=names[node.task, _form(node)])

    graphs = tuple(
        dataclasses.replace(graph, template=of_graphs[graph.name], nodes=tuple(named(node) for node in graph.nodes))
        for graph in program.graphs
    )
    return dataclasses.replace(program, graphs=graphs, templates=tuple(templates))


def _free(name: str, taken: set[str]) -> str:
    """The name itself, else the first of `<name>-2`, `<name>-3`, ... that is free; it is taken afterwards."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found)
    return found


def _form(node: ir.Node) -> _Form:
    return tuple(
        (name, tuple(() if isinstance(leaf, ir.Constant) else leaf.path for leaf in binding.leaves))
        for name, binding in sorted(node.inputs, key=lambda pair: pair[0])
        if isinstance(binding, ir.Items)
    )


def _forms(program: ir.Program) -> dict[str, dict[_Form, None]]:
    """The forms in which each task is called, in the order of the tasks and of the calls."""
    forms: dict[str, dict[_Form, None]] = {task.name: {} for task in program.tasks}
    for graph in program.graphs:
        for node in graph.nodes:
            if node.task is not None:
                forms[node.task][_form(node)] = None
    return forms


def _paths(program: ir.Program) -> dict[str, dict[str, None]]:
    """The inputs of each task of which some call passes only a part."""
    found: dict[str, dict[str, None]] = {}
    for graph in program.graphs:
        for node in graph.nodes:
            for name, binding in node.inputs:
                if node.task is not None and isinstance(binding, ir.FromInput | ir.FromNode) and binding.path:
                    found.setdefault(node.task, {})[name] = None
    return found
