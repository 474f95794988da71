"""Which names a piece of source takes from outside, and what it does that no name shows.

Used by `alula.code.closure`. `symtable` decides what is local; attributes that follow a name are kept with it.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alula.code import syntax

OWN_MODULE = frozenset({"globals", "locals", "vars", "eval", "exec", "compile"})
"""Builtins that reach names which only strings hold, in the module that calls them."""
ANY_MODULE = frozenset({"importlib", "pkgutil", "runpy", "imp", "zipimport"})
"""Libraries that import modules whose names only strings hold."""
_HARMLESS_PARTS = frozenset({"metadata", "resources"})


class Import(NamedTuple):
    """What an imported name stands for."""

    module: str
    name: str = ""
    """The name in that module (or a sub-module); empty when the module itself is imported."""


class Uses(NamedTuple):
    """What a piece of source uses.

    Attributes:
        names: From its module or the builtins, each with the attributes that follow it: `a.b.c`, `x`.
        imports: What it imports by itself, inside a function, with the attributes that follow.
        stores: Names of which it changes a part: `T[k] = v`, `helpers.FLAG = 3`, `setattr(T, ...)`.
        hints: Names that stand in annotations which are strings.
        own_module: It may reach any name of its own module by a string.
        computed: It imports a module whose name is computed; of others the name stands in `literals`.
        literals: Modules that it imports by a text that stands in the call.
        subclasses: It asks a class for its subclasses.
    """

    names: dict[str, list[tuple[str, ...]]]
    imports: list[tuple[Import, tuple[str, ...]]]
    stores: list[tuple[str, tuple[str, ...]]]
    hints: dict[str, list[tuple[str, ...]]]
    own_module: bool = False
    computed: bool = False
    literals: tuple[str, ...] = ()
    subclasses: bool = False


def imported(node: ast.Import | ast.ImportFrom, package: str) -> tuple[dict[str, Import], list[str]]:
    """Return what an import statement in a module of `package` binds, and the modules of which it takes everything."""
    names: dict[str, Import] = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            names[alias.asname or top] = Import(alias.name if alias.asname else top)
        return names, []
    module = _absolute(node, package)
    stars = [module for alias in node.names if alias.name == "*"]
    names = {alias.asname or alias.name: Import(module, alias.name) for alias in node.names if alias.name != "*"}
    return names, stars


def modules(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """Return every module that an import statement may load, the packages around them left out."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = _absolute(node, package)
    return [module, *(f"{module}.{alias.name}" for alias in node.names if alias.name != "*")]


def _absolute(node: ast.ImportFrom, package: str) -> str:
    module = node.module or ""
    if not node.level:
        return module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([module] if module else [])])


def of(node: ast.AST, package: str, source: str = "") -> Uses:
    """Return what a statement or lambda in a module of `package` uses.

    Args:
        node: The statement or lambda.
        package: In which relative imports are looked up.
        source: Its text, where that is at hand; made from the tree otherwise, which takes three times as long.
    """
    parts = syntax.walk(node)
    outside = _outside(source or ast.unparse(node), parts)
    inner: dict[str, list[Import]] = {}  # several where one import is tried after another
    for part in parts:
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            for name, target in imported(part, package)[0].items():
                inner.setdefault(name, []).append(target)
    chains = _chains(parts, outside | inner.keys())
    imports = [
        (target, chain) for name, targets in inner.items() for target in targets for chain in chains.get(name) or [()]
    ]
    names = {name: found for name, found in chains.items() if name in outside}
    calls = [_literal(part) for part in parts if isinstance(part, ast.Call) and _is_import(part)]
    return Uses(
        names,
        imports,
        [(name, path) for name, path in _stores(parts) if name in names or name in inner],
        _hints(parts),
        own_module=not OWN_MODULE.isdisjoint(names),
        computed="" in calls,
        literals=tuple(name for name in calls if name),
        subclasses=any(isinstance(part, ast.Attribute) and part.attr == "__subclasses__" for part in parts),
    )


def place_of(target: Import, chain: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of what an imported name and the attributes after it stand for: `sys`, `modules`."""
    return (*target.module.split("."), *([target.name] if target.name else []), *chain)


def reaches_any_module(place: tuple[str, ...], uses: Uses) -> bool:
    """Whether the part of a library at `place`, as a piece of source uses it, may be any module of the project."""
    if place[:2] == ("sys", "modules"):
        return True
    if place[0] not in ANY_MODULE or not _HARMLESS_PARTS.isdisjoint(place[1:2]):
        return False
    return uses.computed or place[1:2] != ("import_module",) or not uses.literals


def _stores(parts: Iterable[ast.AST]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The places into which a piece of source puts something, as far as names and attributes show them."""
    for part in parts:
        target: ast.AST | None = None
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in {"setattr", "delattr"}:
            target = part.args[0] if part.args else None
        elif isinstance(part, (ast.Attribute, ast.Subscript)) and not isinstance(part.ctx, ast.Load):
            target = part
        elif isinstance(part, ast.Attribute) and part.attr == "register":  # of an abstract class, or of one's own
            target = part.value
        while isinstance(target, ast.Subscript):
            target = target.value
        name, path = chain(target) if target is not None else (None, ())
        if name is not None:
            yield name, path


def _is_import(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def _literal(call: ast.Call) -> str:
    """The module that a call imports, where its name stands in it."""
    first = call.args[0] if len(call.args) == 1 and not call.keywords else None
    value = first.value if isinstance(first, ast.Constant) else None
    return value if isinstance(value, str) and not value.startswith(".") else ""


def _outside(text: str, parts: Iterable[ast.AST]) -> set[str]:
    """Names that the source takes from the module or the builtins."""
    try:
        table = symtable.symtable(text, "<source>", "exec")
    except SyntaxError:  # of a piece that stands alone no longer: `return`, `yield`; every name in it then counts
        return {part.id for part in parts if isinstance(part, ast.Name)}
    found: set[str] = set()
    tables = [table]
    while tables:
        current = tables.pop()
        tables += current.get_children()
        top = current.get_type() == "module"
        for symbol in current.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                found.add(symbol.get_name())
    return found


def _chains(parts: Iterable[ast.AST], wanted: set[str]) -> dict[str, list[tuple[str, ...]]]:
    chains: dict[str, list[tuple[str, ...]]] = {name: [] for name in wanted}
    inside: set[int] = set()
    for node in parts:  # outer attributes come before the inner ones
        if id(node) in inside:
            continue
        root, path = chain(node)
        if root is None:
            continue
        part = node
        while isinstance(part, ast.Attribute):
            part = part.value
            inside.add(id(part))
        if root in chains and path not in chains[root]:
            chains[root].append(path)
    return chains


def chain(node: ast.AST) -> tuple[str | None, tuple[str, ...]]:
    """Return the name and the attributes of `name.a.b`; no name where it is anything else."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.insert(0, node.attr)
        node = node.value
    return (node.id, tuple(path)) if isinstance(node, ast.Name) else (None, ())


def _hints(parts: Iterable[ast.AST]) -> dict[str, list[tuple[str, ...]]]:
    """Names in annotations that are strings, also inside others: `list["Forest"]`."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for part in parts:
        for field in ("annotation", "returns"):
            annotation = getattr(part, field, None)
            if isinstance(annotation, ast.AST):
                for inner in syntax.walk(annotation):
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                        _hint(inner.value, found)
    return found


def _hint(text: str, found: dict[str, list[tuple[str, ...]]]) -> None:
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return
    parts = syntax.walk(tree)
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    for name, chains in _chains(parts, names).items():
        found.setdefault(name, []).extend(chains)
