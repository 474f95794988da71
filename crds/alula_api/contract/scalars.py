"""Codecs of the plain scalars, enums and literals. Composed by `codecs.compile`."""

from __future__ import annotations

import math
from typing import Any

from alula_api.contract import jsontext
from alula_api.contract.codec_parts import Form
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import INTEGER_LIMIT, MOST_DIGITS
from alula_api.contract.problems import InvalidValue, Misfit, Problem, shown

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The texts that stand for floats which JSON has no number for."""

_INTEGERS = {int}
_FLOATS = {float}
_STRINGS = {str}
_BOOLEANS = {bool}


def _integer(value: Any) -> Any:
    if type(value) is int and -INTEGER_LIMIT < value < INTEGER_LIMIT:
        return value
    if type(value) is int:
        raise Misfit(f"must be an int of at most {MOST_DIGITS} digits")
    raise Misfit


def _integers(values: list[Any]) -> list[Any]:
    if values and (
        set(map(type, values)) != _INTEGERS or max(values) >= INTEGER_LIMIT or min(values) <= -INTEGER_LIMIT
    ):
        raise Misfit
    return values[:]


def _number(value: Any) -> Any:
    if type(value) is float:
        return value if value - value == 0 else number_text(value)
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise Misfit("must be a number that fits into a float") from None
    if type(value) is str and value in NOT_FINITE:
        return value
    raise Misfit


def number_text(value: float) -> str:
    """Return the text of a float that is not finite."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _numbers(values: list[Any]) -> list[Any]:
    kinds = set(map(type, values))
    if kinds == _FLOATS and math.isfinite(sum(values)):  # a sum never comes back from NaN or an infinity
        return values[:]
    if kinds == _INTEGERS:
        return list(map(float, values))
    return [_number(value) for value in values]


def _boolean(value: Any) -> Any:
    if value is True or value is False:
        return value
    raise Misfit


def _booleans(values: list[Any]) -> list[Any]:
    if values and set(map(type, values)) != _BOOLEANS:
        raise Misfit
    return values[:]


def _null(value: Any) -> Any:
    if value is not None:
        raise Misfit


def check_text(value: str) -> None:
    """Refuse lone surrogates."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misfit("must be text without lone surrogates") from None


def _string(value: Any) -> Any:
    if type(value) is not str:
        raise Misfit
    if not value.isascii():
        check_text(value)
    return value


def _strings(values: list[Any]) -> list[Any]:
    if values and set(map(type, values)) != _STRINGS:
        raise Misfit
    check_text("".join(values))
    return values[:]


INTEGER = Form("an int", _integer, frozenset({int}), _integers, is_exact=True)
NUMBER = Form("a float", _number, frozenset({int, float, str}), _numbers)
BOOLEAN = Form("a bool", _boolean, frozenset({bool}), _booleans, is_exact=True)
NULL = Form("null", _null, frozenset({type(None)}), is_exact=True)
STRING = Form("a str", _string, frozenset({str}), _strings, is_exact=True)


def enum(schema: Schema) -> Form:
    """Names on the wire; the value of a member is accepted and becomes its name."""
    names: list[str] = schema["enum"]
    by_name = {name: name for name in names}
    by_value: dict[str, str] = {}
    for name, text in zip(names, schema.get("x-alula-values", ()), strict=False):
        if text:
            by_value.setdefault(text, name)
    title = schema.get("title") or "an enum"
    edge_kinds = frozenset(type(jsontext.parse(text)) for text in by_value)

    def normal(value: Any) -> Any:
        if type(value) is str and value in by_name:
            return by_name[value]
        if by_value:
            try:
                return by_value[jsontext.dumps_sorted(value)]
            except (KeyError, InvalidValue):
                pass
        raise Misfit

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        try:
            normal(value)
        except Misfit:
            problems.append(
                Problem(path, f"must be one of {_some(names)} of {title}, not {shown(value)}{_hint(value, names)}")
            )

    return Form(title, normal, frozenset({str}), explain=explain, edge_kinds=edge_kinds)


def literal(schema: Schema) -> Form:
    """One of the values as they stand, and of the same JSON type: `true` is not 1. `Never` is that of none."""
    values = {(type(value), value): value for value in schema["enum"]}

    def normal(value: Any) -> Any:
        try:
            return values[type(value), value]
        except (KeyError, TypeError):
            raise Misfit from None

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        try:
            normal(value)
        except Misfit:
            texts = [item for item in schema["enum"] if isinstance(item, str)]
            allowed = _some([jsontext.dumps(item) for item in schema["enum"]])
            if not schema["enum"]:
                problems.append(Problem(path, "must not be there: no value is of the type Never"))
                return
            problems.append(Problem(path, f"must be one of {allowed}, not {shown(value)}{_hint(value, texts)}"))

    return Form("a literal", normal, frozenset(map(type, schema["enum"])), explain=explain)


def _some(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _hint(value: Any, names: list[str]) -> str:
    from alula_api.contract import diagnostics

    found = diagnostics.closest(value, names) if isinstance(value, str) else None
    return f"; did you mean {found}?" if found else ""
