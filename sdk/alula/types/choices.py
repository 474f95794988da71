"""Enum (by name) and Literal (by value): a fixed list of values."""

from __future__ import annotations

import enum
from typing import Any

from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType, home
from alula.types.scalars import lowered
from alula.types.unsupported import Unsupported

EXACT_INTEGERS = 2**53
"""Beyond this, readers of JSON that are not ours see another number; a Literal is compared by such readers."""


def enumeration(cls: type[enum.Enum]) -> PyType:
    """An Enum: names on the wire in declared order, because Argo's dropdown shows them."""
    if issubclass(cls, enum.Flag):
        raise Unsupported(cls, f"{cls.__name__} is a Flag, whose combinations have no names", "list[...] of an Enum")
    names = tuple(cls.__members__)
    canonical = tuple(member.name for member in cls)
    if not canonical:
        raise Unsupported(cls, f"{cls.__name__} has no members", "an Enum with at least one member")
    members = dict(cls.__members__)
    label = cls.__name__

    def check(value: Any) -> Any:
        if type(value) is cls:
            return value
        hint = f"pass one of {_listed(f'{label}.{name}' for name in canonical)}"
        try:
            hint = f"write {label}.{cls(value).name}"
        except ValueError:
            if isinstance(value, str) and value in members:
                hint = f"write {label}.{value}"
        raise Mismatch(f"expected {label}, got {kind(value)}", hint)

    def to_json(value: Any, carrier: Any = None) -> Json:
        return check(value).name

    def from_json(value: Json, carrier: object = None) -> object:
        if type(value) is str and value in members:
            return members[value]
        raise Mismatch(f"expected one of {_listed(names)}, got {kind(value)}")

    schema: dict[str, Any] = {
        "type": "string",
        "enum": list(canonical),
        "x-alula-type": "enum",
        "title": label,
        "x-alula-module": home(cls),
    }
    values = _values(cls)
    if values is not None:
        schema["x-alula-values"] = values
    return PyType(cls, label, schema, to_json, from_json, check=check, exact=(cls,))


def _values(cls: type[enum.Enum]) -> list[str] | None:
    """Each member's value as JSON text, so that the run's edge accepts values; None when one of them is not JSON."""
    from alula.types import anything

    texts = []
    for member in cls:
        value = member.value
        try:
            texts.append(anything.text(int(value) if type(value) is not bool and isinstance(value, int) else value))
        except Mismatch:
            return None
    return texts


def literal(annotation: Any, values: tuple[Any, ...]) -> PyType:
    """A Literal: its values as they are; `Literal[1]` takes neither True nor 1.0."""
    json_types = {int: "integer", str: "string", bool: "boolean", type(None): "null"}
    for value in values:
        if type(value) not in json_types:
            raise Unsupported(annotation, f"the literal {value!r} is not an int, str, bool or None", "an Enum")
        if type(value) is int and abs(value) > EXACT_INTEGERS:
            raise Unsupported(annotation, f"the literal {value} is beyond 2**53", "int")
    label = f"Literal[{', '.join(map(repr, values))}]"
    allowed = {(type(value), value) for value in values}

    def check(value: object) -> object:
        value = lowered(value)
        if type(value) in json_types and (type(value), value) in allowed:
            return value
        raise Mismatch(f"expected one of {_listed(map(repr, values))}, got {kind(value)}")

    def convert(value: object, carrier: object = None) -> Any:
        return check(value)

    schema: dict[str, Any] = {"enum": list(values)}
    names = {json_types[type(value)] for value in values}
    if len(names) == 1:
        schema = {"type": names.pop(), **schema}
    return PyType(annotation, label, schema, convert, convert, check=check)


def _listed(items: Any) -> str:
    shown = list(items)
    return ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "")
