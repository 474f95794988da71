"""What of a module counts as defined by it: under its names, and in lists, tuples and dicts under them.

`PIPELINES = [make(city) for city in CITIES]` holds workflows as well as a name for each would. Read by the command
line and by emission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def members(namespace: Mapping[str, Any], kind: type[T]) -> Iterator[tuple[str, T]]:
    """Yield what is of a kind that has a `name`: what names hold by those names, else by its own; each thing once."""
    seen: set[int] = set()
    for name, value in namespace.items():
        if isinstance(value, kind):
            seen.add(id(value))
            yield name, value
    for name, value in namespace.items():
        if name.startswith("__"):
            continue
        for each in _held(value):
            if isinstance(each, kind) and id(each) not in seen:
                seen.add(id(each))
                yield each.name, each  # type: ignore[attr-defined]


def _held(value: Any) -> Iterator[Any]:
    # Exactly these: a subclass of the user's may do anything when it is iterated over.
    if type(value) in (list, tuple):
        yield from value
    elif type(value) is dict:
        yield from value.values()
