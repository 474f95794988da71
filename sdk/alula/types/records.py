"""Classes with fields as objects: dataclasses here, pydantic models in `models`; recursion by `$ref`."""

from __future__ import annotations

import dataclasses
import threading
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alula.types.mismatches import MOST, Flaw, Mismatch, kind
from alula.types.pytypes import Json, PyType, home
from alula.types.unsupported import Unsupported

if TYPE_CHECKING:
    from alula.types.carriers import Carrier

DEPTH = 100
"""Data that refers to its own type may be nested so deep; deeper data is taken for a cycle."""


class Field:
    """One field of a class, compiled.

    Attributes:
        name: What it is called on the wire.
        attribute: What it is called in Python.
    """

    __slots__ = ("attribute", "default", "name", "type")

    def __init__(self, name: str, pytype: PyType, default: Callable[[], Any] | None, attribute: str = "") -> None:
        self.name = name
        self.attribute = attribute or name
        self.type = pytype
        self.default = default


def dataclass(
    annotation: Any, label: str, hints: Callable[[type], dict[str, Any]], compile: Callable[[Any], PyType]
) -> PyType:
    """A dataclass; a generic one by its arguments.

    Raises:
        Unsupported: The class has something that does not survive the way to another process.
    """
    cls = typing.get_origin(annotation) or annotation
    members = _fields(cls, _substituted(hints(cls), annotation, cls), compile)
    return record(annotation, cls, label, members, lambda arguments: cls(**arguments))


def _fields(cls: type, hints: dict[str, Any], compile: Callable[[Any], PyType]) -> list[Field]:
    result = []
    for field in dataclasses.fields(cls):
        if not field.init:
            raise Unsupported(
                cls, f"{cls.__name__}.{field.name} has init=False, so its value cannot be restored", "a property"
            )
        default = _default(field)
        result.append(Field(field.name, compile(hints[field.name]), default))
    extra = [name for name, hint in hints.items() if isinstance(hint, dataclasses.InitVar)]
    if extra:
        raise Unsupported(cls, f"{cls.__name__}.{extra[0]} is an InitVar, which is not kept in the value", "a field")
    return result


def _default(field: dataclasses.Field[Any]) -> Callable[[], Any] | None:
    if field.default is not dataclasses.MISSING:
        value = field.default
        return lambda: value
    return None if field.default_factory is dataclasses.MISSING else field.default_factory


def record(
    annotation: Any, cls: type, label: str, members: list[Field], build: Callable[[dict[str, Any]], Any]
) -> PyType:
    """A class as an object; the declared class decides, so an instance of a subclass is an error.

    Args:
        annotation: The class, with its arguments where it is generic.
        cls: The class.
        label: What messages call it.
        members: Its fields.
        build: Makes an instance of the values of fields by their names on the wire; may raise anything.
    """
    encoders = [(member.attribute, member.name, member.type.to_json) for member in members]
    decoders = [(member.name, member.type.from_json) for member in members]
    names = frozenset(member.name for member in members)

    def to_json(value: object, carrier: Carrier) -> Json:
        if type(value) is not cls:
            raise _wrong(cls, label, value)
        result: dict[str, Any] = {}
        flaws: list[Flaw] = []
        for attribute, name, encode in encoders:
            try:
                result[name] = encode(getattr(value, attribute), carrier)
            except Mismatch as mismatch:
                flaws += mismatch.inside(f".{attribute}")
        if flaws:
            raise Mismatch(flaws=flaws[:MOST])
        return result

    def from_json(value: Json, carrier: Carrier) -> object:
        if type(value) is not dict:
            raise Mismatch(f"expected a JSON object, got {kind(value)}")
        if not value.keys() <= names:
            unknown = sorted(value.keys() - names)
            raise Mismatch(f"{label} has no field {', '.join(unknown)}", f"its fields are {', '.join(sorted(names))}")
        arguments: dict[str, Any] = {}
        flaws: list[Flaw] = []
        for name, decode in decoders:
            if name in value:
                try:
                    arguments[name] = decode(value[name], carrier)
                except Mismatch as mismatch:
                    flaws += mismatch.inside(f".{name}")
        if flaws:
            raise Mismatch(flaws=flaws[:MOST])
        try:
            return build(arguments)
        except Mismatch:
            raise
        except Exception as problem:  # whatever the user's __post_init__ raises
            raise Mismatch(f"{label} refused the value: {type(problem).__name__}: {problem}") from problem

    return PyType(annotation, label, schema(cls, label, members), to_json, from_json, exact=(cls,))


