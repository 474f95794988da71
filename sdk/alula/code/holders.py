"""Under which name a module holds a definition: what another process that imports the module finds it by.

Asked by `interfaces.callee`. A function's own name need not lead to what was made of it: another definition has taken
the name, a wrapper bears the name of what it wraps, a function has made it. `first = plus` leads to it.
"""

from __future__ import annotations

from typing import Any

from alula.code.places import Entrypoint, Maker


def entrypoint(value: object, own: Entrypoint, maker: Maker) -> Entrypoint | None:
    """Where the module holds a value: under its own name, else under the first one; None if under none, or not yet."""
    found: Any = maker.names
    for part in own.qualname.split("."):
        found = found.get(part) if found is maker.names else getattr(found, part, None)
    if found is value:
        return Entrypoint(maker.module, own.qualname)
    name = _name(value, maker.names)
    return None if name is None else Entrypoint(maker.module, name)


def _name(value: object, names: dict[str, Any]) -> str | None:
    """The first name of a value; one pass for all values of a module, and one for each that it does not hold."""
    count, index = _indexes.get(id(names), (-1, {}))
    if count != len(names):
        index = {}
        for name, each in names.items():
            index.setdefault(id(each), name)
        _indexes[id(names)] = (len(names), index)
    name = index.get(id(value), "")
    if names.get(name) is value:
        return name
    return next((name for name, each in names.items() if each is value), None)


_indexes: dict[int, tuple[int, dict[int, str]]] = {}
"""For each module that was asked, by the identity of its names: how many it had, and the first name of each value."""
