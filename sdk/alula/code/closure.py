"""The code that a function's result can depend on: what it names in the project, followed as far as it is plain.

Used by `alula.code.fingerprints`, which digests it, and by `alula cache explain`, which prints it. Two rules:

- *Follow precisely what is plain.* A function, a class, an import or a constant counts by itself, with what it names.
- *Where it is not plain, count the whole module*, with all modules of the project that it imports: a name that is bound
  more than once or under a condition, a module that is used as a value, names that only strings hold, and a statement
  of the top level that puts state into something that counts (a registry, `T[k] = v`, a setting of another module).

What statements do to libraries (`np.random.seed(7)`, `pd.set_option(...)`) counts for every task whose module runs
them. Libraries themselves, data files, the outer environment and the clock cannot be seen.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from typing import NamedTuple

from alula.code import module_text, places, syntax, uses
from alula.code.module_text import Bound, Effect, Module
from alula.code.uses import Import, Uses

_BUILTINS = frozenset(dir(builtins))
_IMPLICIT = frozenset({"__name__", "__file__", "__doc__", "__package__", "__spec__", "__path__", "__loader__"})
HARMLESS = frozenset({"logging", "alula"})
"""Libraries whose calls at the top level change no result: log settings, and our own declarations."""
_PURE = frozenset({"abc", "collections", "dataclasses", "enum", "functools", "math", "operator", "re", "typing"})
"""Libraries without a state that a call could change."""

Place = tuple[str, str]
"""A module's name, and a name in it."""


