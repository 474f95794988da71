"""A module of the project as text: what its top level binds, and what it does besides.

Used by `alula.code.closure` only; nothing is imported here. A name is *plain* when one statement binds it: a function,
a class, an import or an assignment. Of all else a module says why it is not plain, and the closure counts it whole.
"""

from __future__ import annotations

import ast
import copy
import linecache
import os.path
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from alula.code import places, syntax, uses
from alula.code.uses import Import, Uses

_FLOW = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Bound(NamedTuple):
    """What a name is bound to: a statement, or something imported."""

    statement: ast.stmt
    target: Import | None = None


class Effect(NamedTuple):
    """A statement of the top level that may put state into something.

    Attributes:
        statement: The whole statement.
        parts: What of it runs when the module is imported and may do so; the bases of a class are not among them.
        defines: It also binds names of its own: a decorated function, a class with bases, an assigned call.
    """

    statement: ast.stmt
    parts: tuple[ast.AST, ...]
    defines: bool


class Module:
    """The top level of one file.

    Attributes:
        bound: Names that one statement binds.
        unclear: Why the other names that it binds are not plain.
        stars: Modules of which it takes everything.
        effects: In the order of the file.
        loads: Modules that it imports when it is imported.
        found: What `closure` has found out about its statements, by their numbers; it lives as long as the module does.
    """

    def __init__(self, name: str, file: str, lines: list[str], *, interactive: bool = False) -> None:
        self.name = name
        self.file = file
        self.interactive = interactive
        self.base = places.root(file)[1]
        self.package = name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0]  # noqa: PTH119
        self.bound: dict[str, Bound] = {}
        self.unclear: dict[str, str] = {}
        self.stars: list[str] = []
        self.effects: list[Effect] = []
        self.loads: list[str] = []
        self.found: dict[int, object] = {}
        self.functions: dict[int, list[Any]] = {}
        self._lines = [line.rstrip("\r\n") for line in lines]
        self.tree = ast.parse("\n".join(self._lines))
        self._typing: dict[str, Bound] = {}
        self._texts: dict[int, str] = {}
        self._uses: dict[int, Uses] = {}
        for statement in syntax.without_docstring(self.tree.body):
            self._statement(statement)
        self.bound = {**self._typing, **self.bound}
        self._functions()

    def definition_at(self, line: int, name: str) -> ast.AST | None:
        """Return the function whose first line (of its decorators) this is."""
        return next((node for node in self.functions.get(line, ()) if getattr(node, "name", "<lambda>") == name), None)

    def all_loads(self) -> list[str]:
        """Return every module that it imports anywhere, inside functions too."""
        nodes = [node for node in syntax.walk(self.tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        return [name for node in nodes for name in uses.modules(node, self.package)]

    def text(self, node: ast.AST) -> str:
        """Return a statement or lambda as it counts: without alula's own decorators, whose options are not code."""
        found = self._texts.get(id(node))
        if found is None:
            found = self._texts[id(node)] = syntax.text(self._bare(node))
        return found

    def uses(self, node: ast.AST) -> Uses:
        """Return what a statement or lambda uses, alula's own decorators left out."""
        found = self._uses.get(id(node))
        if found is None:
            bare = self._bare(node)
            found = self._uses[id(node)] = uses.of(bare, self.package, self._source(bare))
        return found

    def _source(self, node: ast.AST) -> str:
        """The lines of a function or class of the top level, which no other statement shares; else empty."""
        if not isinstance(node, _DEFINITIONS) or node.col_offset or node.decorator_list:
            return ""
        return "\n".join(self._lines[node.lineno - 1 : node.end_lineno])

    def is_ours(self, node: ast.expr) -> bool:
        """Whether a decorator or call is one of alula's: by what its name is bound to, not by how it is spelled."""
        return self.library(node) == "alula"

    def library(self, node: ast.expr) -> str:
        """Return the top package from which a decorator or call comes; empty for what the module itself binds."""
        name, _ = uses.chain(node.func if isinstance(node, ast.Call) else node)
        bound = self.bound.get(name or "")
        if bound is None:
            return "alula" if self.interactive and name in {"alula", "task", "workflow"} else ""
        return bound.target.module.partition(".")[0] if bound.target is not None else ""

    def whole(self) -> str:
        """Return the module as it counts when it counts whole: without what runs in a script only."""
        runs = [[*node.orelse] if is_main_guard(node) else [node] for node in self.tree.body]
        return syntax.text(ast.Module([statement for each in runs for statement in each], []))

    def _bare(self, node: ast.AST) -> ast.AST:
        decorators = getattr(node, "decorator_list", None)
        if not decorators:
            return node
        bare = copy.copy(node)
        bare.decorator_list = [each for each in decorators if not self.is_ours(each)]  # type: ignore[attr-defined]
        return bare

    def _functions(self) -> None:
        for node in syntax.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                for line in range(first, node.lineno + 1):
                    self.functions.setdefault(line, []).append(node)
            elif isinstance(node, ast.Lambda):
                self.functions.setdefault(node.lineno, []).append(node)
            elif isinstance(node, ast.Global):
                for name in node.names:
                    self.unclear.setdefault(name, f"a function binds {name} (global)")

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._definition(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            self._assignment(node)
        elif isinstance(node, ast.If) and (is_main_guard(node) or _is_typing_only(node)):
            self._guard(node)
        elif isinstance(node, _FLOW):
            self._flow(node)
        elif type(node).__name__ == "TypeAlias":  # `type X = ...`, since Python 3.12
            self._bind(node.name.id, Bound(node))  # type: ignore[attr-defined]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        elif not isinstance(node, (ast.Pass, ast.Global, ast.Raise)):
            for name in _stored(node):
                self._bind(name, Bound(node))
                if isinstance(node, (ast.AugAssign, ast.Delete)):
                    self.unclear.setdefault(name, f"{name} is changed after it is bound")
            if not {"__all__"}.issuperset(_roots(node)) or isinstance(node, ast.Expr):
                self.effects.append(Effect(node, (node,), defines=False))

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        chains = [uses.chain(decorator) for decorator in node.decorator_list]
        if any((chain or (name,))[-1] == "overload" for name, chain in chains):
            return
        self._bind(node.name, Bound(node))
        parts: list[ast.AST] = [*node.decorator_list]
        if isinstance(node, ast.ClassDef):
            parts += [keyword.value for keyword in node.keywords]
            parts += [inner for inner in node.body if not isinstance(inner, _SCOPES) and _acts(inner)]
        else:
            defaults = (*node.args.defaults, *node.args.kw_defaults)
            parts += [each for each in defaults if each is not None and _acts(each)]
        if parts or (isinstance(node, ast.ClassDef) and node.bases):
            self.effects.append(Effect(node, tuple(parts), defines=True))

    def _assignment(self, node: ast.Assign | ast.AnnAssign) -> None:
        if node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in _stored(node):
            self._bind(name, Bound(node))
        if any(isinstance(part, (ast.Attribute, ast.Subscript)) for target in targets for part in syntax.walk(target)):
            self.effects.append(Effect(node, (node,), defines=False))
        elif _acts(node.value):
            self.effects.append(Effect(node, (node.value,), defines=True))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        names, stars = uses.imported(node, self.package)
        for name, target in names.items():
            self._bind(name, Bound(node, target))
        self.stars += stars
        self.loads += uses.modules(node, self.package)

    def _guard(self, node: ast.If) -> None:
        """`if __name__ == "__main__"` runs in a script only, `if TYPE_CHECKING` never; what is behind `else` runs."""
        if _is_typing_only(node):
            for part in node.body:
                if isinstance(part, (ast.Import, ast.ImportFrom)):
                    names, _ = uses.imported(part, self.package)
                    self._typing |= {name: Bound(part, target) for name, target in names.items()}
        for part in node.orelse:
            self._flow(part)

    def _flow(self, node: ast.stmt) -> None:
        """Whatever stands under a condition or in a loop: its names are not plain."""
        for name in _stored(node):
            self.unclear.setdefault(name, f"{name} is bound by control flow in line {node.lineno}")
        for part in _same_scope(node):
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                names, stars = uses.imported(part, self.package)
                for name in names:
                    self.unclear.setdefault(name, f"{name} is imported by control flow in line {part.lineno}")
                self.stars += stars
                self.loads += uses.modules(part, self.package)
        self.effects.append(Effect(node, (node,), defines=False))

    def _bind(self, name: str, bound: Bound) -> None:
        known = self.bound.setdefault(name, bound)
        if known is not bound and (known.target is None or known.target != bound.target):
            self.unclear.setdefault(name, f"{name} is bound more than once")


def is_main_guard(node: ast.stmt) -> TypeGuard[ast.If]:
    """Whether this is `if __name__ == "__main__":`."""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare) or len(node.test.ops) != 1:
        return False
    sides = [node.test.left, *node.test.comparators]
    names = {side.id for side in sides if isinstance(side, ast.Name)}
    texts = {side.value for side in sides if isinstance(side, ast.Constant)}
    return isinstance(node.test.ops[0], ast.Eq) and names == {"__name__"} and texts == {"__main__"}


def _is_typing_only(node: ast.If) -> bool:
    name, chain = uses.chain(node.test)
    return name is not None and (name, *chain)[-1] == "TYPE_CHECKING"


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what lies in it, but for the bodies of functions, classes and comprehensions."""
    stack = [node]
    while stack:
        part = stack.pop()
        yield part
        if isinstance(part, _SCOPES):
            continue
        if isinstance(part, _COMPREHENSIONS):
            stack += [inner for inner in syntax.walk(part) if isinstance(inner, ast.NamedExpr)]
            continue
        stack += ast.iter_child_nodes(part)


def _stored(node: ast.AST) -> list[str]:
    """Names that a statement binds or deletes in its own scope."""
    names: list[str] = []
    for part in _same_scope(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Store, ast.Del)):
            names.append(part.id)
        elif isinstance(part, _NAMED) and part.name:
            names.append(part.name)
        elif isinstance(part, ast.MatchMapping) and part.rest:
            names.append(part.rest)
    return list(dict.fromkeys(names))


def _acts(node: ast.AST) -> bool:
    """Whether something is called when it runs, not in what it defines."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Call):
            return True
        if not isinstance(part, _SCOPES):
            stack += ast.iter_child_nodes(part)
    return False


def _roots(node: ast.AST) -> set[str]:
    return {part.id for part in syntax.walk(node) if isinstance(part, ast.Name)}


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
    """Return the module in a file, or the notebook cell that Python knows under that name; None without source."""
    linecache.checkcache(file)  # a module may have been changed and loaded anew
    lines = linecache.getlines(file, globals_)
    interactive = places.is_interactive(file)
    if not lines and interactive:
        return None
    known = _files.get(file)
    if known is not None and known[0] == hash(tuple(lines)):
        return known[1]
    name = places.INTERACTIVE if interactive else places.module_name(os.path.abspath(file))  # noqa: PTH100
    try:
        module = Module(name, file, lines, interactive=interactive)
    except (SyntaxError, ValueError):
        return None
    _files[file] = (hash(tuple(lines)), module)
    return module


def is_current(module: Module) -> bool:
    """Whether a module that was read is what its file holds now."""
    if not os.path.isfile(module.file):  # noqa: PTH113
        return True
    return read(module.file) is module


def find(name: str, near: Module) -> Module | None:
    """Return a module of the project by its name, as a module of it imports it; None for libraries.

    A folder without an `__init__.py` is a package whose file is empty.
    """
    file = _below(near, name)
    loaded = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        file = loaded if loaded is not None and loaded.endswith(".py") else None
    elif not os.path.isfile(file) and loaded is not None and places.is_library(loaded):  # noqa: PTH113
        return None  # a folder of the project that has a library's name
    if file is None or places.is_library(file) or places.ours(file):
        return None
    known = _files.get(file)
    if known is not None and not os.path.isfile(file):  # noqa: PTH113
        return known[1]
    if not os.path.isfile(file):  # noqa: PTH113
        _files[file] = (hash(()), Module(name, file, []))
        return _files[file][1]
    return read(file)


def _below(near: Module, name: str) -> str | None:
    """The file of a module below the project's root, or beside the module that imports it, as in a script."""
    stem = os.path.join(*name.split(".")) if name else ""  # noqa: PTH118
    for folder in (near.base, os.path.dirname(near.file)) if stem else ():  # noqa: PTH120
        place = os.path.join(folder, stem)  # noqa: PTH118
        package = os.path.join(place, "__init__.py")  # noqa: PTH118
        for file in (package, f"{place}.py"):  # as Python looks
            if os.path.isfile(file):  # noqa: PTH113
                return file
        if os.path.isdir(place) and _holds_python(place):  # noqa: PTH112
            return package
    return None


def _holds_python(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name.endswith(".py") or entry.is_dir() for entry in entries)


def all_files(base: str) -> list[str]:
    """Return every Python file of a project, sorted; hidden folders and virtual environments left out."""
    found: list[str] = []
    for folder, folders, files in os.walk(base):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118
        ]
        found += [os.path.join(folder, name) for name in files if name.endswith(".py")]  # noqa: PTH118
    return sorted(found)
