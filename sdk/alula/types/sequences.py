"""list, tuple, NamedTuple, set and frozenset: arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.types.mismatches import MOST, Flaw, Mismatch, kind
from alula.types.pytypes import Json, PyType, home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alula.types.carriers import Carrier


def _wrong(expected: str, value: Any, build: str) -> Mismatch:
    hint = ""
    if hasattr(type(value), "tolist"):
        hint = "write value.tolist()"
    elif isinstance(value, (list, tuple, set, frozenset, range)) or hasattr(type(value), "__next__"):
        hint = f"write {build}(...)"
    return Mismatch(f"expected {expected}, got {kind(value)}", hint)


def _each(values: Iterable[Any], convert: Callable[[Any, Any], Any], carrier: Carrier) -> list[Any]:
    """Every item through a codec; the flaws of all wrong ones together. Converts each item once, also when it is wrong:
    trying again at every level of nested data would double the work with each.
    """
    result: list[Any] = []
    append = result.append
    flaws: list[Flaw] = []
    for item in values:
        try:
            append(convert(item, carrier))
        except Mismatch as mismatch:
            flaws += mismatch.inside(f"[{len(result)}]")
            append(None)
            if len(flaws) >= MOST:
                break
    if flaws:
        raise Mismatch(flaws=flaws[:MOST])
    return result


def _encoder(cls: Any, item: PyType, label: str) -> Any:
    """Python container to a list of JSON values: the loop runs in C where items are their own JSON."""
    to_json, same = item.to_json, item.same
    build = cls.__name__

    def encode(value: Any, carrier: Carrier) -> Json:
        if type(value) is not cls:
            raise _wrong(label, value, build)
        if same is not None and set(map(type, value)) <= {same}:
            return list(value)
        return _each(value, to_json, carrier)

    return encode


def _decoder(cls: Any, item: PyType) -> Any:
    from_json, same = item.from_json, item.same

    def decode(value: Json, carrier: Carrier) -> Any:
        if type(value) is not list:
            raise Mismatch(f"expected a JSON array, got {kind(value)}")
        if same is not None and set(map(type, value)) <= {same}:
            return cls(value)
        return cls(_each(value, from_json, carrier))

    return decode


def sequence(annotation: Any, cls: type, item: PyType) -> PyType:
    """`list[T]`, `tuple[T, ...]`, `set[T]` or `frozenset[T]`."""
    schema: dict[str, Any] = {"type": "array", "items": item.schema}
    label = f"{cls.__name__}[{item.label}]"
    if cls is tuple:
        label = f"tuple[{item.label}, ...]"
        schema["x-alula-type"] = "tuple"
    elif cls is not list:
        schema |= {"uniqueItems": True, "x-alula-type": cls.__name__}
    return PyType(annotation, label, schema, _encoder(cls, item, label), _decoder(cls, item), elements=(item,))


def record_of(annotation: Any, cls: type, items: tuple[PyType, ...], names: tuple[str, ...] = ()) -> PyType:
    """`tuple[A, B]`, or a NamedTuple where `names` are given."""
    label = cls.__name__ if names else f"tuple[{', '.join(item.label for item in items) or '()'}]"
    schema: dict[str, Any] = {"type": "array", "prefixItems": [item.schema for item in items], "items": False}
    schema["x-alula-type"] = "namedtuple" if names else "tuple"
    if names:
        schema |= {"title": cls.__name__, "x-alula-module": home(cls), "x-alula-fields": list(names)}
    steps = tuple(f".{name}" for name in names) or tuple(f"[{index}]" for index in range(len(items)))
    encoders = tuple(item.to_json for item in items)
    decoders = tuple(item.from_json for item in items)
    make = cls._make if names else tuple  # type: ignore[attr-defined]

    def convert(value: Any, converters: Any, carrier: Carrier) -> list[Any]:
        if len(value) != len(converters):
            raise Mismatch(f"expected {label}, got {kind(value)}, which has {len(value)} items")
        result: list[Any] = []
        flaws: list[Flaw] = []
        for step, converter, part in zip(steps, converters, value, strict=True):
            try:
                result.append(converter(part, carrier))
            except Mismatch as mismatch:
                flaws += mismatch.inside(step)
        if flaws:
            raise Mismatch(flaws=flaws)
        return result

    def to_json(value: object, carrier: Carrier) -> Json:
        if type(value) is not cls:
            raise _wrong(label, value, f"{label}" if names else "tuple")
        return convert(value, encoders, carrier)

    def from_json(value: Json, carrier: Carrier) -> object:
        if type(value) is not list:
            raise Mismatch(f"expected a JSON array, got {kind(value)}")
        return make(convert(value, decoders, carrier))

    return PyType(
        annotation,
        label,
        schema,
        to_json,
        from_json,
        exact=(cls,) if names else (),
        elements=items,
    )