class Closure:
    """What counts of some code, found from names; `live` adds what a running function names.

    Args:
        loose: Follow names that are not plain like others: what a statement may reach rather than what counts.

    Attributes:
        parts: The texts of plain definitions, by module and name.
        whole: The modules that count whole, each with the reason.
        modules: All modules of the project that were met, by name.
        state: Places of `parts` that hold something that can be changed.
        targets: Places of which something is changed.
        libraries: Top packages outside the project.
        project: Why all modules of the project count; empty when they do not.
    """

    def __init__(self, *, loose: bool = False) -> None:
        self.parts: dict[Place, str] = {}
        self.whole: dict[str, str] = {}
        self.modules: dict[str, Module] = {}
        self.state: set[Place] = set()
        self.targets: set[Place] = set()
        self.libraries: set[str] = set()
        self.project = ""
        self.subclasses = False
        self._loose = loose
        self._found: dict[tuple[str, str, str], Module | None] = {}
        self._waiting: list[tuple[Module, str, tuple[str, ...]]] = []
        self._seen: set[tuple[str, str, tuple[str, ...]]] = set()

    def follow(self, module: Module, used: Uses) -> None:
        """Count everything that a piece of source in `module` uses."""
        self._take(module, used)
        while self._waiting:
            self._name(*self._waiting.pop())

    def queue(self, module: Module, name: str, chain: tuple[str, ...] = ()) -> None:
        """Count a name as a module uses it, with the attributes that follow it; at the next `follow`."""
        key = (module.name, name, chain)
        if key not in self._seen:
            self._seen.add(key)
            self._waiting.append((module, name, chain))

    def find(self, name: str, near: Module) -> Module | None:
        """Return a module of the project as `near` imports it."""
        key = (name, near.base, near.file)
        if key not in self._found:
            self._found[key] = module_text.find(name, near)
        return self._found[key]

    def count_whole(self, module: Module, reason: str) -> None:
        """Count a module whole, with all modules of the project that it imports."""
        waiting = [(module, reason)]
        while waiting:
            current, why = waiting.pop()
            if current.name in self.whole:
                continue
            self.whole[current.name] = why
            self.modules[current.name] = current
            used = current.uses(current.tree)
            for name in [*current.all_loads(), *used.literals]:
                for package in packages(name):
                    inner = self.find(package, current)
                    if inner is not None:
                        waiting.append((inner, f"{current.name} counts whole, and imports it"))
            places_used = {uses.place_of(target, chain) for target, chain in used.imports if target.name or chain}
            if used.computed or any(uses.reaches_any_module(place, used) for place in places_used):
                self._count_project(current, "its code imports modules whose names are computed")

    def _count_project(self, module: Module, reason: str) -> None:
        if self.project:
            return
        self.project = f"{reason}: all of the project counts"
        for file in module_text.all_files(module.base):
            found = module_text.read(file)
            if found is not None and not places.ours(file):
                self.whole[found.name] = self.project
                self.modules[found.name] = found

    def _take(self, module: Module, used: Uses) -> None:
        for name, chains in used.names.items():
            for chain in chains:
                self.queue(module, name, chain)
        for name, chains in used.hints.items():
            for chain in chains if name in module.bound or name in module.unclear else ():
                self.queue(module, name, chain)
        for target, chain in used.imports:
            self._imported(module, target, chain, used)
        self.targets.update(place for name, chain in used.stores if (place := self._target(module, name, chain)))
        if used.own_module:
            self.count_whole(module, "its code reaches names by strings (globals, vars, eval, exec)")
        if used.computed:
            self._count_project(module, "its code imports modules whose names are computed")
        for literal in used.literals:
            found = self.find(literal, module)
            if found is not None:
                self.count_whole(found, f"{module.name} imports it by a string")
        self.subclasses |= used.subclasses

    def _name(self, module: Module, name: str, chain: tuple[str, ...]) -> None:
        if module.name in self.whole and not self._loose:
            return
        unclear = module.unclear.get(name)
        bound = module.bound.get(name)
        if unclear is not None and not self._loose:
            self.count_whole(module, unclear)
        elif bound is None:
            self._unbound(module, name, chain)
        elif bound.target is not None:
            self._imported(module, bound.target, chain, module.uses(bound.statement))
        else:
            self._definition(module, name, bound)

    def _definition(self, module: Module, name: str, bound: Bound) -> None:
        place = (module.name, name)
        if place in self.parts:
            return
        self.parts[place] = module.text(bound.statement)
        self.modules[module.name] = module
        decorators = getattr(bound.statement, "decorator_list", ())
        if (
            name in module.unclear
            or holds_state(module, bound.statement)
            or not all(self._only_wraps(module, each) for each in decorators)
        ):
            self.state.add(place)
        if isinstance(bound.statement, ast.Assign):  # `A = B = []`: what is put into one is in the other
            for target in bound.statement.targets if len(bound.statement.targets) > 1 else ():
                for part in ast.walk(target):
                    if isinstance(part, ast.Name):
                        self.queue(module, part.id)
        self._take(module, module.uses(bound.statement))

    def _unbound(self, module: Module, name: str, chain: tuple[str, ...]) -> None:
        """A name that no statement of the module binds: from a star import, a builtin, or it is not plain."""
        stars = [found for star in module.stars if (found := self.find(star, module)) is not None]
        for star in stars:
            if name not in _BUILTINS or name in star.bound or name in star.unclear:
                self.count_whole(star, f"{module.name} imports everything of it")
        plain = name in _BUILTINS or name in _IMPLICIT
        if not stars and not plain and not module.interactive and not self._loose:
            self.count_whole(module, f"nothing plain binds {'.'.join((name, *chain[:1]))}")

    def _imported(self, near: Module, target: Import, chain: tuple[str, ...], used: Uses) -> None:
        """An imported name: a definition of another module of the project, that module itself, or a library's."""
        module = self.find(target.module, near)
        rest = (target.name, *chain) if target.name else chain
        if module is None:
            place = uses.place_of(target, chain)
            self.libraries.add(place[0])
            if uses.reaches_any_module(place, used):
                self._count_project(near, f"its code uses {'.'.join(place)}")
            return
        path = target.module
        self.modules.setdefault(module.name, module)
        while rest:
            name, rest = rest[0], rest[1:]
            inner = None if name in module.bound or name in module.unclear else self.find(f"{path}.{name}", near)
            if inner is None:
                if name not in _IMPLICIT:
                    self.queue(module, name, rest)
                return
            module, path = inner, f"{path}.{name}"
            self.modules.setdefault(module.name, module)
        self.count_whole(module, f"{near.name} uses it as a value")

    def has_hook(self, module: Module, base: ast.expr) -> bool:
        """Whether a class of the project, or one of its own bases, is called when a class is derived from it."""
        waiting, seen = [(module, base)], set()
        while waiting:
            near, expression = waiting.pop()
            name, chain = uses.chain(expression)
            place = self._target(near, name, chain) if name is not None else None
            found = self.modules.get(place[0]) if place is not None else None
            if place is None or found is None or place in seen:
                continue
            seen.add(place)
            bound = found.bound.get(place[1])
            node = bound.statement if bound is not None else None
            if not isinstance(node, ast.ClassDef) or place[1] in found.unclear or node.decorator_list:
                return True
            if node.keywords or any(getattr(inner, "name", "") == "__init_subclass__" for inner in node.body):
                return True
            waiting += [(found, each) for each in node.bases]
        return False

    def _only_wraps(self, module: Module, decorator: ast.expr) -> bool:
        """Whether others can change nothing of what a decorator makes: no object with a registry of its own."""
        name, chain = uses.chain(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if module.is_ours(decorator) or (name or "", *chain)[-1] in _PLAIN_DECORATORS:
            return True
        place = self._target(module, name, chain) if name is not None else None
        found = self.modules.get(place[0]) if place is not None else None
        bound = found.bound.get(place[1]) if found is not None and place is not None else None
        if found is None or bound is None or place is None or place[1] in found.unclear:
            return False
        return isinstance(bound.statement, ast.FunctionDef) and _makes_functions(found, bound.statement)

    def _target(self, module: Module, name: str, chain: tuple[str, ...]) -> Place | None:
        """The place that a store changes; None for what is no name of the project's top level."""
        for _ in range(len(chain) + 20):  # imports of imports end; a circle of them defines nothing
            self.modules.setdefault(module.name, module)
            bound = module.bound.get(name)
            if bound is None or bound.target is None:
                return (module.name, name) if bound is not None or name in module.unclear else None
            found = self.find(bound.target.module, module)
            rest = (bound.target.name, *chain) if bound.target.name else chain
            path = bound.target.module
            while found is not None and rest and (inner := self.find(f"{path}.{rest[0]}", module)) is not None:
                if rest[0] in found.bound:
                    break
                found, path, rest = inner, f"{path}.{rest[0]}", rest[1:]
            if found is None or not rest:
                return None
            module, name, chain = found, rest[0], rest[1:]
        return None


def packages(name: str) -> Iterable[str]:
    """Yield a module's name after those of the packages around it."""
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


_IMMUTABLE = frozenset(
    {"Path", "PurePath", "PurePosixPath", "Decimal", "Fraction", "date", "datetime", "time", "timedelta", "UUID"}
    | {"frozenset", "tuple", "str", "int", "float", "bool", "bytes", "range", "compile", "TypeVar", "NewType"}
)
"""Calls whose results cannot be changed, by their last name."""


_PLAIN_DECORATORS = frozenset(
    {"wraps", "cache", "lru_cache", "cached_property", "contextmanager", "dataclass", "total_ordering", "final"}
)
"""Decorators of the standard library after which others can change nothing of a definition, by their last name."""


def holds_state(module: Module, statement: ast.stmt) -> bool:
    """Whether what a statement binds can be changed by others afterwards, as far as the statement shows."""
    if isinstance(statement, ast.ClassDef):
        return _class_holds_state(module, statement)
    value = getattr(statement, "value", None)
    return isinstance(value, ast.expr) and not _is_fixed(module, value)


def _is_fixed(module: Module, value: ast.expr) -> bool:
    if isinstance(value, (ast.Constant, ast.Name, ast.Attribute, ast.JoinedStr, ast.Lambda, ast.Compare)):
        return True  # another name stands for what it is bound to, and that is followed
    if isinstance(value, (ast.Tuple, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.IfExp, ast.Subscript)):
        return all(_is_fixed(module, each) for each in ast.iter_child_nodes(value) if isinstance(each, ast.expr))
    if isinstance(value, ast.Call):
        name, chain = uses.chain(value.func)
        last = (name or "", *chain)[-1]
        return module.library(value) in HARMLESS or (last in _IMMUTABLE and (not chain or module.library(value) != ""))
    return False


def _makes_functions(module: Module, node: ast.FunctionDef) -> bool:
    """Whether a function returns one that is defined in it, and keeps nothing that can be changed."""
    inner = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    if any(isinstance(part, (ast.Nonlocal, ast.Global)) for part in syntax.walk(node)):
        return False
    if any(name in inner or name == node.name for each in syntax.walk(node) for name in _stored_into(each)):
        return False
    kept = [
        each.value for each in node.body if isinstance(each, (ast.Assign, ast.AnnAssign)) and each.value is not None
    ]
    last = node.body[-1]
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Name) or last.value.id not in inner:
        return False
    made = inner[last.value.id]
    deeper = any(isinstance(each, ast.FunctionDef) for each in made.body)
    return all(_is_fixed(module, value) for value in kept) and (not deeper or _makes_functions(module, made))


