"""What a condition sees of a value: a scalar, by the value's type.

Numbers and booleans are compared as they are, dates, times and durations as whole microseconds, members of an Enum or
Literal as their place in declared order, text as it is. The engine reads parameters and never the store, so the pod
that makes a value publishes what is compared of it as a small output of its own (`published`), with text as its
digest: nothing that a user wrote reaches an expression. Of a value of any other type it can only be asked whether it is
None. What maps ask for is published in the same way: a list as its items (`lists`), and a result as an item of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from alula_api.contract import codecs, families, jsontext, lists, references, schemas
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem

Scalar: TypeAlias = int | float | bool | str | None

INTEGERS: Final = range(-(2**63), 2**63)
"""What the engine can compare."""
ORDERED: Final = frozenset({"integer", "number", "datetime", "naive-datetime", "date", "duration"})
"""Families that have `<`; the others have `==` alone."""
_SAME: Final = frozenset({"boolean", "string", "bytes"})
_CHOICES: Final = frozenset({"enum", "literal"})


def without_none(schema: Schema) -> tuple[Schema, bool]:
    """Return the type without None, and whether it may be None; of a union of several others all of it."""
    part = families.resolve(schema, schema)
    if families.family(part) == "union":
        others = [each for each in part["anyOf"] if families.family(families.resolve(each, schema)) != "null"]
        if len(others) == 1 < len(part["anyOf"]):
            return families.resolve(others[0], schema), True
        return part, len(others) < len(part["anyOf"])
    return part, families.family(part) in ("null", "any")


def kind(schema: Schema) -> str:
    """Return what values of a type are compared as, empty for those that are not; only equal kinds are compared."""
    part, _ = without_none(schema)
    family = families.family(part)
    if family in _CHOICES:
        return f"one of {', '.join(map(str, part['enum']))}"
    return family if family in ORDERED or family in _SAME else ""


def is_ordered(schema: Schema) -> bool:
    """Tell whether values of a type have an order."""
    return kind(schema) in ORDERED


def comparable(value: Json, schema: Schema) -> Scalar:
    """Return what a condition sees of a value in its wire form; of one that is not compared, None or True.

    Raises:
        InvalidValue: The value does not fit its type, or is an integer that the engine could not compare.
    """
    part, may_be_none = without_none(schema)
    if value is None and may_be_none:
        return None
    family = families.family(part)
    if family in _CHOICES:
        if value not in part["enum"]:
            raise _misfit(f"must be one of {part['enum']}")
        return int(part["enum"].index(value))
    if family == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise _misfit("must be a number")
        return float(value)
    if family == "integer":
        if isinstance(value, bool) or not isinstance(value, int) or value not in INTEGERS:
            raise _misfit("must be an integer of at most 64 bits to be compared")
        return value
    if family == "boolean":
        if not isinstance(value, bool):
            raise _misfit("must be true or false")
        return value
    if family in _TIMES or family in _SAME:
        if not isinstance(value, str):
            raise _misfit("must be text")
        return _TIMES[family](value) if family in _TIMES else value
    return True


def published(value: Json, schema: Schema) -> Json:
    """Return what is published of a value: as `comparable`, with a text as its digest, in the form of JSON.

    Raises:
        InvalidValue: As `comparable`.
    """
    found = comparable(value, schema)
    if isinstance(found, str):
        return hashlib.sha256(found.encode()).hexdigest()
    return codecs.codec({"type": "number"}).normal(found) if isinstance(found, float) else found


Form: TypeAlias = Literal["scalar", "items", "item", "batches"]


@dataclass(frozen=True, slots=True)
class Part:
    """What is published beside the values of a node, or beside the inputs of a run.

    Attributes:
        name: Of the small output.
        source: The output or input that it is a part of.
        path: Where in its value.
        form: `scalar` as a condition compares it; `items` of a list that a map goes over; `item` of a map's list;
            `batches` of a list that a map in batches goes over.
        size: Of these batches, `lists.AUTO` for what the length decides.
        each: Of a part of each item of a list, which lies at the path: where in an item, and where in an item of the
            list that lies there, and so on. It is published as a list of what the form says of each.
    """

    name: str
    source: str
    path: tuple[str, ...] = ()
    form: Form = "scalar"
    size: int = lists.AUTO
    each: tuple[tuple[str, ...], ...] = ()


def publish(
    parts: Iterable[Part],
    values: Mapping[str, Any],
    types: Mapping[str, Schema],
    stored: Mapping[str, references.Stored] = MappingProxyType({}),
) -> dict[str, Json]:
    """Return what is published, by name.

    Args:
        parts: What is asked for.
        values: The outputs or inputs, as they travel.
        types: Of the same.
        stored: Of values that travel inline, those that lie in the store as well.

    Raises:
        InvalidValue: A value lies in the store, has no such part, cannot be compared, is too long for a list, or is a
            list that is too long for a map.
    """
    found = {}
    for part in parts:
        value, schema = values[part.source], schemas.at(types[part.source], part.path)
        if part.form == "item" and not part.path:
            found[part.name] = item(value if is_item(value) else stored.get(part.source, value))
            continue
        if isinstance(value, references.Stored):
            raise _misfit("lies in the store")
        if isinstance(schema, Problem):
            raise InvalidValue([schema])
        found[part.name] = of_each(jsontext.select(value, part.path), schema, part.each, part)
    return found


def of_each(value: Json, schema: Schema, each: tuple[tuple[str, ...], ...], part: Part) -> Json:
    """Return what is published of a value that is known, or of each item of a list, all of it inline.

    Args:
        value: What lies at the path of the part.
        schema: Its type.
        each: Where in an item, and so on, as of a part.
        part: What is asked for.

    Raises:
        InvalidValue: As `publish`.
    """
    if each:
        return listed_parts(value, schema, each[0], lambda inner, type_: of_each(inner, type_, each[1:], part))
    match part.form:
        case "scalar":
            return published(value, schema)
        case "batches":
            return batches(value, part.size)
        case "items":
            return items(value)
        case _:
            return item(value)


def listed_parts(value: Json, schema: Schema, path: tuple[str, ...], publish: Callable[[Json, Schema], Json]) -> Json:
    """Return a list of what is published of a part of each item, in the form in which lists travel.

    Args:
        value: The list.
        schema: Its type.
        path: Where in an item the part lies.
        publish: What is published of a part, of its value and its type.

    Raises:
        InvalidValue: It is no list, too long for a map, or too long together; an item has no such part.
    """
    if not isinstance(value, list):
        raise _misfit("must be a list")
    if (problem := lists.too_many(len(value))) is not None:
        raise problem
    texts = []
    for inner, type_ in zip(value, schemas.items(schema, len(value)) or (), strict=True):
        found = schemas.at(type_, path)
        if isinstance(found, Problem):
            raise InvalidValue([found])
        if references.is_envelope(inner):
            raise _misfit("has an item that travels in the store only")
        texts.append(lists.text(publish(jsontext.select(inner, path), found)))
    if sum(map(len, texts)) > lists.MAX_PARTS_TEXT:
        raise _misfit(f"has parts of more than {lists.MAX_PARTS_TEXT:,} characters: {lists.READ_ITEM}")
    return lists.Listed(tuple(texts)).to_json()


def items(value: Json) -> Json:
    """Return what is published of a list that a map goes over.

    Raises:
        InvalidValue: It is no list, or too long for a map, or an item of it must lie in the store.
    """
    if not isinstance(value, list):
        raise _misfit("must be a list")
    if (problem := lists.too_many(len(value))) is not None:
        raise problem
    if any(map(references.is_envelope, value)):
        raise _misfit("has an item that travels in the store only")
    return lists.listed(value).to_json()


def batches(value: Json, chosen: int) -> Json:
    """Return what is published of a list that a map in batches goes over, all of it inline.

    Raises:
        InvalidValue: It is no list, or too long for the map, or must lie in the store.
    """
    if not isinstance(value, list):
        raise _misfit("must be a list")
    if (problem := lists.too_many(len(value), chosen)) is not None:
        raise problem
    if any(map(references.is_envelope, value)):
        raise _misfit("has an item that travels in the store only")
    size = lists.batch_size(chosen, len(value))
    texts = tuple(lists.text(lists.item(value[at : at + size])) for at in range(0, len(value), size))
    if sum(map(len, texts)) > lists.MAX_BATCHES_TEXT:
        raise _misfit(f"has more than {lists.MAX_BATCHES_TEXT:,} characters: let a task make the list")
    return lists.Batches(texts, size, 0, len(value)).to_json()


def item(value: Json | references.Stored) -> Json:
    """Return what is published of a result that is an item of a map's list.

    Raises:
        InvalidValue: It must lie in the store.
    """
    if not is_item(value):
        raise _misfit("is too long for an item of a list, and does not lie in the store")
    return lists.item(value)


def is_item(value: Json | references.Stored) -> bool:
    """Tell whether a value can be an item of a map's list as it travels."""
    if isinstance(value, references.Stored):
        return True
    return lists.fits(lists.item(value)) and not references.is_envelope(value)


