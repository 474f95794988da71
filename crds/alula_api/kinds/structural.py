"""From a model's JSON Schema to the structural schema that a CRD holds.

Used by `definitions`. A construct that the API server cannot hold, or whose cost it cannot bound, is an error that
names the field: it is found when the CRDs are generated, not when they are installed.
"""

from __future__ import annotations

from typing import Any

import pydantic

# In the order in which they are written.
_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "maxItems",
    "minItems",
    "maxProperties",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "oneOf",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
_DROPPED = frozenset({"title", "default", "discriminator", "$defs", "ge", "le"})
# What may stand under `oneOf` and `not`: rules about fields, never types.
_RULES = frozenset({"required", "maxProperties", "minProperties", "not", "anyOf", "oneOf", "allOf"})


class NotStructuralError(Exception):
    """A field whose type a CRD cannot hold."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'the root'}: {message}")


def structural(model: type[pydantic.BaseModel], path: str = "") -> dict[str, Any]:
    """The structural schema of a model, with every reference written out; `path` is where it stands.

    Raises:
        NotStructuralError: with the path of the field and what it must be instead.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _object(schema, path, schema.get("$defs", {}), ())


def _object(schema: dict[str, Any], path: str, defs: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    schema, within = _resolved(schema, path, defs, within)
    unknown = schema.keys() - set(_KEPT)
    if unknown:
        raise NotStructuralError(path, f"must not use {', '.join(sorted(unknown))}")
    schema = dict(schema)
    _check(schema, path)
    if "properties" in schema:
        schema["properties"] = {
            name: _object(inner, f"{path}.{name}" if path else name, defs, within)
            for name, inner in schema["properties"].items()
        }
    if "additionalProperties" in schema:
        schema["additionalProperties"] = _object(schema["additionalProperties"], f"{path}[*]", defs, within)
    if "items" in schema:
        schema["items"] = _object(schema["items"], f"{path}[]", defs, within)
        _check_keys(schema, path)
    return {name: schema[name] for name in _KEPT if name in schema}


def _resolved(
    schema: dict[str, Any], path: str, defs: dict[str, Any], within: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema without references, optional wrappers and what a CRD has no use for."""
    while True:
        outer = {name: value for name, value in schema.items() if name not in _DROPPED}
        if "$ref" in outer:
            name = outer.pop("$ref").removeprefix("#/$defs/")
            if name in within:
                raise NotStructuralError(path, f"must not contain itself: {' > '.join((*within, name))}")
            within = (*within, name)
            schema = {**defs[name], **outer}
        elif "anyOf" in outer:
            options = [option for option in outer.pop("anyOf") if option != {"type": "null"}]
            if len(options) != 1:
                raise NotStructuralError(
                    path, "must be one type, not a union: use optional fields, exactly one of them"
                )
            schema = {**options[0], **outer}
        else:
            if outer.get("additionalProperties") is False:
                del outer["additionalProperties"]
            if "const" in outer:
                outer["enum"] = [outer.pop("const")]
            return outer, within


def _check(schema: dict[str, Any], path: str) -> None:
    """What style and cost demand of one node."""
    kind = schema.get("type")
    if not isinstance(kind, str):
        raise NotStructuralError(path, "must have one type")
    if kind == "number":
        raise NotStructuralError(path, "must not be a float: use an integer or a string")
    if kind == "null":
        raise NotStructuralError(path, "must not be null: leave the field out")
    if kind == "integer" and not schema.keys() >= {"minimum", "maximum", "format"}:
        raise NotStructuralError(path, "an integer must have bounds and a format")
    if kind == "string" and "maxLength" not in schema and "enum" not in schema:
        raise NotStructuralError(path, "a string must have a longest length")
    if kind == "array" and not schema.keys() >= {"items", "maxItems", "x-kubernetes-list-type"}:
        raise NotStructuralError(path, "a list must have items, a largest size and a list type")
    if kind == "object" and ("properties" in schema) == ("additionalProperties" in schema):
        raise NotStructuralError(path, "an object must have either fields or entries of one type")
    if schema.get("additionalProperties") is True:
        raise NotStructuralError(path, "a map must have entries of one type")
    if "additionalProperties" in schema and "maxProperties" not in schema:
        raise NotStructuralError(path, "a map must have a largest size")
    for rule in schema.get("oneOf", ()):
        if not _only_rules(rule):
            raise NotStructuralError(path, "must be one type, not a union: `oneOf` may speak of required fields only")


def _only_rules(rule: Any) -> bool:
    if isinstance(rule, dict):
        return rule.keys() <= _RULES and all(_only_rules(inner) for inner in rule.values())
    return all(_only_rules(inner) for inner in rule) if isinstance(rule, list) else isinstance(rule, (str, int))


def _check_keys(schema: dict[str, Any], path: str) -> None:
    """A list of map type needs its keys in every item."""
    items = schema["items"]
    for key in schema.get("x-kubernetes-list-map-keys", ()):
        if key not in items.get("properties", {}) or key not in items.get("required", ()):
            raise NotStructuralError(f"{path}[].{key}", "the key of a list must be a required field of its items")
    if schema["x-kubernetes-list-type"] == "set" and items.get("type") not in ("string", "integer"):
        raise NotStructuralError(path, "a list of set type must hold scalars")
