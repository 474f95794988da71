"""The closure of a live function: its text, its wrappers, what they hold, and the statements that change any of it.

Used by `alula.code.fingerprints`. What lies in the running process only (a closure's cells, a notebook's names) counts
by its value.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import Any

from alula.code import closure, module_text, places
from alula.code.closure import Closure
from alula.code.module_text import Module


class Unreadable(Exception):
    """Something that the function names has no text; the message says what."""


def closure_of(function: Callable[..., Any]) -> Closure:
    """Return what counts of a function.

    Raises:
        Unreadable: Its source is not available, or it holds a value that has no text.
    """
    found = Closure()
    layers = places.layers(function)
    decorators = _add(found, layers[-1], "", lenient=False)
    for wrapper in layers[:-1]:
        # What stands above the function in its file counts with it; what was applied by a call, by what it holds.
        _add(found, wrapper, "", lenient=decorators >= len(layers) - 1)
    while _settle(found):
        pass
    return found


def _settle(found: Closure) -> bool:
    """Count the statements of the loaded modules that put state into what counts; whether there were more of them.

    What counts only grows, and a statement that may change any of it counts its module whole even where it counted by
    itself before: so the order in which statements are met is of no consequence.
    """
    grown = False
    for module in _loaded(found):
        for number, effect in enumerate(module.effects):
            if module.name in found.whole:
                break
            changes = closure.touched(module, number)
            hit = changes.targets & found.parts.keys() | changes.state & found.state
            named = {name for name, _ in found.parts if name in changes.modules}
            if found.subclasses and isinstance(effect.statement, ast.ClassDef) and effect.statement.bases:
                named.add("a class whose subclasses are asked for")
            place = (module.name, f"#{number:04}")
            if hit or named:
                what = ", ".join(sorted({name for _, name in hit} | named))
                found.count_whole(module, f"line {effect.statement.lineno} may put state into {what}")
            elif changes.libraries and place not in found.parts:
                found.parts[place] = module.text(effect.statement)
                for part in effect.parts:
                    found.follow(module, module.uses(part))
            else:
                continue
            grown = True
    return grown


def _loaded(found: Closure) -> list[Module]:
    """The modules of the project that run when this code is imported, those met first before others."""
    waiting = list(found.modules.values())
    known = set(found.modules)
    for module in waiting:
        for name in [*module.loads, module.package]:
            for package in closure.packages(name) if name else ():
                inner = found.find(package, module)
                if inner is not None and inner.name not in known:
                    known.add(inner.name)
                    waiting.append(inner)
    return waiting


def _add(found: Closure, function: Any, label: str, *, lenient: bool) -> int:
    """Count a live function's text and everything that it names; returns how many decorators stand above it."""
    code = getattr(function, "__code__", None)
    if code is None:
        if lenient:
            return 0
        raise Unreadable(f"{label or function!r} is no Python function")
    if places.is_library(code.co_filename):
        _held(found, None, function, function.__qualname__, lenient=lenient)
        return 0
    module = module_text.read(code.co_filename, function.__globals__)
    if module is None:
        raise Unreadable(f"that of {code.co_name} is not available (typed at a prompt, or made by exec)")
    node = module.definition_at(code.co_firstlineno, code.co_name)
    if node is None:
        raise Unreadable(f"{code.co_name} is not at line {code.co_firstlineno} of {module.file} any more")
    found.modules[module.name] = module
    owner = _part(found, module, function, node)
    _held(found, module, function, owner, lenient=lenient)
    used = module.uses(node)
    names = {name: chains for name, chains in used.names.items() if name not in code.co_freevars}
    if module.interactive:
        # Each cell of a notebook is a module of its own: names are looked up in the running process.
        live = {name: function.__globals__[name] for name in sorted(names) if name in function.__globals__}
        for name, value in live.items():
            _value(found, module, "", name, value)
        names = {name: chains for name, chains in names.items() if name not in live}
    found.follow(module, used._replace(names=names))
    return len([each for each in getattr(node, "decorator_list", ()) if not module.is_ours(each)])


def _part(found: Closure, module: Module, function: Any, node: ast.AST) -> str:
    """Count the text of a function; returns the name under which what it holds counts.

    Wrappers bear the name of what they wrap, and a function that makes functions gives all of them one name.
    """
    name: str = function.__qualname__
    bound = module.bound.get(name)
    if bound is not None and bound.statement is node:
        found.queue(module, name)
        return name
    count = 1
    while (module.name, f"{name}~{count}") in found.parts:
        count += 1
    found.parts[module.name, f"{name}~{count}"] = module.text(node)
    return f"{name}~{count}"


def _held(found: Closure, module: Module | None, function: Any, owner: str, *, lenient: bool) -> None:
    """What a function closes over, and the defaults of one that another function made."""
    code = function.__code__
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    values = {name: _cell(name, cell) for name, cell in cells.items()}
    if "<locals>" in function.__qualname__:
        positional = code.co_varnames[: code.co_argcount]
        defaults = function.__defaults__ or ()
        named = zip(positional[len(positional) - len(defaults) :], defaults, strict=True)
        values |= {f"{name}=": value for name, value in named}
        values |= {f"{name}=": value for name, value in (function.__kwdefaults__ or {}).items()}
    for name, value in values.items():
        try:
            _value(found, module, owner, name, value)
        except Unreadable:
            if not lenient:
                raise


def _cell(name: str, cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        raise Unreadable(f"the variable {name} around it is not set yet") from None


def _value(found: Closure, module: Module | None, owner: str, name: str, value: Any) -> None:
    """A value that only the running process knows."""
    from alula.types import anything
    from alula.types.mismatches import Mismatch

    inner = value.function if isinstance(value, places.Decorated) else value
    place = (module.name if module else "", f"{owner}.{name}~" if owner else f"{name}~")
    if hasattr(inner, "__code__"):
        if place in found.parts or places.is_library(inner.__code__.co_filename):
            return
        found.parts[place] = f"function {inner.__qualname__}"  # also ends a circle of functions
        _add(found, inner, name, lenient=False)
    elif isinstance(value, types.ModuleType):
        whole = found.find(value.__name__, module) if module is not None else None
        if whole is not None:
            found.count_whole(whole, f"{owner or 'a cell'} uses it as a value")
    elif isinstance(value, type):
        _class(found, module, name, value)
    elif not isinstance(value, (types.BuiltinFunctionType, types.MethodDescriptorType)):
        try:
            found.parts[place] = f"value {anything.text(value)}"
        except Mismatch:
            kind = type(value).__name__
            raise Unreadable(f"it uses {name}, a value of type {kind} without a text") from None


def _class(found: Closure, module: Module | None, name: str, value: type) -> None:
    """A class that a cell or a notebook holds; one of a library does not count."""
    if value.__module__ == "__main__" or "<locals>" in value.__qualname__:
        if module is None or name not in module.bound:
            raise Unreadable(f"the class {name} is not defined in a file")
        found.queue(module, name)
    elif module is not None and (other := found.find(value.__module__, module)) is not None:
        found.queue(other, value.__qualname__.partition(".")[0])
