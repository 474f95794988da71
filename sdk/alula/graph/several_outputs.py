"""The outputs of a call that has several, while a workflow is traced: a tuple of promises that is no value as a whole.

Python would decide by such a tuple, compare it and make text of it without asking the promises in it.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

from alula.graph import promises

_APART = "take the outputs apart first, as in `first, second = ...`, and use one of them"
_USES = {
    "__bool__": promises.DECIDES,
    **dict.fromkeys(("__str__", "__format__"), promises.IS_MADE_TEXT),
    **dict.fromkeys((f"__{each}__" for each in ("eq", "ne", "lt", "le", "gt", "ge")), "is compared as a whole"),
}
_MARK = "_alula_refuses"
"""What such a class has."""


def refusing(values: tuple[promises.Promise, ...]) -> tuple[promises.Promise, ...]:
    """Return a tuple of promises, which may be a NamedTuple, as one of its kind that refuses to be used as a value."""
    return tuple.__new__(_refusing(type(values)), values)


@functools.cache
def _refusing(kind: type[tuple[Any, ...]]) -> type[tuple[Any, ...]]:
    """The same class with the methods of `_USES`; a tuple is hashed as before, by its promises, which refuse it."""
    if _MARK in kind.__dict__:
        return kind
    methods = {name: _refusal(what) for name, what in _USES.items()}
    named = {_MARK: True, "__slots__": (), "__module__": kind.__module__, "__hash__": kind.__hash__}
    return type(kind.__name__, (kind,), {**named, **methods})


def _refusal(what: str) -> Any:
    def method(self: tuple[promises.Promise, ...], *_: object) -> NoReturn:
        promises.refuse(self[0], what, _APART)

    return method
