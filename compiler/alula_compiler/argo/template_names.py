"""Every task and graph gets the name of its Argo template, as near to the author's as can be. Called by `argo.build`.

One template a task: what differs between calls are arguments. Only a list of single values needs another command line
than one value, so a task that is called in several such ways has a template for each: `join`, `join-2`.
"""

from __future__ import annotations

from collections.abc import Iterable

from alula_api.contract import names
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import path_of
from alula_api.contract.graphs.calls import MapCall, RepeatCall
from alula_api.contract.graphs.specs import NodeSpec
from alula_compiler.argo.model import Form, Names, TaskTemplate, form, map_key, repeat_key
from alula_compiler.program import Program


def names_of(program: Program) -> Names:
    """Return the templates that a program's tasks and graphs have."""
    taken = {names.ADMIT, names.MAIN, names.NOTHING}
    paths = _paths(program)
    tasks: dict[tuple[str, Form], TaskTemplate] = {}
    for task, forms in _forms(program).items():
        for one in forms:
            lists = {name for name, _ in one}
            parts = tuple(name for name in paths.get(task, ()) if name not in lists)
            tasks[task, one] = TaskTemplate(_free(task, taken), task, parts, one)
    batches = {
        key: TaskTemplate(_free(f"{task}-{names.BATCH}", taken), task, tuple(_bound_paths(nodes)), batch=key[0])
        for key, nodes in _batched(program).items()
        for task in calls.tasks(key[0])
    }
    graphs = {graph.name: graph.name if graph.is_main else _free(graph.name, taken) for graph in program.graphs}
    branches = {
        calls.graphs(node.call): node.id
        for graph in program.graphs
        for node in graph.nodes
        if calls.branches(node.call)
    }
    maps = {
        map_key(node, node.call): node.id
        for graph in program.graphs
        for node in graph.nodes
        if isinstance(node.call, MapCall)
    }
    repeats = {
        repeat_key(node, node.call): node.id
        for graph in program.graphs
        for node in graph.nodes
        if isinstance(node.call, RepeatCall)
    }
    return Names(
        tasks,
        graphs,
        {called: _free(node, taken) for called, node in branches.items()},
        {key: _free(node, taken) for key, node in maps.items()},
        {key: _free(f"{node}-{names.ITEM}", taken) for key, node in maps.items() if key[0].is_tolerant},
        batches,
        {key: _free(node, taken) for key, node in repeats.items()},
    )


def _batched(program: Program) -> dict[tuple[MapCall, tuple[str, ...]], list[NodeSpec]]:
    """The nodes of each map in batches."""
    found: dict[tuple[MapCall, tuple[str, ...]], list[NodeSpec]] = {}
    for graph in program.graphs:
        for node in graph.nodes:
            if isinstance(node.call, MapCall) and node.call.batch is not None:
                found.setdefault(map_key(node, node.call), []).append(node)
    return found


def _bound_paths(nodes: Iterable[NodeSpec]) -> dict[str, None]:
    """The inputs of which some of these maps passes only a part to all items."""
    over = {name for node in nodes for name in calls.over(node.call)}
    return {name: None for node in nodes for name, given in node.inputs if path_of(given) and name not in over}


def _free(name: str, taken: set[str]) -> str:
    """The name itself, else the first of `<name>-2`, `<name>-3`, ... that is free; it is taken afterwards."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found)
    return found


def _forms(program: Program) -> dict[str, dict[Form, None]]:
    """The forms in which each task is called, in the order of the tasks and of the calls."""
    forms: dict[str, dict[Form, None]] = {task.name: {} for task in program.tasks}
    for graph in program.graphs:
        for node in graph.nodes:
            for task in calls.tasks(node.call) if not calls.is_batched(node.call) else ():
                forms[task][form(node)] = None
    return forms


def _paths(program: Program) -> dict[str, dict[str, None]]:
    """The inputs of each task of which some call passes only a part."""
    found: dict[str, dict[str, None]] = {}
    for graph in program.graphs:
        for node in graph.nodes:
            if calls.is_batched(node.call):
                continue  # it has a template of its own
            over = calls.over(node.call)
            for name, binding in node.inputs:
                for task in calls.tasks(node.call) if path_of(binding) or name in over else ():
                    found.setdefault(task, {})[name] = None
    return found
