"""Frozen dataclasses and named tuples to JSON and back, by the annotations of their fields.

A field stands under its name in camelCase (or what its metadata says under `json`), and is left out where it has its
default. What may stand in a field: texts, integers, booleans, `X | None`, `tuple[X, ...]`, `Mapping[str, X]`, pairs of
a name and X (an object in JSON too), such dataclasses, bindings, and types of the contract, which are text in JSON. A
call, of which an object has one, stands `BESIDE` the other fields: its kind is the name of a member.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from alula_api.contract.families import Schema
from alula_api.contract.graphs import bindings, calls
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem, member, shown

T = TypeVar("T")
BESIDE: Final = "*"
"""In the metadata of a field: its value is an object whose members are those of the owner."""
Object: TypeAlias = dict[str, Any]


Spell: TypeAlias = Callable[[Schema], str]
"""The text of a type."""
Parse: TypeAlias = Callable[[str], Schema]
"""The type of a text; raises `InvalidValue`."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """How values of one annotation are written and read; a reader gets the place for its messages."""

    write: Callable[[Any, Spell], Json]
    read: Callable[[Any, Parse, str], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    form: _Form
    default: Any
    """`MISSING` for a field that must be there."""


_known: dict[type, tuple[_Field, ...]] = {}


def no_types(_: object) -> Any:
    """Stands for both ways of types where there are none."""
    raise TypeError("this holds types, so it needs their texts")


def to_json(value: Any, spell: Spell = no_types) -> Object:
    """Return the JSON object of a dataclass; `spell` is needed where it holds types."""
    found: Object = {}
    for field in _fields(type(value)):
        each = getattr(value, field.name)
        if field.key == BESIDE:
            found.update(_object(field.form.write(each, spell)))
        elif each != field.default:
            found[field.key] = field.form.write(each, spell)
    return found


def _object(found: Json) -> Object:
    assert isinstance(found, dict)
    return found


def from_json(cls: type[T], found: object, parse: Parse = no_types, where: str = "$") -> T:
    """Return the dataclass of a JSON object; names that it does not know are passed over.

    Raises:
        InvalidValue: Names the place of what does not fit.
    """
    if not isinstance(found, dict):
        raise _invalid(where, "an object", found)
    values: Object = {}
    for field in _fields(cls):
        each = found.get(field.key)
        if field.key == BESIDE:
            values[field.name] = field.form.read(found, parse, where)
        elif each is not None:
            values[field.name] = field.form.read(each, parse, member(where, field.key))
        elif field.default is dataclasses.MISSING:
            raise InvalidValue([Problem(member(where, field.key), "must be given")])
    return cls(**values)


def _fields(cls: type) -> tuple[_Field, ...]:
    if cls not in _known:
        _known[cls] = _read_fields(cls)
    return _known[cls]


def _read_fields(cls: Any) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(cls)
    if issubclass(cls, tuple):
        defaults: Mapping[str, Any] = getattr(cls, "_field_defaults", {})
        return tuple(
            _Field(name, camel(name), _form(hint), defaults.get(name, dataclasses.MISSING))
            for name, hint in hints.items()
        )
    return tuple(
        _Field(
            field.name,
            str(field.metadata.get("json") or camel(field.name)),
            _form(hints[field.name]),
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
        )
        for field in dataclasses.fields(cls)
    )


def camel(name: str) -> str:
    """Return a field's name as resources write it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _form(hint: Any) -> _Form:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return _PLAIN[str]
    if origin is types.UnionType or origin is typing.Union:
        inner = [each for each in args if each is not type(None)]
        return _form(inner[0])
    if origin is tuple:
        return (
            _pairs(_form(typing.get_args(args[0])[1])) if typing.get_origin(args[0]) is tuple else _list(_form(args[0]))
        )
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_form(args[1]))
    return _Form(to_json, lambda found, parse, where: from_json(hint, found, parse, where))


def _list(item: _Form) -> _Form:
    def read(found: Any, parse: Parse, where: str) -> tuple[Any, ...]:
        if not isinstance(found, (list, tuple)):
            raise _invalid(where, "a list", found)
        return tuple(item.read(each, parse, f"{where}[{index}]") for index, each in enumerate(found))

    return _Form(lambda values, spell: [item.write(each, spell) for each in values], read)


def _mapping(item: _Form) -> _Form:
    def read(found: Any, parse: Parse, where: str) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise _invalid(where, "an object", found)
        return {name: item.read(each, parse, member(where, name)) for name, each in found.items()}

    def write(values: Mapping[str, Any], spell: Spell) -> Json:
        return {name: item.write(each, spell) for name, each in values.items()}

    return _Form(write, read)


def _pairs(item: _Form) -> _Form:
    whole = _mapping(item)
    return _Form(
        lambda pairs, spell: whole.write(dict(pairs), spell),
        lambda found, parse, where: tuple(whole.read(found, parse, where).items()),
    )


def _same(value: Any, spell: Spell) -> Json:
    return value  # type: ignore[no-any-return]


def _text(found: Any, parse: Parse, where: str) -> str:
    if not isinstance(found, str):
        raise _invalid(where, "a text", found)
    return found


def _integer(found: Any, parse: Parse, where: str) -> int:
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found != int(found):
        raise _invalid(where, "an integer", found)
    return int(found)


def _boolean(found: Any, parse: Parse, where: str) -> bool:
    if not isinstance(found, bool):
        raise _invalid(where, "true or false", found)
    return found


def _spell(schema: Any, spell: Spell) -> Json:
    return spell(schema)


def _parse(found: Any, parse: Parse, where: str) -> Schema:
    text = _text(found, parse, where)
    try:
        return parse(text)
    except InvalidValue as error:
        raise InvalidValue([Problem(where, problem.message, problem.code) for problem in error.problems]) from None


def _invalid(where: str, expected: str, found: object) -> InvalidValue:
    return InvalidValue([Problem(where, f"must be {expected}, not {shown(found)}")])


_PLAIN: dict[Any, _Form] = {
    str: _Form(_same, _text),
    int: _Form(_same, _integer),
    bool: _Form(_same, _boolean),
    Schema: _Form(_spell, _parse),
    bindings.Binding: _Form(
        lambda binding, spell: bindings.to_json(binding),
        lambda found, parse, where: bindings.from_json(found, where),
    ),
    calls.Call: _Form(
        calls.to_json,
        lambda found, parse, where: calls.from_json(found, lambda text: _parse(text, parse, "$"), where),
    ),
}