def limited(made: PyType) -> PyType:
    """A type that refers to itself, with an end to how deep its values may be nested."""
    depth = threading.local()

    def deep(convert: Any) -> Any:
        def at_depth(value: object, carrier: Carrier) -> Any:
            level = getattr(depth, "level", 0)
            if level > DEPTH:
                raise Mismatch(f"nested deeper than {DEPTH}", "a value must not contain itself")
            depth.level = level + 1
            try:
                return convert(value, carrier)
            finally:
                depth.level = level

        return at_depth

    return PyType(made.annotation, made.label, made.schema, deep(made.to_json), deep(made.from_json), exact=made.exact)


def schema(cls: type, label: str, members: list[Field]) -> dict[str, Any]:
    """The JSON Schema of the fields, with defaults as canonical JSON text."""
    properties, required = {}, []
    for member in members:
        text = _default_text(label, member)
        properties[member.name] = (
            member.type.schema if text is None else {**member.type.schema, "x-alula-default": text}
        )
        if text is None:
            required.append(member.name)
    return {
        "type": "object",
        "title": label,
        "x-alula-module": home(cls),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "x-alula-fields": list(properties),
    }


def _default_text(label: str, member: Field) -> str | None:
    """The default as canonical JSON text; None without one, and for a factory that gives another value each time."""
    default = member.default
    if default is None:
        return None
    from alula.types.carriers import REFUSAL
    from alula_api.contract import values

    try:
        first, second = (member.type.to_json(default(), REFUSAL) for _ in range(2))
    except Mismatch as mismatch:
        raise Unsupported(default, f"the default of {label}.{member.name} does not fit: {mismatch}") from None
    # The definitions behind a `$ref` are not complete yet; plain canonical JSON says the same then.
    codec = values.codec({} if _refers(member.type.schema) else member.type.schema)
    text = codec.wire(first)
    return text if text == codec.wire(second) else None


def _refers(part: Any) -> bool:
    """Whether a schema holds a `$ref`."""
    if isinstance(part, dict):
        return "$ref" in part or any(map(_refers, part.values()))
    return isinstance(part, list) and any(map(_refers, part))


def _wrong(cls: type, label: str, value: object) -> Mismatch:
    hint = ""
    if isinstance(value, cls):
        hint = f"a subclass would lose its own fields: annotate {type(value).__name__}, or pass a {label}"
    elif isinstance(value, dict):
        hint = f"write {label}(**...)"
    elif value is cls:
        hint = f"write {label}(...): this is the class itself"
    return Mismatch(f"expected {label}, got {kind(value)}", hint)


def _substituted(hints: dict[str, Any], annotation: Any, cls: Any) -> dict[str, Any]:
    """The annotations of a generic dataclass with the arguments in place of its type variables."""
    parameters = getattr(cls, "__parameters__", ())
    if not parameters:
        return hints
    arguments = typing.get_args(annotation)
    if len(arguments) != len(parameters):
        example = ", ".join("int" for _ in parameters)
        raise Unsupported(annotation, f"{cls.__name__} is generic and has no arguments", f"{cls.__name__}[{example}]")
    table = dict(zip(parameters, arguments, strict=True))
    return {name: _replaced(hint, table) for name, hint in hints.items()}


def _replaced(hint: Any, table: dict[Any, Any]) -> Any:
    if hint in table:
        return table[hint]
    inner = getattr(hint, "__parameters__", ())
    return hint[tuple(table.get(parameter, parameter) for parameter in inner)] if inner else hint
