"""Whether a type in a resource is well formed: it may come from another SDK, or from an editor."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from alula_api.contract import families, jsontext, references
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import MOST_DEPTH
from alula_api.contract.problems import MOST_PROBLEMS, InvalidValue, Problem, shown

EXACT_INTEGER: Final = 2**53
"""Beyond this a literal could not be told apart by every reader of JSON."""

_ANNOTATIONS = {"title", "description", "default", "examples", "$defs", "x-alula-default", "x-alula-module"}
_PAIR = {"type", "prefixItems", "items"}
_ARRAY = {"type", "x-alula-type", "items"}
_KEYWORDS: Final[dict[str, set[str]]] = {
    "ref": {"$ref"},
    "any": set(),
    "literal": {"enum", "type"},
    "never": {"enum"},
    "union": {"anyOf"},
    "tagged": {"anyOf", "x-alula-type", "x-alula-tags"},
    "bytes": {"type", "contentEncoding"},
    "datetime": {"type", "format"},
    "date": {"type", "format"},
    "duration": {"type", "format"},
    "naive-datetime": {"type", "x-alula-type"},
    "enum": {"type", "enum", "x-alula-type", "x-alula-values"},
    "list": _ARRAY,
    "tuples": _ARRAY,
    "map": _ARRAY,
    "set": {*_ARRAY, "uniqueItems"},
    "frozenset": {*_ARRAY, "uniqueItems"},
    "tuple": {*_ARRAY, "prefixItems"},
    "namedtuple": {*_ARRAY, "prefixItems", "x-alula-fields"},
    "dict": {"type", "additionalProperties"},
    "object": {"type", "additionalProperties"},
    "record": {"type", "properties", "required", "additionalProperties", "x-alula-fields"},
    **{name: {"x-alula-type", "format"} for name in families.REFERENCES},
}
_TYPES: Final = {
    **dict.fromkeys(("list", "tuples", "tuple", "namedtuple", "map", "set", "frozenset"), "array"),
    **dict.fromkeys(("dict", "object", "record"), "object"),
    **dict.fromkeys(("bytes", "datetime", "naive-datetime", "date", "duration", "enum", "string"), "string"),
}


def structure(schema: Any) -> list[Problem]:
    """Return what is malformed in a type, its definitions included, but for the values of defaults: see `codecs`."""
    problems: list[Problem] = []
    definitions = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    if not isinstance(definitions, dict):
        return [_bad("$.$defs", "must be an object of types")]
    pending: list[tuple[Any, str, int]] = [(schema, "$", 0)]
    pending.extend((definition, f"$.$defs.{name}", 0) for name, definition in definitions.items())
    while pending and len(problems) < MOST_PROBLEMS:
        part, place, depth = pending.pop()
        if depth > MOST_DEPTH:
            problems.append(_bad(place, f"is nested deeper than {MOST_DEPTH} levels"))
            break
        if not isinstance(part, dict):
            problems.append(_bad(place, f"must be a type, not {shown(part)}"))
            continue
        before = len(problems)
        name = families.family(part)
        _check_one(part, name, place, schema, problems)
        if len(problems) == before:
            pending.extend((inner, place + step, depth + 1) for step, inner in families.children(part, name))
    if not problems:
        _check_aliases(definitions, problems)
    if not problems:
        _check_parts(schema, problems)
    return problems[:MOST_PROBLEMS]


def _brief(schema: Schema) -> str:
    """The words of an unknown type that say what was meant."""
    told = (f"{name}: {shown(schema[name])}" for name in sorted(schema) if name not in _ANNOTATIONS)
    return "{" + ", ".join(told) + "}"


def _check_one(schema: Schema, name: str, path: str, root: Schema, problems: list[Problem]) -> None:
    if not name:
        problems.append(_bad(path, f"is not a type that alula knows: {_brief(schema)}"))
        return
    unknown = [key for key in schema if key not in _KEYWORDS.get(name, {"type"}) and key not in _ANNOTATIONS]
    if unknown:
        problems.append(_bad(path, f"has {', '.join(map(shown, unknown[:5]))}, which {name} types do not have"))
    if name in _TYPES and schema.get("type") != _TYPES[name]:
        problems.append(_bad(path, f"must have the type {_TYPES[name]}"))
    if not isinstance(schema.get("title", ""), str):
        problems.append(_bad(f"{path}.title", "must be a str"))
    if not isinstance(schema.get("x-alula-default", ""), str):
        problems.append(_bad(f"{path}.x-alula-default", "must be JSON text"))
    if "$defs" in schema and schema is not root:
        problems.append(_bad(f"{path}.$defs", "must be at the root of the type"))
    checker = _CHECKS.get(name)
    if checker is not None:
        reason = checker(schema, root)
        if reason:
            problems.append(_bad(path, reason))


def _strings(value: Any, least: int = 0) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= least
        and all(isinstance(item, str) for item in value)
        and len(set(value)) == len(value)
    )


def _ref(schema: Schema, root: Schema) -> str:
    target = families.resolve(schema, root)
    return "must refer to a type under $defs" if target.get("type") == "unresolved" else ""


def _enum(schema: Schema, root: Schema) -> str:
    names = schema.get("enum")
    if not _strings(names, 1) or not isinstance(names, list):
        return "must have the names of its members under enum, each once"
    if "x-alula-values" not in schema:
        return ""
    values = schema["x-alula-values"]
    if not isinstance(values, list) or len(values) != len(names) or not all(isinstance(item, str) for item in values):
        return "must have one text under x-alula-values for each member"
    for item in values:
        try:
            if item:
                jsontext.parse(item)
        except InvalidValue:
            return f"must have JSON texts under x-alula-values, not {shown(item)}"
    return ""


def _literal(schema: Schema, root: Schema) -> str:
    values = schema["enum"]
    if not isinstance(values, list) or not values:
        return "must have at least one value under enum"
    for value in values:
        if not (value is None or type(value) in {bool, int, str}):
            return f"must have null, bool, int or str under enum, not {shown(value)}"
        if type(value) is int and not -EXACT_INTEGER <= value <= EXACT_INTEGER:
            return f"must have integers of at most 2**53 under enum, not {shown(value)}"
    if len({(type(value), value) for value in values}) != len(values):
        return "must have each value under enum once"
    return ""


def _union(schema: Schema, root: Schema) -> str:
    variants = schema["anyOf"]
    return "" if isinstance(variants, list) and variants else "must have its variants under anyOf"


def _tagged(schema: Schema, root: Schema) -> str:
    variants, tags = schema.get("anyOf"), schema.get("x-alula-tags")
    if not isinstance(variants, list) or not _strings(tags, 1) or len(variants) != len(tags or ()):
        return "must have variants under anyOf and one name for each, all different, under x-alula-tags"
    return ""


def _items(schema: Schema, root: Schema) -> str:
    return "" if isinstance(schema.get("items"), dict) else "must have the type of its items under items"


def _set(schema: Schema, root: Schema) -> str:
    return _items(schema, root) or ("" if schema.get("uniqueItems") is True else "must have uniqueItems: true")


def _positions(schema: Schema, root: Schema) -> str:
    if not isinstance(schema.get("prefixItems"), list) or schema.get("items") is not False:
        return "must have the types of its items under prefixItems, and items: false"
    return ""


def _namedtuple(schema: Schema, root: Schema) -> str:
    reason = _positions(schema, root)
    if not reason and (
        not _strings(schema.get("x-alula-fields")) or len(schema["x-alula-fields"]) != len(schema["prefixItems"])
    ):
        return "must have one name for each item, all different, under x-alula-fields"
    return reason


def _map(schema: Schema, root: Schema) -> str:
    pair = schema.get("items")
    if not isinstance(pair, dict) or set(pair) != _PAIR or pair["type"] != "array" or pair["items"] is not False:
        return "must have pairs of key and value as its items"
    if not isinstance(pair["prefixItems"], list) or len(pair["prefixItems"]) != 2:
        return "must have pairs of key and value as its items"
    return ""


def _check_map_keys(schema: Schema, path: str, root: Schema, problems: list[Problem]) -> None:
    if families.has_references(schema["items"]["prefixItems"][0], root):
        problems.append(_bad(path, "must have keys that hold no references to stored data"))


def _object(schema: Schema, root: Schema) -> str:
    return "" if schema.get("additionalProperties", True) is True else "must have properties or additionalProperties"


def _record(schema: Schema, root: Schema) -> str:
    properties, required = schema["properties"], schema.get("required", [])
    if not isinstance(properties, dict) or not all(isinstance(name, str) for name in properties):
        return "must have an object of types under properties"
    if not _strings(required) or not set(required) <= set(properties):
        return "must have names of properties under required, each once"
    fields = schema.get("x-alula-fields")
    if fields is not None and (not _strings(fields) or sorted(fields) != sorted(properties)):
        return "must have the names of all properties, in declared order, under x-alula-fields"
    if schema.get("additionalProperties") is not False:
        return "must have additionalProperties: false"
    return ""


def _reference(schema: Schema, root: Schema) -> str:
    text = schema.get("format", "x")
    if not isinstance(text, str) or not re.fullmatch(references.FORMAT, text):
        return "must have letters, digits and . _ + - under format, at most 64"
    return ""


_CHECKS: Final[dict[str, Callable[[Schema, Schema], str]]] = {
    "ref": _ref,
    "enum": _enum,
    "literal": _literal,
    "union": _union,
    "tagged": _tagged,
    "list": _items,
    "tuples": _items,
    "set": _set,
    "frozenset": _set,
    "tuple": _positions,
    "namedtuple": _namedtuple,
    "map": _map,
    "object": _object,
    "record": _record,
    **dict.fromkeys(families.REFERENCES, _reference),
}


def _check_aliases(definitions: dict[str, Schema], problems: list[Problem]) -> None:
    """Append definitions that contain themselves without an array or object between, so that no value would end."""
    for name, definition in definitions.items():
        pending, seen = [definition], set[str]()
        while pending:
            part = pending.pop()
            if "$ref" in part:
                target = part["$ref"].removeprefix(families.ROOT)
                if target == name:
                    problems.append(_bad(f"$.$defs.{name}", "must not be one of its own variants"))
                    break
                if target not in seen:
                    seen.add(target)
                    pending.append(definitions[target])
            elif families.family(part) == "union":
                pending.extend(part["anyOf"])


def _check_parts(schema: Schema, problems: list[Problem]) -> None:
    """Append untagged unions whose variants overlap, and maps by references; the types are otherwise well formed."""
    pending = [(schema, "$"), *((item, f"$.$defs.{name}") for name, item in schema.get("$defs", {}).items())]
    while pending and len(problems) < MOST_PROBLEMS:
        part, place = pending.pop()
        name = families.family(part)
        pending.extend((inner, place + step) for step, inner in families.children(part, name))
        if name == "map":
            _check_map_keys(part, place, schema, problems)
        if name != "union":
            continue
        seen = set[type]()
        for variant in part["anyOf"]:
            kinds = families.kinds(variant, schema)
            if seen & kinds:
                problems.append(_bad(place, "must name its variants by x-alula-tags, because their JSON types overlap"))
                break
            seen |= kinds


def _bad(path: str, message: str) -> Problem:
    return Problem(path, message, Code.UNSUPPORTED_TYPE)
