"""dict[str, T], an object, and dict[K, T], a list of pairs."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from alula.types.mismatches import MOST, Flaw, Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
    from alula.types.carriers import Carrier


def _require_dict(value: object, label: str) -> None:
    if type(value) is not dict:
        hint = "write dict(...)" if hasattr(type(value), "keys") else ""
        raise Mismatch(f"expected {label}, got {kind(value)}", hint)


def by_text(annotation: Any, item: PyType) -> PyType:
    """`dict[str, T]`: an object whose order is kept on the wire."""
    label = f"dict[str, {item.label}]"
    to_json, from_json, same = item.to_json, item.from_json, item.same

    def convert(value: dict[str, Any], converter: Any, carrier: Carrier) -> dict[str, Any]:
        if not set(map(type, value)) <= {str}:
            wrong = next(key for key in value if type(key) is not str)
            raise Mismatch(
                f"expected str keys, got the key {wrong!r}", "annotate dict[K, T] for keys that are not text"
            )
        if same is not None and set(map(type, value.values())) <= {same}:
            return value.copy()
        result: dict[str, Any] = {}
        flaws: list[Flaw] = []
        for name, part in value.items():
            try:
                result[name] = converter(part, carrier)
            except Mismatch as mismatch:
                flaws += mismatch.inside(f"[{name!r}]")
                if len(flaws) >= MOST:
                    break
        if flaws:
            raise Mismatch(flaws=flaws[:MOST])
        return result

    def encode(value: Any, carrier: Carrier) -> Json:
        _require_dict(value, label)
        return convert(value, to_json, carrier)

    def decode(value: Json, carrier: Carrier) -> object:
        if type(value) is not dict:
            raise Mismatch(f"expected a JSON object, got {kind(value)}")
        return convert(value, from_json, carrier)

    return PyType(annotation, label, {"type": "object", "additionalProperties": item.schema}, encode, decode)


def by_key(annotation: Any, key: PyType, item: PyType) -> PyType:
    """`dict[K, T]` for any other K: a list of pairs, always."""
    label = f"dict[{key.label}, {item.label}]"

    def pairs(items: Any, of_key: Any, of_item: Any, carrier: Carrier) -> list[Any]:
        result: list[Any] = []
        flaws: list[Flaw] = []
        for name, part in items:
            try:
                result.append([of_key(name, carrier), of_item(part, carrier)])
            except Mismatch as mismatch:
                flaws += mismatch.inside(f"[{name!r}]")
        if flaws:
            raise Mismatch(flaws=flaws[:MOST])
        return result

    def encode(value: Any, carrier: Carrier) -> Json:
        _require_dict(value, label)
        return pairs(value.items(), key.to_json, item.to_json, carrier)

    def decode(value: Json, carrier: Carrier) -> object:
        if type(value) is not list or not all(type(pair) is list and len(pair) == 2 for pair in value):
            raise Mismatch(f"expected a JSON array of pairs, got {kind(value)}")
        return {pair[0]: pair[1] for pair in pairs(value, key.from_json, item.from_json, carrier)}

    pair = {"type": "array", "prefixItems": [key.schema, item.schema], "items": False}
    return PyType(annotation, label, {"type": "array", "x-alula-type": "map", "items": pair}, encode, decode)


def is_hashable(annotation: Any, schema: dict[str, Any]) -> bool:
    """Whether values of a type can be keys or items of sets: scalars, tuples of such, and frozen dataclasses."""
    return _hashable(schema) or _is_frozen(annotation)


def _hashable(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return all(map(_hashable, schema["anyOf"]))
    if schema.get("type") == "array":
        inner = [*schema.get("prefixItems", ()), *([schema["items"]] if schema.get("items") else [])]
        return schema.get("x-alula-type") in {"tuple", "namedtuple", "frozenset"} and all(map(_hashable, inner))
    return "enum" in schema or schema.get("type") in {"string", "integer", "number", "boolean", "null"}


def _is_frozen(annotation: Any) -> bool:
    cls = typing.get_origin(annotation) or annotation
    parameters = getattr(cls, "__dataclass_params__", None)
    return parameters is not None and parameters.frozen and parameters.eq
