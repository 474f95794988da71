"""Expressions of the language that Argo evaluates (expr-lang), as far as what we compile uses it.

Operators bind as there: `? :` least, then `||`, `&&`, comparisons, `+ -`, `* /`, and `??` most. What is not there is
nil, and only `?.` may ask it for something. In `map` and `filter` an item is `#`.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*|\#)|(?P<sign>\?\.|\?\?|&&|\|\||[=!<>]=|[][()?:.,!<>+*/-]))"""
)
_BINARY: tuple[Mapping[str, Callable[[Any, Any], Any]], ...] = (
    {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
)
Names: TypeAlias = Mapping[str, Any]
_Read: TypeAlias = Callable[[Names], Any]


def value(text: str, names: Names) -> Any:
    """Return what an expression stands for."""
    return _parsed(text)(names)


@functools.cache
def _parsed(text: str) -> _Read:
    parsing = _Parsing(text)
    found = parsing.ternary()
    assert parsing.next == "", f"{text!r} goes on at {parsing.next!r}"
    return found


class _Parsing:
    """Each method reads a part of the text and returns what evaluates it."""

    def __init__(self, text: str) -> None:
        self._text, self._place = text, 0
        self.next, self._kind = "", ""
        self._step()

    def ternary(self) -> _Read:
        asked = self._or()
        if not self._takes("?"):
            return asked
        first = self.ternary()
        assert self._takes(":")
        second = self.ternary()
        return lambda names: first(names) if _truth(asked(names)) else second(names)

    def _or(self) -> _Read:
        found = self._and()
        while self._takes("||"):
            found = functools.partial(
                lambda left, right, names: _truth(left(names)) or _truth(right(names)), found, self._and()
            )
        return found

    def _and(self) -> _Read:
        found = self._binary(0)
        while self._takes("&&"):
            right = self._binary(0)
            found = functools.partial(
                lambda left, right, names: _truth(left(names)) and _truth(right(names)), found, right
            )
        return found

    def _binary(self, level: int) -> _Read:
        if level == len(_BINARY):
            return self._first_that_is_there()
        found = self._binary(level + 1)
        while self._kind == "sign" and self.next in _BINARY[level]:
            sign = self._step()
            found = functools.partial(_operated, sign, _BINARY[level][sign], found, self._binary(level + 1))
        return found

    def _first_that_is_there(self) -> _Read:
        found = self._unary()
        while self._takes("??"):
            found = functools.partial(_first, found, self._unary())
        return found

    def _unary(self) -> _Read:
        if self._takes("!"):
            denied = self._unary()
            return lambda names: not _truth(denied(names))
        if self._takes("-"):
            turned = self._unary()
            return lambda names: -turned(names)
        return self._behind(self._atom())

    def _atom(self) -> _Read:
        kind, token = self._kind, self._step()
        if token == "(":
            found = self.ternary()
            assert self._takes(")")
            return found
        if token == "[":
            items = self._several("]")
            return lambda names: [item(names) for item in items]
        if kind == "text":
            text = json.loads(f'"{token[1:-1]}"' if token[0] == '"' else _double(token))
            return lambda names: text
        if kind == "number":
            number = int(token) if token.isdecimal() else float(token)
            return lambda names: number
        if token in ("true", "false", "nil"):
            constant = {"true": True, "false": False, "nil": None}[token]
            return lambda names: constant
        assert kind == "name", f"{self._text!r}: {token!r}"
        if not self._takes("("):
            return lambda names: names[token]
        given = self._several(")")
        if token in _OVER:
            over, inner = given
            return lambda names: _OVER[token](over(names), lambda item: inner({**names, "#": item}))
        return lambda names: _FUNCTIONS[token](*(each(names) for each in given))

    def _several(self, end: str) -> list[_Read]:
        found: list[_Read] = []
        while not self._takes(end):
            found.append(self.ternary())
            assert self.next in (",", end)
            self._takes(",")
        return found

    def _behind(self, found: _Read) -> _Read:
        while self._kind == "sign" and self.next in (".", "?.", "["):
            sign = self._step()
            if sign == "[" or self._takes("["):
                key = self._key()
            else:
                name = self._step()
                key = functools.partial(lambda name, names: name, name)
            found = functools.partial(_inside, self._text, sign == "?.", found, key)
        return found

    def _key(self) -> _Read:
        """What stands in brackets: a key, or from where to where."""
        first = self.ternary()
        if not self._takes(":"):
            assert self._takes("]")
            return first
        end = self.ternary()
        assert self._takes("]")
        return lambda names: slice(first(names), end(names))

    def _takes(self, sign: str) -> bool:
        if self.next != sign or self._kind != "sign":
            return False
        self._step()
        return True

    def _step(self) -> str:
        taken = self.next
        match = _TOKEN.match(self._text, self._place)
        assert match or not self._text[self._place :].strip(), f"no token: {self._text[self._place :]!r}"
        self._kind, self.next = (match.lastgroup or "", match[match.lastgroup or 0]) if match else ("", "")
        self._place = match.end() if match else len(self._text)
        return taken


def _truth(found: Any) -> bool:
    assert isinstance(found, bool), f"{found!r} is no truth value"
    return found


def _operated(sign: str, operate: Callable[[Any, Any], Any], left: _Read, right: _Read, names: Names) -> Any:
    one, other = left(names), right(names)
    assert sign in ("==", "!=") or one is not None is not other, f"{one!r} {sign} {other!r}"
    if sign in ("==", "!="):
        assert not isinstance(one, bool) or isinstance(other, bool) or other is None
        return operate(one, other) if isinstance(one, bool) == isinstance(other, bool) else sign == "!="
    return operate(one, other)


def _first(found: _Read, other: _Read, names: Names) -> Any:
    known = found(names)
    return other(names) if known is None else known


def _inside(text: str, may_be_nil: bool, found: _Read, key: _Read, names: Names) -> Any:
    whole = found(names)
    if whole is None and may_be_nil:
        return None
    assert whole is not None, f"{text!r}: nil has no {key(names)!r}"
    place = key(names)
    return whole[place] if isinstance(whole, list) else whole.get(place)


def _double(token: str) -> str:
    return json.dumps(token[1:-1].replace("\\'", "'")).replace("\\\\", "\\")


def _text(found: Any) -> str:
    assert isinstance(found, (str, int)), found
    return {True: "true", False: "false"}[found] if isinstance(found, bool) else str(found)


_OVER: Mapping[str, Callable[[list[Any], Callable[[Any], Any]], Any]] = {
    "map": lambda items, inner: [inner(item) for item in items],
    "filter": lambda items, inner: [item for item in items if _truth(inner(item))],
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "asInt": int,
    "asFloat": float,
    "int": int,
    "string": _text,
    "len": len,
    "sum": sum,
    "min": min,
    "max": max,
    "fromJSON": json.loads,
    "trim": lambda text, signs: text.strip(signs),
    "toJson": json.dumps,
}
