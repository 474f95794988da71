"""Which family a type belongs to, and how its parts are reached: what everything that walks a type shares.

Knows the grammar, no values. Outside this package `schemas` gives the same functions, beside the others for types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

ROOT: Final = "#/$defs/"
REFERENCES: Final = ("file", "frame", "directory")
"""Types whose values are references to stored data."""

_STRINGS: Final = {"date-time": "datetime", "date": "date", "duration": "duration"}
_SCALARS: Final = {"integer": "integer", "number": "number", "boolean": "boolean", "null": "null"}
_MARKED: Final = {
    "enum": "enum",
    "union": "tagged",
    "namedtuple": "namedtuple",
    "map": "map",
    "set": "set",
    "frozenset": "frozenset",
    "naive-datetime": "naive-datetime",
    **{name: name for name in REFERENCES},
}
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float, str),  # NaN and the infinities are texts
    "boolean": (bool,),
    "null": (type(None),),
    "any": (type(None), bool, int, float, str, list, dict),
    **dict.fromkeys(("string", "bytes", "datetime", "naive-datetime", "date", "duration", "enum"), (str,)),
    **dict.fromkeys(("list", "tuples", "tuple", "namedtuple", "map", "set", "frozenset"), (list,)),
    **dict.fromkeys(("dict", "object", "record", "tagged", *REFERENCES), (dict,)),
}


def family(schema: Mapping[str, Any]) -> str:
    """Return the family of a type, "" where there is none.

    One of: any, never, ref, literal, union (untagged), tagged; integer, number, boolean, null, string, bytes, datetime,
    naive-datetime, date, duration, enum; list, tuples (of one type), tuple (fixed), namedtuple, map (pairs), set,
    frozenset; dict (text keys), object (any), record; file, frame, directory.
    """
    if "$ref" in schema:
        return "ref"
    marker = schema.get("x-alula-type")
    kind = schema.get("type")
    if marker is not None:
        if marker == "tuple":
            return "tuple" if "prefixItems" in schema else "tuples"
        return _MARKED.get(marker, "") if isinstance(marker, str) else ""
    if "anyOf" in schema:
        return "union"
    if "enum" in schema:
        return "never" if schema["enum"] == [] else "literal"
    if kind is None:
        return "" if any(key in schema for key in ("properties", "items", "format", "additionalProperties")) else "any"
    if not isinstance(kind, str):
        return ""
    return _SCALARS.get(kind) or _plain(kind, schema)


def _plain(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "string":
        if "contentEncoding" in schema:
            return "bytes" if schema["contentEncoding"] == "base64" else ""
        return _STRINGS.get(str(schema["format"]), "") if "format" in schema else "string"
    if kind == "array":
        return "list"
    if kind == "object":
        if "properties" in schema:
            return "record"
        return "dict" if isinstance(schema.get("additionalProperties"), dict) else "object"
    return ""


def resolve(schema: Schema, root: Schema) -> Schema:
    """Return the type behind references to `$defs`; one of family "" where there is none."""
    for _ in range(100):
        if "$ref" not in schema:
            return schema
        target, definitions = schema["$ref"], root.get("$defs", {})
        if not isinstance(target, str) or not target.startswith(ROOT):
            break
        found = definitions.get(target.removeprefix(ROOT))
        if not isinstance(found, dict):
            break
        schema = found
    return {"type": "unresolved"}


def children(schema: Schema, name: str | None = None) -> Iterator[tuple[str, Schema]]:
    """Yield the types inside a type, with the path from it, without following references to `$defs`."""
    match family(schema) if name is None else name:
        case "map":
            for index, item in enumerate(schema.get("items", {}).get("prefixItems", ())):
                yield f".items.prefixItems[{index}]", item
        case "list" | "tuples" | "set" | "frozenset":
            yield ".items", schema.get("items", {})
        case "tuple" | "namedtuple":
            for index, item in enumerate(schema.get("prefixItems", ())):
                yield f".prefixItems[{index}]", item
        case "dict":
            yield ".additionalProperties", schema["additionalProperties"]
        case "record":
            for key, item in schema["properties"].items():
                yield f".properties.{key}", item
        case "union" | "tagged":
            for index, item in enumerate(schema.get("anyOf", ())):
                yield f".anyOf[{index}]", item


def kinds(schema: Schema, root: Schema | None = None) -> frozenset[type]:
    """Return the Python types of the JSON values that a type has; variants of an untagged union must not share any."""
    root = schema if root is None else root
    found, pending, seen = set[type](), [schema], set[str]()
    while pending:
        part = pending.pop()
        if "$ref" in part:
            if part["$ref"] in seen:
                continue
            seen.add(part["$ref"])
            part = resolve(part, root)
        name = family(part)
        if name == "union":
            pending.extend(part["anyOf"])
        elif name == "literal":
            found.update(map(type, part["enum"]))
        else:
            found.update(_KINDS.get(name, ()))
    return frozenset(found)


def has_references(schema: Schema, root: Schema | None = None) -> bool:
    """Tell whether values of a type can hold references to stored data."""
    root = schema if root is None else root
    stack, seen = [schema], set[str]()
    while stack:
        part = stack.pop()
        name = family(part)
        if name in REFERENCES:
            return True
        if name == "ref":
            if part["$ref"] not in seen:
                seen.add(part["$ref"])
                stack.append(resolve(part, root))
        else:
            stack.extend(inner for _, inner in children(part, name))
    return False
