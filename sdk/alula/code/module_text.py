"""A module of the project as text: what each top-level name is defined by, and where imported names come from.

Used by `alula.code.fingerprints` only; nothing is imported here.
"""

from __future__ import annotations

import ast
import linecache
import os.path
import symtable
import sys
import textwrap
from typing import Any, NamedTuple

from alula.code import places

OURS = {"task", "workflow"}
"""Decorators of alula: their options (retries, resources) do not change what a function computes."""


class Import(NamedTuple):
    """What an imported name stands for."""

    module: str
    name: str = ""
    """The name in that module (or a sub-module); empty when the module itself is imported."""


def imported(node: ast.Import | ast.ImportFrom, package: str) -> tuple[dict[str, Import], list[str]]:
    """What an import statement in a module of `package` binds, and the modules of which it takes everything."""
    names: dict[str, Import] = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            names[alias.asname or top] = Import(alias.name if alias.asname else top)
        return names, []
    module = node.module or ""
    if node.level:
        parts = package.split(".")
        module = ".".join([*parts[: len(parts) - node.level + 1], *([module] if module else [])])
    stars = [module for alias in node.names if alias.name == "*"]
    names = {alias.asname or alias.name: Import(module, alias.name) for alias in node.names if alias.name != "*"}
    return names, stars


class Module:
    """The top level of one file."""

    def __init__(self, name: str, file: str, lines: list[str], *, interactive: bool = False) -> None:
        self.name = name
        self.file = file
        self.lines = [line.rstrip("\r\n") for line in lines]
        self.text = "\n".join(self.lines)
        self.interactive = interactive
        self.base = places.root(file)[1]
        self.package = name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0]  # noqa: PTH119
        self.definitions: dict[str, list[str]] = {}
        self.imports: dict[str, Import] = {}
        self.stars: list[str] = []
        self.functions: dict[int, list[Any]] = {}
        tree = ast.parse(self.text)
        self._top(tree.body)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for line in range(_first_line(node), node.lineno + 1):
                    self.functions.setdefault(line, []).append(node)
            elif isinstance(node, ast.Lambda):
                self.functions.setdefault(node.lineno, []).append(node)

    def definition_at(self, line: int, name: str) -> str | None:
        """The text of the function whose first line (of its decorators) this is."""
        for node in self.functions.get(line, ()):
            if getattr(node, "name", "<lambda>") == name:
                return self._text(node)
        return None

    def _top(self, body: list[ast.stmt]) -> None:
        """Statements that run when the module is imported; `if`, `try`, `with` and loops are looked into."""
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.definitions.setdefault(node.name, []).append(self._text(node))
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names, stars = imported(node, self.package)
                self.imports |= names
                self.stars += stars
            elif isinstance(node, ast.If) and _is_main_guard(node):
                continue
            elif isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
                for name in _stored(node, deep=False):
                    self.definitions.setdefault(name, []).append(self._text(node))
                for part in ("body", "orelse", "finalbody"):
                    self._top(getattr(node, part, []))
                for handler in getattr(node, "handlers", []):
                    self._top(handler.body)
            else:
                for name in _stored(node, deep=True):
                    self.definitions.setdefault(name, []).append(self._text(node))

    def _text(self, node: Any) -> str:
        """The source of a statement at the left margin, without alula's own decorators."""
        first = node.lineno
        lines = self.lines[first - 1 : node.end_lineno]
        if isinstance(node, ast.Lambda):
            return textwrap.dedent("\n".join(lines))
        kept = [
            textwrap.dedent("\n".join(self.lines[decorator.lineno - 1 : decorator.end_lineno]))
            for decorator in getattr(node, "decorator_list", [])
            if not _is_ours(decorator)
        ]
        return "\n".join([*kept, textwrap.dedent("\n".join(lines))])


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _is_ours(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(target, ast.Attribute):
        return target.attr in OURS and isinstance(target.value, ast.Name) and target.value.id == "alula"
    return isinstance(target, ast.Name) and target.id in OURS


def _is_main_guard(node: ast.If) -> bool:
    test = node.test
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _stored(node: ast.AST, *, deep: bool) -> list[str]:
    """Names that a statement binds; of a compound one only those of its head (`for x in`, `with ... as x`)."""
    if deep:
        heads: list[ast.AST] = [node]
    elif isinstance(node, ast.For):
        heads = [node.target]
    elif isinstance(node, ast.With):
        heads = [item.optional_vars for item in node.items if item.optional_vars is not None]
    else:
        heads = []
    names = [
        part.id
        for head in heads
        for part in ast.walk(head)
        if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Store, ast.Del))
    ]
    changed: list[ast.expr] = []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # TABLE.update(...), register(TABLE)
        function = node.value.func
        changed = [*node.value.args, *([] if isinstance(function, ast.Name) else [function])]
    elif isinstance(node, ast.Assign):  # TABLE["x"] = 1
        changed = node.targets
    elif isinstance(node, ast.AugAssign):
        changed = [node.target]
    names += [name for target in changed if (name := _owner(target))]
    if type(node).__name__ == "TypeAlias":  # `type X = ...`
        names.append(node.name.id)  # type: ignore[attr-defined]
    return list(dict.fromkeys(names))


