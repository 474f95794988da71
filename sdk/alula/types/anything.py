"""Bare `dict` and `Any`: JSON values as they are."""

from __future__ import annotations

import math
from typing import Any

from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType
from alula.types.scalars import lowered

DEPTH = 100


def jsonable(value: Any, depth: int = 0) -> Json:
    """A copy of a value that JSON can say.

    Raises:
        Mismatch: A part of it is nothing that JSON can say, or would come back as something else (a tuple).
    """
    cls = type(value)
    if cls is str or cls is int or cls is bool or value is None:
        return value
    if cls is float:
        if math.isfinite(value):
            return value
        raise Mismatch(f"{value} is not JSON", "annotate the type (float holds nan and infinities)")
    if depth > DEPTH:
        raise Mismatch(f"nested deeper than {DEPTH}")
    if cls is list:
        items = []
        for index, item in enumerate(value):
            try:
                items.append(jsonable(item, depth + 1))
            except Mismatch as mismatch:
                raise Mismatch(flaws=mismatch.inside(f"[{index}]")) from None
        return items
    if cls is dict:
        return _mapping(value, depth)
    plain = lowered(value)
    if plain is not value:
        return jsonable(plain, depth)
    hint = "annotate its type instead of Any or bare dict"
    if isinstance(value, (tuple, set, frozenset)):
        hint = "write list(...), or annotate the type: JSON knows lists only"
    raise Mismatch(f"{kind(value)} is not JSON", hint)


def _mapping(value: dict[Any, Any], depth: int) -> Json:
    result = {}
    for key, item in value.items():
        if type(key) is not str:
            raise Mismatch(f"the key {key!r} is not a str", "annotate dict[K, T] for keys that are not text")
        try:
            result[key] = jsonable(item, depth + 1)
        except Mismatch as mismatch:
            raise Mismatch(flaws=mismatch.inside(f"[{key!r}]")) from None
    return result


def text(value: object) -> str:
    """The canonical JSON text of a value of any type."""
    from alula_api.contract import values

    return values.codec({}).wire(jsonable(value))


def _any_to_json(value: object, carrier: object = None) -> Json:
    return jsonable(value)


def _dict_to_json(value: object, carrier: object = None) -> Json:
    if type(value) is dict:
        return _mapping(value, 0)
    raise Mismatch(f"expected dict, got {kind(value)}")


def _copy(value: Json, carrier: object = None) -> object:
    """JSON is its own Python value; the copy is what keeps consumers apart."""
    return jsonable(value)


ANY = PyType(Any, "Any", {}, _any_to_json, _copy)
ANY.elements = (ANY,)
DICT = PyType(dict, "dict", {"type": "object"}, _dict_to_json, _copy, exact=(dict,))

TYPES: dict[Any, PyType] = {Any: ANY, dict: DICT}
