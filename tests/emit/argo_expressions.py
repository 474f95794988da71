"""Expressions of the language that Argo evaluates (expr-lang), as far as what we compile uses it.

Operators bind as there: `? :` least, then `||`, `&&`, comparisons, `+`, and `??` most. What is not there is nil, and
only `?.` may ask it for something.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>\?\.|\?\?|&&|\|\||[=!<>]=|[][()?:.,!<>+-]))"""
)
_BINARY: tuple[Mapping[str, Callable[[Any, Any], Any]], ...] = (
    {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"+": operator.add},
)


def value(text: str, names: Mapping[str, Any]) -> Any:
    """Return what an expression stands for."""
    parsing = _Parsing(text, names)
    found = parsing.ternary()
    assert parsing.next == "", f"{text!r} goes on at {parsing.next!r}"
    return found


class _Parsing:
    """Evaluates while it reads; what is not asked for (`&&`, `? :`) is read without being evaluated."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self._text, self._place, self._names, self._off = text, 0, names, 0
        self.next, self._kind = "", ""
        self._step()

    def ternary(self) -> Any:
        asked = self._or()
        if not self._takes("?"):
            return asked
        first = self._when(self._is(asked), self.ternary)
        assert self._takes(":")
        second = self._when(not self._is(asked), self.ternary)
        return first if asked is True else second

    def _or(self) -> Any:
        found = self._and()
        while self._takes("||"):
            other = self._when(not self._is(found), self._and)
            found = self._is(found) or self._is(other)
        return found

    def _and(self) -> Any:
        found = self._binary(0)
        while self._takes("&&"):
            other = self._when(self._is(found), lambda: self._binary(0))
            found = self._is(found) and self._is(other)
        return found

    def _binary(self, level: int) -> Any:
        if level == len(_BINARY):
            return self._first_that_is_there()
        found = self._binary(level + 1)
        while self._kind == "sign" and self.next in _BINARY[level]:
            sign = self._step()
            other = self._binary(level + 1)
            if not self._off:
                assert sign in ("==", "!=") or found is not None is not other, f"{found!r} {sign} {other!r}"
                found = _BINARY[level][sign](found, other)
        return found

    def _first_that_is_there(self) -> Any:
        found = self._unary()
        while self._takes("??"):
            other = self._when(found is None, self._unary)
            found = other if found is None else found
        return found

    def _unary(self) -> Any:
        if self._takes("!"):
            return not self._is(self._unary())
        if self._takes("-"):
            found = self._unary()
            return None if self._off else -found
        return self._behind(self._atom())

    def _atom(self) -> Any:
        kind, token = self._kind, self._step()
        if token == "(":
            found = self.ternary()
            assert self._takes(")")
            return found
        if kind == "text":
            return json.loads(f'"{token[1:-1]}"' if token[0] == '"' else _double(token))
        if kind == "number":
            return int(token) if token.isdecimal() else float(token)
        if token in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[token]
        assert kind == "name", f"{self._text!r}: {token!r}"
        if not self._takes("("):
            return self._names[token]
        given = [self.ternary()]
        while self._takes(","):
            given.append(self.ternary())
        assert self._takes(")")
        return None if self._off else _FUNCTIONS[token](*given)

    def _behind(self, found: Any) -> Any:
        while self.next in (".", "?.", "["):
            sign = self._step()
            if sign == "[" or self._takes("["):
                key = self.ternary()
                assert self._takes("]")
            else:
                key = self._step()
            if self._off or (found is None and sign == "?."):
                found = None
            else:
                assert found is not None, f"{self._text!r}: nil has no {key!r}"
                found = found.get(key)
        return found

    def _when(self, asked: bool, read: Callable[[], Any]) -> Any:
        self._off += not asked
        found = read()
        self._off -= not asked
        return found

    def _is(self, found: Any) -> bool:
        assert self._off or isinstance(found, bool), f"{found!r} is no truth value"
        return found is True

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


def _double(token: str) -> str:
    return json.dumps(token[1:-1].replace("\\'", "'")).replace("\\\\", "\\")


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "asInt": int,
    "asFloat": float,
    "trim": lambda text, signs: text.strip(signs),
    "toJson": json.dumps,
}
