"""The cache version of `cache=True`: a digest of the code that a function's result can depend on.

Called by `Task.version` and `alula cache explain`. What counts is `alula.code.closure`'s to say; digested is the parse
tree, so that comments, docstrings and formatting do not count, and every supported Python has the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from alula import errors
from alula.code import live, module_text, places
from alula.code.closure import Closure
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic


class Counted(NamedTuple):
    """What counts of one file.

    Attributes:
        file: Relative to the project's root.
        module: As it is imported.
        names: What counts of it, where it does not count whole; statements as `line 7`.
        reason: Why it counts whole; empty where it does not.
    """

    file: str
    module: str
    names: tuple[str, ...]
    reason: str


def version(function: Callable[..., Any], source: str, subject: str) -> str:
    """Return the digest of a function's code as 64 hex digits.

    Raises:
        DefinitionError: The source is not available, or the function closes over something that has no text.
    """
    found = _closure(function, source, subject)
    texts = {f"{module}:{name}": text for (module, name), text in found.parts.items() if module not in found.whole}
    texts |= {f"{module}:*": found.modules[module].whole() for module in found.whole}
    joined = "\n".join(f"{place}\n{text}" for place, text in sorted(texts.items()))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def explain(function: Callable[..., Any], source: str, subject: str) -> list[Counted]:
    """Return what counts of a function's code, file by file.

    Raises:
        DefinitionError: As of `version`.
    """
    found = _closure(function, source, subject)
    names: dict[str, list[str]] = {module: [] for module in found.whole}
    for module, name in found.parts:
        if module not in found.whole:
            shown = name.partition("~")[0]
            if name.startswith("#"):
                shown = f"line {found.modules[module].effects[int(name[1:])].statement.lineno}"
            names.setdefault(module, []).append(shown)
    rows = [
        Counted(
            places.relative(found.modules[module].file) if module in found.modules else "",
            module,
            tuple(sorted(set(inside))),
            found.whole.get(module, ""),
        )
        for module, inside in names.items()
    ]
    return sorted(rows)


def _closure(function: Callable[..., Any], source: str, subject: str) -> Closure:
    try:
        found = live.closure_of(function)
        counted = {module for module, _ in found.parts} | found.whole.keys()
        for module in sorted(counted & found.modules.keys()):
            file = found.modules[module].file
            if module_text.is_stale(file):
                shown = places.relative(file)
                raise live.Unreadable(f"{shown} was changed after it was imported; start anew, or reload it")
    except live.Unreadable as problem:
        hint = 'write cache=Cache(version="1"), and count it up when the code changes'
        message = f"cache=True needs the source: {problem}"
        raise errors.DefinitionError([Diagnostic(Code.BAD_OPTION, message, source, subject, "", hint)]) from None
    return found
