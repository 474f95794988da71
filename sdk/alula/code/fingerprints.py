"""The cache version of `cache=True`: a digest of the source text that a function's result can depend on.

Called by `Task.version`. The text of the function, and of every module-level definition of the project that it names,
directly or through others. Only text is hashed: `ast` and `symtable` find the lines and the names, and what they say of
these is the same in every Python; their dumps are not. What lies outside the project (libraries) does not count.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable
from typing import Any

from alula import errors
from alula.code import module_text, places
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

_BUILTINS = frozenset(dir(builtins))


class _Unreadable(Exception):
    """Something that the function names has no text; the message says what."""


def version(function: Callable[..., Any], source: str, subject: str) -> str:
    """The digest of a function's code as 64 hex digits.

    Raises:
        DefinitionError: The source is not available, or the function closes over something that has no text.
    """
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    try:
        walk = _Walk()
        parts = walk.parts(function)
        for file in sorted(walk.files):
            if module_text.is_stale(file):
                raise _Unreadable(
                    f"{places.relative(file)} was changed after it was imported; start anew, or reload it"
                )
    except _Unreadable as problem:
        hint = 'write cache=Cache(version="1"), and count it up when the code changes'
        message = f"cache=True needs the source: {problem}"
        raise errors.DefinitionError([Diagnostic(Code.BAD_OPTION, message, source, subject, "", hint)]) from None
    text = "\n".join(f"{module}:{name}\n{text}" for (module, name), text in sorted(parts.items()))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Walk:
    """Follows names from a function to definitions, breadth first."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self.waiting: list[tuple[module_text.Module, str, list[str]]] = []
        self.seen: set[tuple[str, str, tuple[str, ...]]] = set()
        self.files: set[str] = set()

    def parts(self, function: Any) -> dict[tuple[str, str], str]:
        self.function(function, "")
        for module, name, chain in self.waiting:  # grows while it is walked
            self.name(module, name, chain, None)
        return self.found

    def function(self, function: Any, label: str) -> None:
        """The text of a live function, then everything that it names."""
        code = getattr(function, "__code__", None)
        if code is None:
            raise _Unreadable(f"{label or function!r} is no Python function")
        module = module_text.read(code.co_filename, function.__globals__)
        if module is None:
            raise _Unreadable(f"that of {code.co_name} is not available (typed at a prompt, or made by exec)")
        text = module.definition_at(code.co_firstlineno, code.co_name)
        if text is None:
            raise _Unreadable(f"{code.co_name} is not at line {code.co_firstlineno} of {module.file} any more")
        self.files.add(module.file)
        self.found[module.name, f"{function.__qualname__}"] = text
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        uses = module_text.used(text, module.package)
        for name, chains in uses.names.items():
            if name in cells:
                self.live(module, name, _cell(name, cells[name]))
                continue
            for chain in chains:
                self.name(module, name, chain, function.__globals__)
        for target, chain in uses.imports:
            self.imported(module, target, chain)

    def name(self, module: module_text.Module, name: str, chain: list[str], live: dict[str, Any] | None) -> None:
        """One name as it is used in a module: `clean`, or `helpers.clean` with the attributes in `chain`."""
        definition = module.definitions.get(name)
        if definition is not None:
            self.definition(module, name, definition)
        imported = module.imports.get(name)
        if imported is not None:
            self.imported(module, imported, chain)
        if definition is not None or imported is not None:
            return
        for star in module.stars:
            other = module_text.find(star, module)
            if other is not None and (name in other.definitions or name in other.imports or other.stars):
                self.queue(other, name, chain)
        if live is not None and name not in _BUILTINS and module.interactive and name in live:
            self.live(module, name, live[name])

    def queue(self, module: module_text.Module, name: str, chain: list[str]) -> None:
        if (module.name, name, tuple(chain)) not in self.seen:
            self.seen.add((module.name, name, tuple(chain)))
            self.waiting.append((module, name, chain))

    def definition(self, module: module_text.Module, name: str, texts: list[str]) -> None:
        key = (module.name, name)
        if key in self.found:
            return
        self.files.add(module.file)
        self.found[key] = "\n".join(texts)
        for text in texts:
            uses = module_text.used(text, module.package)
            for used, chains in uses.names.items():
                for chain in chains:
                    self.queue(module, used, chain)
            for target, chain in uses.imports:
                self.imported(module, target, chain)

    def imported(self, near: module_text.Module, target: module_text.Import, chain: list[str]) -> None:
        """An imported name: a definition of another module of the project, or that module itself."""
        module = module_text.find(target.module, near)
        rest = chain
        if target.name:
            inner = module_text.find(f"{target.module}.{target.name}", near)
            if module is not None and (target.name in module.definitions or target.name in module.imports):
                self.queue(module, target.name, chain)
                return
            module = inner or module
            if inner is None:
                if module is not None:
                    self.queue(module, target.name, chain)
                return
        # `import a.b` binds a; follow the attributes through sub-modules to a definition.
        place = target.module if not target.name else f"{target.module}.{target.name}"
        while rest and (module is None or rest[0] not in module.definitions):
            place = f"{place}.{rest[0]}"
            inner = module_text.find(place, near)
            if inner is None:
                break
            module, rest = inner, rest[1:]
        if module is None:
            return
        if rest:
            self.queue(module, rest[0], rest[1:])
        else:
            self.whole(module)

    def whole(self, module: module_text.Module) -> None:
        """A module that is used as a value: all of it counts."""
        self.files.add(module.file)
        self.found[module.name, "*"] = module.text

    def live(self, module: module_text.Module, name: str, value: Any) -> None:
        """A name that only the running process knows: a notebook's cell, a closure."""
        from alula.types import anything
        from alula.types.mismatches import Mismatch

        inner = getattr(value, "function", value) if hasattr(value, "entrypoint") else value
        if hasattr(inner, "__code__"):
            if (module.name, getattr(inner, "__qualname__", name)) not in self.found:
                if places.is_installed(inner.__code__.co_filename):
                    return
                self.function(inner, name)
            return
        if isinstance(value, type(builtins)):
            other = module_text.find(value.__name__, module)
            if other is not None:
                self.whole(other)
            return
        if isinstance(value, type):
            if value.__module__ != "__main__":  # of a file: its module counts, where it belongs to the project
                other = module_text.find(value.__module__, module)
                if other is not None:
                    self.queue(other, value.__qualname__.partition(".")[0], [])
                return
            raise _Unreadable(f"the class {name} is not defined in a file")
        try:
            self.found[module.name, name] = anything.text(value)
        except Mismatch:
            raise _Unreadable(f"it uses {name}, a value of type {type(value).__name__} without a text") from None


def _cell(name: str, cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        raise _Unreadable(f"the variable {name} around it is not set yet") from None