def _stored_into(node: ast.AST) -> list[str]:
    """The name of which a node changes a part."""
    stores = isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load)
    name = uses.chain(node.value)[0] if stores and isinstance(node, (ast.Attribute, ast.Subscript)) else None
    return [name] if name is not None else []


def _class_holds_state(module: Module, node: ast.ClassDef) -> bool:
    """A metaclass, a hook for subclasses, a value of the class that can be changed, or a method that changes one."""
    if any(keyword.arg == "metaclass" for keyword in node.keywords):
        return True
    for inner in node.body:
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if inner.name == "__init_subclass__":
                return True
        elif isinstance(inner, (ast.Assign, ast.AnnAssign)) and inner.value is not None:
            name, chain = uses.chain(inner.value.func) if isinstance(inner.value, ast.Call) else (None, ())
            is_field = (name or "", *chain)[-1].lower() == "field"
            if not is_field and not _is_fixed(module, inner.value):
                return True
    return any(name in {"cls", node.name} for part in syntax.walk(node) for name in _stored_into(part))


class Touched(NamedTuple):
    """What a statement of the top level may put state into, and the modules that say so.

    Attributes:
        targets: What stands left of an assignment, there or in what it calls.
        state: Names with a state that it reaches.
        modules: Modules that it reaches as values.
        libraries: Whether it may change a library's state.
        read: The modules by which all this was found.
    """

    targets: frozenset[Place]
    state: frozenset[Place]
    modules: frozenset[str]
    libraries: bool
    read: tuple[Module, ...]


