"""Optional and Union: untagged when no JSON text fits two variants, else `{"$type": name, "value": ...}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
    from alula.types.carriers import Carrier


def json_types(schema: dict[str, Any]) -> set[str]:
    """The JSON types that the wire form of a schema may have; numbers include the text of nan and infinities."""
    if "anyOf" in schema:
        if schema.get("x-alula-type") == "union":
            return {"object"}
        return set().union(*(json_types(variant) for variant in schema["anyOf"]))
    if schema.get("x-alula-type") in {"file", "directory", "frame"} or "$ref" in schema:
        return {"object"}
    kinds = {"integer": {"number"}, "number": {"number", "string"}}
    if "type" in schema:
        return kinds.get(schema["type"], {schema["type"]})
    names = {str: "string", bool: "boolean", int: "number", type(None): "null"}
    if "enum" in schema:
        return {names[type(value)] for value in schema["enum"]}
    return {"null", "boolean", "number", "string", "array", "object"}


def union(annotation: Any, variants: tuple[PyType, ...]) -> PyType:
    """`A | B`, and `A | None`; a None beside tagged variants stays a plain null."""
    null = next((variant for variant in variants if variant.same is type(None)), None)
    rest = tuple(variant for variant in variants if variant is not null)
    if not rest:
        return variants[0]
    inner = rest[0] if len(rest) == 1 else _alternatives(annotation, rest, " | None" if null is not None else "")
    if null is None:
        return inner
    return _optional(annotation, inner, null)


def _optional(annotation: Any, inner: PyType, null: PyType) -> PyType:
    to_json, from_json, check = inner.to_json, inner.from_json, inner.check
    if "null" in json_types(inner.schema):  # Optional[Any], Optional[Literal["a", None]]
        return inner

    def encode(value: object, carrier: Carrier) -> Json:
        return None if value is None else to_json(value, carrier)

    def decode(value: Json, carrier: Carrier) -> object:
        return None if value is None else from_json(value, carrier)

    def checked(value: object) -> object:
        return None if value is None else check(value)

    flat = inner.schema["anyOf"] if "anyOf" in inner.schema and "x-alula-type" not in inner.schema else [inner.schema]
    schema = {"anyOf": [*flat, null.schema]}
    return PyType(
        annotation,
        f"{inner.label} | None",
        schema,
        encode,
        decode,
        check=checked,
        exact=(*inner.exact, type(None)) if inner.exact else (),
        elements=inner.elements,
    )


def _alternatives(annotation: Any, variants: tuple[PyType, ...], more: str) -> PyType:
    label = " | ".join(variant.label for variant in variants)
    by_class: dict[type, int] = {}
    for index, variant in enumerate(variants):
        for cls in variant.exact:
            by_class.setdefault(cls, index)
    tagged = sum(len(json_types(v.schema)) for v in variants) != len(
        set().union(*(json_types(v.schema) for v in variants))
    )
    tags = _tags(variants) if tagged else []

    def choose(value: object, carrier: Carrier) -> tuple[int, Json]:
        index = by_class.get(type(value))
        if index is not None:
            return index, variants[index].to_json(value, carrier)
        closest: Mismatch | None = None
        for position, variant in enumerate(variants):
            try:
                return position, variant.to_json(value, carrier)
            except Mismatch as mismatch:
                if any(flaw.path for flaw in mismatch.flaws):
                    closest = closest or mismatch
        raise closest or Mismatch(f"expected {label}{more}, got {kind(value)}")

    def encode_tagged(value: object, carrier: Carrier) -> Json:
        index, wire = choose(value, carrier)
        return {"$type": tags[index], "value": wire}

    def decode_tagged(value: Json, carrier: Carrier) -> object:
        if type(value) is not dict or value.keys() != {"$type", "value"} or value["$type"] not in tags:
            raise Mismatch(f'expected {{"$type": one of {", ".join(tags)}, "value": ...}}, got {kind(value)}')
        return variants[tags.index(value["$type"])].from_json(value["value"], carrier)

    def encode(value: object, carrier: Carrier) -> Json:
        return choose(value, carrier)[1]

    by_json = {name: variant for variant in variants for name in json_types(variant.schema)}

    def decode(value: Json, carrier: Carrier) -> object:
        variant = by_json.get(_json_type(value))
        if variant is None:
            raise Mismatch(f"expected {label}, got {kind(value)}")
        return variant.from_json(value, carrier)

    schema: dict[str, Any] = {"anyOf": [variant.schema for variant in variants]}
    exact = tuple(by_class) if all(variant.exact for variant in variants) else ()
    if tagged:
        schema |= {"x-alula-type": "union", "x-alula-tags": tags}
        return PyType(annotation, label, schema, encode_tagged, decode_tagged, exact=exact)
    elements = next((variant.elements for variant in variants if variant.elements), ())
    return PyType(annotation, label, schema, encode, decode, exact=exact, elements=elements)


def _tags(variants: tuple[PyType, ...]) -> list[str]:
    from alula_api.contract import named_types  # loads with the first tagged union: few pods have one

    return named_types.distinct([variant.label for variant in variants])


def _json_type(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "")
