"""What decides a branch: comparisons of values with each other and with constants, joined by `and`, `or` and `not`.

In a resource and in a plan a condition is one line of text in the manner of Python, as `accuracy > 0.9 and not dry`:
names are inputs of the node, constants are JSON. `holds` decides one here and in the controller; the compiler writes
the same as an expression of Argo's. A text may come from anybody: it is bounded before it is parsed.

As in Python, `and` and `or` stop as soon as the answer is known, and to ask whether None is less than something is an
error; `x is None or x > 3` never asks.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias, assert_never

from alula_api.contract import codecs
from alula_api.contract.families import Schema
from alula_api.contract.graphs import comparables
from alula_api.contract.graphs.bindings import UNKNOWN, MaybeValue
from alula_api.contract.graphs.comparables import Scalar
from alula_api.contract.lists import Batches, Listed
from alula_api.contract.problems import InvalidValue, Problem
from alula_api.contract.references import Stored
from alula_api.contract.type_names import describe

MAX_CHARACTERS: Final = 4_096
"""Of the text of a condition."""
MAX_LEVELS: Final = 32
"""Of parentheses and `not` inside each other."""


@dataclass(frozen=True, slots=True)
class Read:
    """The value of an input."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: a JSON scalar, in the wire form of what it is compared with."""

    json: Scalar


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison: `<`, `<=`, `>`, `>=`, `==` or `!=`."""

    op: str
    left: Read
    right: Read | Literal


@dataclass(frozen=True, slots=True)
class IsNone:
    """Whether a value is None."""

    read: Read


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean value by itself."""

    read: Read


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """All of them."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of them."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Compare | IsNone | Truth | Not | Both | Either

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_EQUALITIES: Final = frozenset({"==", "!="})


def reads(condition: Condition) -> tuple[str, ...]:
    """Return the inputs that a condition reads, each once, in their order."""
    return tuple(dict.fromkeys(_reads(condition)))


def _reads(condition: Condition) -> Iterator[str]:
    match condition:
        case Compare(_, left, right):
            yield left.name
            if isinstance(right, Read):
                yield right.name
        case IsNone(read) | Truth(read):
            yield read.name
        case Not(part):
            yield from _reads(part)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _reads(part)
        case _:
            assert_never(condition)


def mapped(condition: Condition, change: Callable[[Compare | IsNone | Truth], Condition]) -> Condition:
    """Return the condition with `change` applied to everything that it joins."""
    match condition:
        case Compare() | IsNone() | Truth():
            return change(condition)
        case Not(part):
            return Not(mapped(part, change))
        case Both(parts):
            return Both(tuple(mapped(part, change) for part in parts))
        case Either(parts):
            return Either(tuple(mapped(part, change) for part in parts))
        case _:
            assert_never(condition)


def renamed(condition: Condition, name: Callable[[str], str]) -> Condition:
    """Return the condition with other names for what it reads."""

    def change(found: Compare | IsNone | Truth) -> Condition:
        match found:
            case Compare(op, left, right):
                return Compare(op, Read(name(left.name)), Read(name(right.name)) if isinstance(right, Read) else right)
            case IsNone(read):
                return IsNone(Read(name(read.name)))
            case Truth(read):
                return Truth(Read(name(read.name)))
            case _:
                assert_never(found)

    return mapped(condition, change)


ASK_FIRST: Final = "ask first whether it is None"
"""What to do about a value that may be None."""
NONE_COMPARED: Final = f"{{}} is None where it is compared: {ASK_FIRST}"
"""What the engine shows, among its own words, in place of a number that it was to compare."""


# Deciding


def holds(condition: Condition, values: Mapping[str, MaybeValue], types: Mapping[str, Schema]) -> bool | None:
    """Tell whether a condition holds; None where that hangs on a value that cannot be known here.

    Args:
        condition: The condition.
        values: Of the inputs that it reads, as they travel.
        types: Of the same.

    Raises:
        InvalidValue: A value that is None is asked whether it is less, or one does not fit its type.
    """
    match condition:
        case Compare(op, left, right):
            schema = types[left.name]
            one = _value(left, values, types)
            other = _value(right, values, types) if isinstance(right, Read) else constant(right, schema)
            if one is UNKNOWN or other is UNKNOWN:
                return None
            if op not in _EQUALITIES and (one is None or other is None):
                name = right.name if one is not None and isinstance(right, Read) else left.name
                raise _invalid(f"`{name}` is None where `{text(condition)}` compares it: {ASK_FIRST}")
            return bool(_OPERATORS[op](one, other))
        case IsNone(read):
            found = _value(read, values, types)
            return None if found is UNKNOWN else found is None
        case Truth(read):
            found = _value(read, values, types)
            if found is None:
                raise _invalid(f"`{read.name}` is None where it must be true or false: {ASK_FIRST}")
            return None if found is UNKNOWN else found is True
        case Not(part):
            answer = holds(part, values, types)
            return None if answer is None else not answer
        case Both(parts):
            return _joined(parts, values, types, ends=False)
        case Either(parts):
            return _joined(parts, values, types, ends=True)
        case _:
            assert_never(condition)


def _joined(
    parts: tuple[Condition, ...], values: Mapping[str, MaybeValue], types: Mapping[str, Schema], *, ends: bool
) -> bool | None:
    """The first answer that ends it, as Python's `and` and `or`; what comes before it must be known."""
    for part in parts:
        answer = holds(part, values, types)
        if answer is None or answer is ends:
            return answer
    return not ends