def published_type(schema: Schema) -> Schema:
    """Return the type of what is published of a value of this type."""
    part, may_be_none = without_none(schema)
    family = families.family(part)
    kinds = {"number": "number", "boolean": "boolean", "string": "string", "bytes": "string"}
    is_integer = family in _CHOICES or family in _TIMES or family == "integer"
    found: Schema = {"type": "integer" if is_integer else kinds.get(family, "boolean")}
    return {"anyOf": [found, {"type": "null"}]} if may_be_none else found


def _microseconds(text: str) -> int:
    import datetime

    moment = datetime.datetime.fromisoformat(text)
    is_naive = moment.tzinfo is None
    epoch = datetime.datetime(1970, 1, 1) if is_naive else datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (moment - epoch) // datetime.timedelta(microseconds=1)


def _duration(text: str) -> int:
    import datetime

    from alula_api.contract import durations

    return durations.parse_iso(text) // datetime.timedelta(microseconds=1)


def _time(of: Callable[[str], int]) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            return of(text)
        except ValueError as error:
            raise _misfit(str(error)) from None

    return read


_TIMES: Final[Mapping[str, Callable[[str], int]]] = {
    "datetime": _time(_microseconds),
    "naive-datetime": _time(_microseconds),
    "date": _time(_microseconds),
    "duration": _time(_duration),
}


def _misfit(message: str) -> InvalidValue:
    return InvalidValue([Problem("$", message)])
