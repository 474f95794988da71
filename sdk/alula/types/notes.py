"""What stands in `Annotated[...]` and means nothing here: said once, because it would otherwise go unnoticed.

Asked by `alula.interfaces.signatures` for inputs and results, and by `compiling` for the fields of records.
"""

from __future__ import annotations

import typing
import warnings
from typing import Any

from alula.types import files, times

_warned: set[tuple[str, str, int]] = set()


def warn(annotation: Any, subject: str, file: str, line: int) -> None:
    """Warn, once a place, of the notes of an annotation that have no meaning here."""
    unused = ", ".join(map(repr, _unused(annotation)))
    if unused:
        text = f"{subject}: alula makes nothing of {unused} in Annotated[...]"
        if (text, file, line) not in _warned:
            _warned.add((text, file, line))
            warnings.warn_explicit(text, UserWarning, file, line)


def of_class(cls: type, hints: dict[str, Any]) -> None:
    """Warn of the notes on a class's fields."""
    noted = {name: hint for name, hint in hints.items() if _unused(hint)}
    if noted:
        import inspect

        try:
            file, line = inspect.getsourcefile(cls) or "", inspect.getsourcelines(cls)[1]
        except (OSError, TypeError):  # of a notebook's cell that is gone, or made by exec
            file, line = cls.__module__, 1
        for name, hint in noted.items():
            warn(hint, f"{cls.__name__}.{name}", file, line)


def _unused(annotation: Any) -> list[Any]:
    found: list[Any] = []
    pending = [annotation]
    while pending:
        part = pending.pop()
        origin, arguments = typing.get_origin(part), typing.get_args(part)
        if origin is typing.Annotated:
            found += [note for note in arguments[1:] if not _means_something(arguments[0], note)]
            arguments = arguments[:1]
        pending += reversed(arguments) if origin is not typing.Literal else ()
    return found


def _means_something(annotation: Any, note: object) -> bool:
    return note is times.Naive or (annotation is files.File and isinstance(note, str))