def _value(read: Read, values: Mapping[str, MaybeValue], types: Mapping[str, Schema]) -> Any:
    value = values.get(read.name, UNKNOWN)
    if value is UNKNOWN or isinstance(value, (Stored, Listed, Batches)):
        return UNKNOWN
    return comparables.comparable(value, types[read.name])


def constant(literal: Literal, schema: Schema) -> Scalar:
    """Return what a constant is compared as beside a value of this type.

    Raises:
        InvalidValue: It is no value of the type.
    """
    if literal.json is None:
        return None
    part, _ = comparables.without_none(schema)
    return comparables.comparable(codecs.codec(part).normal(literal.json), part)


def problems(condition: Condition, types: Mapping[str, Schema]) -> list[str]:
    """Return what is wrong with a condition whose inputs have these types, one sentence each."""
    return list(_problems(condition, types))


def _problems(condition: Condition, types: Mapping[str, Schema]) -> Iterator[str]:
    match condition:
        case Compare():
            yield from _comparison(condition, types)
        case IsNone(read):
            if not comparables.without_none(types[read.name])[1]:
                yield f"`{read.name}` is {describe(types[read.name])}, which is never None"
        case Truth(read):
            if comparables.kind(types[read.name]) != "boolean":
                yield f"`{read.name}` is {describe(types[read.name])}, and only a bool is a condition by itself"
        case Not(part):
            yield from _problems(part, types)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _problems(part, types)
        case _:
            assert_never(condition)


def _comparison(found: Compare, types: Mapping[str, Schema]) -> Iterator[str]:
    left = types[found.left.name]
    spelled = text(found)
    if not comparables.kind(left):
        yield f"`{spelled}` compares {describe(left)}; only numbers, texts, booleans, times and enums are compared"
        return
    if found.op not in _EQUALITIES and not comparables.is_ordered(left):
        yield f"`{spelled}` asks for an order, and {describe(left)} has only == and !="
    if isinstance(found.right, Read):
        right = types[found.right.name]
        if comparables.kind(left) != comparables.kind(right):
            yield f"`{spelled}` compares {describe(left)} with {describe(right)}"
        return
    if found.right.json is None:
        if found.op not in _EQUALITIES or not comparables.without_none(left)[1]:
            yield f"`{spelled}` compares {describe(left)} with None"
        return
    try:
        constant(found.right, left)
    except InvalidValue as error:
        yield f"`{spelled}` compares {describe(left)} with a constant that {error.problems[0].message}"


# Text


def text(condition: Condition) -> str:
    """Return the one spelling of a condition."""
    match condition:
        case Compare(op, left, right):
            return f"{left.name} {op} {right.name if isinstance(right, Read) else _literal(right)}"
        case IsNone(read):
            return f"{read.name} is None"
        case Truth(read):
            return read.name
        case Not(IsNone(read)):
            return f"{read.name} is not None"
        case Not(part):
            return f"not {_grouped(part)}"
        case Both(parts):
            return " and ".join(map(_grouped, parts))
        case Either(parts):
            return " or ".join(map(_grouped, parts))
        case _:
            assert_never(condition)


