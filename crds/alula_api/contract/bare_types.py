"""The part of a type that decides whether two interfaces are the same; goes into the interface digest."""

from __future__ import annotations

from typing import Any

from alula_api.contract import families
from alula_api.contract.families import Schema

_IGNORED = {"title", "description", "default", "examples", "x-alula-default", "x-alula-module", "$defs"}
_LISTS = ("prefixItems", "anyOf")
_TYPES = ("items", "additionalProperties")


def strip(schema: Schema) -> Schema:
    """Return a type without titles, descriptions and defaults; definitions are numbered in the order of their use."""
    names: dict[str, str] = {}
    stripped = _strip(schema, names)
    definitions: dict[str, Any] = {}
    while len(definitions) < len(names):  # stripping a definition may name more of them
        name = list(names)[len(definitions)]
        definitions[names[name]] = _strip(families.resolve({"$ref": families.ROOT + name}, schema), names)
    if definitions:
        stripped["$defs"] = definitions
    return stripped


def _strip(schema: Schema, names: dict[str, str]) -> Schema:
    found: Schema = {}
    for key, value in sorted(schema.items()):  # definitions are numbered as they are met, in whatever order keys came
        if key in _IGNORED:
            continue
        if key == "$ref":
            name = value.removeprefix(families.ROOT)
            found[key] = families.ROOT + names.setdefault(name, str(len(names)))
        elif key == "properties":
            found[key] = {name: _strip(item, names) for name, item in sorted(value.items())}
        elif key == "required":
            # Whether a property may be left out is a matter of its default; the wire value always has it.
            optional = {name for name, item in schema.get("properties", {}).items() if "x-alula-default" in item}
            found[key] = sorted(optional.union(value))
        elif key in _LISTS:
            found[key] = [_strip(item, names) for item in value]
        elif key in _TYPES and isinstance(value, dict):
            found[key] = _strip(value, names)
        else:
            found[key] = value
    return found