def touched(module: Module, number: int) -> Touched:
    """Return what a statement of a module's top level may put state into."""
    known = module.found.get(number)
    if not isinstance(known, Touched) or any(not module_text.is_current(each) for each in known.read):
        known = module.found[number] = _look(module, module.effects[number])
    return known


def _look(module: Module, effect: Effect) -> Touched:
    reached = Closure(loose=True)
    calls = [part for each in effect.parts for part in syntax.walk(each) if isinstance(part, ast.Call)]
    decorators = [each for each in effect.parts if effect.defines and isinstance(each, ast.expr)]
    acting = [*calls, *decorators]
    if acting and all(module.library(each) in HARMLESS for each in acting):
        return Touched(frozenset(), frozenset(), frozenset(), libraries=False, read=())
    for part in effect.parts:
        if not (isinstance(part, ast.expr) and module.is_ours(part)):
            reached.follow(module, module.uses(part))
    for base in getattr(effect.statement, "bases", ()):
        if reached.has_hook(module, base):
            reached.follow(module, module.uses(base))
    libraries = reached.libraries - HARMLESS - _PURE
    acts = bool(calls) or any(used.stores for used in map(module.uses, effect.parts))
    return Touched(
        frozenset(reached.targets),
        frozenset(reached.state),
        frozenset(reached.whole),
        libraries=acts and bool(libraries) and not effect.defines,
        read=tuple(each for each in reached.modules.values() if each is not module),
    )