def _grouped(part: Condition) -> str:
    return f"({text(part)})" if isinstance(part, Both | Either) else text(part)


def _literal(literal: Literal) -> str:
    if literal.json is None or isinstance(literal.json, bool):
        return str(literal.json)
    return json.dumps(literal.json)


_TOKEN = re.compile(
    r"""[ ]*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|==|!=|<|>|\(|\)))"""
)
_WORDS: Final = frozenset({"and", "or", "not", "is"})
_CONSTANTS: Final[Mapping[str, Scalar]] = {"None": None, "True": True, "False": False}


def parse(spelled: str) -> Condition:
    """Return the condition of a text.

    Raises:
        InvalidValue: It is none, or too long or too deep; says where it ends to be one.
    """
    if len(spelled) > MAX_CHARACTERS:
        _refuse(f"has {len(spelled):,} characters, and may have at most {MAX_CHARACTERS:,}")
    parser = _Parser(spelled)
    found = parser.either(0)
    parser.end()
    return found


class _Parser:
    def __init__(self, spelled: str) -> None:
        self._spelled = spelled
        self._at = 0
        self._kind, self._next = "", ""
        self._advance()

    def end(self) -> None:
        if self._kind:
            self._unexpected("the end")

    def either(self, level: int) -> Condition:
        parts = self._joined("or", self._both, level)
        return parts[0] if len(parts) == 1 else Either(parts)

    def _both(self, level: int) -> Condition:
        parts = self._joined("and", self._negated, level)
        return parts[0] if len(parts) == 1 else Both(parts)

    def _joined(self, word: str, part: Callable[[int], Condition], level: int) -> tuple[Condition, ...]:
        found = [part(level)]
        while self._take("name", word):
            found.append(part(level))
        return tuple(found)

    def _negated(self, level: int) -> Condition:
        if level > MAX_LEVELS:
            _refuse(f"has more than {MAX_LEVELS} parentheses and `not` inside each other")
        if self._take("name", "not"):
            return Not(self._negated(level + 1))
        if self._take("sign", "("):
            found = self.either(level + 1)
            if not self._take("sign", ")"):
                self._unexpected("`)`")
            return found
        return self._comparison()

    def _comparison(self) -> Condition:
        left = Read(self._name())
        if self._take("name", "is"):
            negated = self._take("name", "not")
            if not self._take("name", "None"):
                self._unexpected("None")
            return Not(IsNone(left)) if negated else IsNone(left)
        if self._kind != "sign" or self._next not in _OPERATORS:
            return Truth(left)
        op = self._next
        self._advance()
        return Compare(op, left, self._operand())

    def _operand(self) -> Read | Literal:
        if self._kind in ("text", "number"):
            found = self._next
            self._advance()
            try:
                return Literal(json.loads(found))
            except ValueError:
                _refuse(f"has {found[:40]}, which is not JSON")
        if self._kind == "name" and self._next in _CONSTANTS:
            literal = Literal(_CONSTANTS[self._next])
            self._advance()
            return literal
        return Read(self._name())

    def _name(self) -> str:
        name = self._next
        if self._kind != "name" or name in _WORDS or name in _CONSTANTS:
            self._unexpected("the name of an input")
        self._advance()
        return name

    def _take(self, kind: str, token: str) -> bool:
        if self._kind != kind or self._next != token:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        found = _TOKEN.match(self._spelled, self._at)
        if found is None:
            self._kind = self._next = ""
            if self._spelled[self._at :].strip():
                self._kind, self._next = "other", self._spelled[self._at :].strip()[:20]
            return
        self._at = found.end()
        self._kind = found.lastgroup or ""
        self._next = found[self._kind]

    def _unexpected(self, expected: str) -> NoReturn:
        _refuse(f"has {self._next!r} where {expected} must stand" if self._kind else f"ends before {expected}")


def _refuse(message: str) -> NoReturn:
    raise _invalid(f"the condition {message}")


def _invalid(message: str) -> InvalidValue:
    return InvalidValue([Problem("$", message)])