def _owner(target: ast.expr) -> str:
    """The name in front of `TABLE["x"].y`."""
    while isinstance(target, (ast.Subscript, ast.Attribute)):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def is_stale(file: str) -> bool:
    """Whether a file is known to be another than the one that was imported: its text then says nothing of the code."""
    try:
        status = os.stat(file)  # noqa: PTH116
    except OSError:
        return False
    if status.st_mtime <= places.STARTED:
        return False
    if file in places.stamps:
        return places.stamps[file] != (status.st_mtime_ns, status.st_size)
    return _compiled_from_other(file, int(status.st_mtime), status.st_size)


def _compiled_from_other(file: str, mtime: int, size: int) -> bool:
    """Whether the bytecode that Python wrote when it imported a file was made from another state of it."""
    import importlib.util

    try:
        with open(importlib.util.cache_from_source(file), "rb") as stream:  # noqa: PTH123
            header = stream.read(16)
    except (OSError, NotImplementedError):
        return False
    if len(header) < 16 or header[4:8] != bytes(4):  # made from a hash instead of a time
        return False
    known = (int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little"))
    return known != (mtime & 0xFFFFFFFF, size & 0xFFFFFFFF)


_files: dict[str, tuple[int, Module]] = {}


def read(file: str, globals_: dict[str, Any] | None = None) -> Module | None:
    """The module in a file, or the notebook cell that Python knows under that name; None without source."""
    linecache.checkcache(file)  # a module may have been changed and loaded anew
    lines = linecache.getlines(file, globals_)
    if not lines:
        return None
    known = _files.get(file)
    if known is not None and known[0] == hash(tuple(lines)):
        return known[1]
    interactive = places.is_interactive(file)
    name = places.INTERACTIVE if interactive else places.module_name(os.path.abspath(file))  # noqa: PTH100
    try:
        module = Module(name, file, lines, interactive=interactive)
    except SyntaxError:
        return None
    _files[file] = (hash(tuple(lines)), module)
    return module


def find(name: str, near: Module) -> Module | None:
    """A module of the project by its name, as a module of the same project imports it; None for libraries."""
    file = _below(near, name)
    if file is None:
        file = getattr(sys.modules.get(name), "__file__", None)
        file = file if file is not None and file.endswith(".py") else None
    if file is None or places.is_installed(file) or _is_standard(file) or places.ours(file):
        return None
    return read(file)


def _below(near: Module, name: str) -> str | None:
    """The file of a module below the project's root, or beside the module that imports it, as in a script."""
    stem = os.path.join(*name.split(".")) if name else ""  # noqa: PTH118
    for folder in (near.base, os.path.dirname(near.file)) if stem else ():  # noqa: PTH120
        for ending in (".py", os.path.join("", "__init__.py")):  # noqa: PTH118
            file = os.path.join(folder, stem) + ending  # noqa: PTH118
            if os.path.isfile(file):  # noqa: PTH113
                return file
    return None


def _is_standard(file: str) -> bool:
    return os.path.abspath(file).startswith(os.path.dirname(os.path.abspath(os.__file__)))  # noqa: PTH100, PTH120


class Used(NamedTuple):
    """The names that a piece of source takes from outside, each with the attributes that follow it: `a.b.c`, `x`."""

    names: dict[str, list[list[str]]]
    imports: list[tuple[Import, list[str]]]
    """What it imports by itself, inside a function."""


_used: dict[tuple[str, str], Used] = {}


def used(text: str, package: str) -> Used:
    """What a piece of source in a module of `package` uses."""
    known = _used.get((text, package))
    if known is None:
        known = _used[text, package] = _look(text, package)
    return known


def _look(text: str, package: str) -> Used:
    try:
        tree = ast.parse(text)
        outside = _global_names(symtable.symtable(text, "<source>", "exec"))
    except SyntaxError:  # a lambda in the middle of a statement
        return Used({}, [])
    inner: dict[str, Import] = {}
    stars: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names, more = imported(node, package)
            inner |= names
            stars += more
    chains = _chains(tree, outside | inner.keys())
    imports = [(target, chain) for name, target in inner.items() for chain in chains.get(name) or [[]]]
    return Used({name: found for name, found in chains.items() if name in outside}, imports)


def _chains(tree: ast.AST, wanted: set[str]) -> dict[str, list[list[str]]]:
    chains: dict[str, list[list[str]]] = {name: [] for name in wanted}
    inside: set[int] = set()
    for node in ast.walk(tree):  # outer attributes come before the inner ones
        path: list[str] = []
        part: ast.AST = node
        while isinstance(part, ast.Attribute) and id(node) not in inside:
            if part is not node:
                inside.add(id(part))
            path.insert(0, part.attr)
            part = part.value
        if isinstance(part, ast.Name) and id(part) not in inside:
            inside.add(id(part))
            if part.id in chains and path not in chains[part.id]:
                chains[part.id].append(path)
    return chains


def _global_names(table: symtable.SymbolTable) -> set[str]:
    """Names that a scope or one inside it takes from the module."""
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
