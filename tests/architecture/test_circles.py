"""No module imports what imports it, lazy and typing imports included, but for the few circles that stand here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from tests.architecture.test_structure import MODULES, ROOT

ALLOWED = {
    ("alula.declare.workflows", "alula.declare.handlers"): (
        "a workflow has handlers, and a handler is a workflow of one node, with a name and resource of its own"
    ),
    ("alula.declare.triggers", "alula.declare.launch_plans"): (
        "a launch plan has a trigger, and `After` is one that names the launch plan whose runs are waited for"
    ),
}
"""Imports that close a circle, with the reason why two modules cannot do without each other."""

PATHS = {".".join(path.relative_to(ROOT).with_suffix("").parts[1:]).removesuffix(".__init__"): path for path in MODULES}


def imports(statements: Iterable[ast.AST]) -> Iterator[str]:
    """The names that statements import, wherever they stand; a name may be that of an object in a module."""
    for each in statements:
        if isinstance(each, ast.ImportFrom):
            yield from (f"{each.module}.{alias.name}" for alias in each.names)
        elif isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        else:
            for block in ("body", "orelse", "handlers", "finalbody", "cases"):
                yield from imports(getattr(each, block, ()))


def imported(module: str) -> set[str]:
    found = imports(ast.parse(PATHS[module].read_text(encoding="utf-8")).body)
    return {name if name in PATHS else name.rpartition(".")[0] for name in found} & PATHS.keys() - {module}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle, each module imported by the next; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]  # type: ignore[no-any-return]
    return []


def test_modules_import_each_other_in_one_direction() -> None:
    graph = {module: imported(module) for module in PATHS}
    assert sum(map(len, graph.values())) > len(PATHS)
    for (module, other), reason in ALLOWED.items():
        assert other in graph[module], f"{module} does not import {other} any more: drop it from ALLOWED"
        graph[module].remove(other)
        assert reason
    assert circle(graph) == []
    for module, other in ALLOWED:
        assert circle({**graph, module: {*graph[module], other}}), f"{module} may import {other}: drop it from ALLOWED"
