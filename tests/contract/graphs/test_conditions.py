"""Conditions mean what Python means, here and in their text; what a comparison sees is a scalar of the value's type."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract.graphs import comparables, conditions
from alula_api.contract.graphs.bindings import UNKNOWN
from alula_api.contract.graphs.conditions import Both, Compare, Either, IsNone, Literal, Not, Read, Truth
from alula_api.contract.problems import InvalidValue
from alula_api.contract.references import Stored

INT, FLOAT, BOOL, STR = ({"type": kind} for kind in ("integer", "number", "boolean", "string"))
MAYBE = {"anyOf": [INT, {"type": "null"}]}
COLOR = {"type": "string", "enum": ["RED", "GREEN"], "x-alula-type": "enum"}
WHEN = {"type": "string", "format": "date-time"}
DAY = {"type": "string", "format": "date"}
LONG = {"type": "string", "format": "duration"}
TYPES: dict[str, Any] = {
    "n": INT, "m": INT, "x": FLOAT, "b": BOOL, "s": STR, "o": MAYBE, "c": COLOR, "t": WHEN, "d": DAY, "l": LONG,
    "list": {"type": "array", "items": INT}, "lists": {"anyOf": [{"type": "array", "items": INT}, {"type": "null"}]},
}  # fmt: skip

NUMBERS = st.sampled_from(["n", "m"]).map(Read)
COMPARISONS = st.builds(
    Compare,
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    NUMBERS,
    st.one_of(NUMBERS, st.integers(-3, 3).map(Literal)),
)
ATOMS = st.one_of(COMPARISONS, st.just(Truth(Read("b"))), st.just(IsNone(Read("o"))))
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Both(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Either(tuple(parts))),
    ),
    max_leaves=8,
)
VALUES = st.fixed_dictionaries(
    {"n": st.integers(-3, 3), "m": st.integers(-3, 3), "b": st.booleans(), "o": st.none() | st.integers(0, 3)}
)


@given(CONDITIONS, VALUES)
def test_a_condition_holds_where_its_text_does_in_python(found: conditions.Condition, values: dict[str, Any]) -> None:
    expected = eval(conditions.text(found), {}, values)
    assert conditions.holds(found, values, TYPES) is expected


@given(CONDITIONS)
def test_a_text_is_read_as_it_was_written(condition: conditions.Condition) -> None:
    assert conditions.text(conditions.parse(conditions.text(condition))) == conditions.text(condition)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ('s == "{{=1+1}}"', {"s": "{{=1+1}}"}, True),
        ('s == "\\u00e9"', {"s": "é"}, True),
        ('c == "GREEN"', {"c": "GREEN"}, True),
        ('c != "GREEN"', {"c": "GREEN"}, False),
        ('t > "2026-01-01T00:00:00Z"', {"t": "2026-01-01T00:30:00+01:00"}, False),
        ('t == "2026-01-01T00:00:00Z"', {"t": "2026-01-01T01:00:00+01:00"}, True),
        ('d < "2026-02-01"', {"d": "2026-01-31"}, True),
        ('l >= "PT90M"', {"l": "PT1H30M"}, True),
        ('x > 0.9', {"x": "NaN"}, False),
        ('x == x', {"x": "NaN"}, False),
        ('x < 1', {"x": "-Infinity"}, True),
        ('o is None or o > 3', {"o": None}, True),
        ('o is not None and o > 3', {"o": None}, False),
        ('o == None', {"o": None}, True),
        ('o == 3', {"o": None}, False),
        ('lists is None', {"lists": [1]}, False),
        ('n > 3', {"n": UNKNOWN}, None),
        ('s == "a"', {"s": Stored("0" * 64, 1, "0" * 64)}, None),
        ('b or n > 3', {"b": True, "n": UNKNOWN}, True),
        ('n > 3 or b', {"b": True, "n": UNKNOWN}, None),
    ],
)  # fmt: skip
def test_values_of_every_kind_are_compared(text: str, values: dict[str, Any], expected: bool | None) -> None:
    condition = conditions.parse(text)
    assert conditions.problems(condition, TYPES) == []
    assert conditions.holds(condition, values, TYPES) is expected


@given(st.sampled_from(["n", "x", "b", "s", "o", "c", "t", "d", "l"]), st.data())
def test_what_is_published_compares_as_the_value_itself(name: str, data: st.DataObject) -> None:
    moments = st.datetimes(timezones=st.just(datetime.UTC)).map(lambda each: each.isoformat().replace("+00:00", "Z"))
    values = {
        "n": st.integers(-5, 5), "x": st.sampled_from([0.5, 1.0, "NaN", "Infinity"]), "b": st.booleans(),
        "s": st.sampled_from(["", "a", "{{"]), "o": st.none() | st.integers(0, 2),
        "c": st.sampled_from(["RED", "GREEN"]),
        "t": moments, "d": st.dates().map(str), "l": st.sampled_from(["PT1S", "PT1M", "P1D"]),
    }[name]  # fmt: skip
    one, other = data.draw(values), data.draw(values)
    schema = TYPES[name]
    made = comparables.published_type(schema)
    shown = [comparables.comparable(comparables.published(value, schema), made) for value in (one, other)]
    seen = [comparables.comparable(value, schema) for value in (one, other)]
    assert (shown[0] == shown[1]) == (seen[0] == seen[1])
    if comparables.is_ordered(schema) and None not in seen:
        assert (shown[0] < shown[1]) == (seen[0] < seen[1])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the condition ends before the name of an input"),
        ("n >", "the condition ends before the name of an input"),
        ("n > 3 n", "the condition has 'n' where the end must stand"),
        ("(n > 3", "the condition ends before `)`"),
        ("3 < n", "the condition has '3' where the name of an input must stand"),
        ("n is 3", "the condition has '3' where None must stand"),
        ("n = 3", "the condition has '= 3' where the end must stand"),
        ("n > 1.", "the condition has '.' where the end must stand"),
        ("not " * 40 + "b", "the condition has more than 32 parentheses and `not` inside each other"),
        ("(" * 40 + "b", "the condition has more than 32 parentheses and `not` inside each other"),
        ("b or " * 1000 + "b", "the condition has 5,001 characters, and may have at most 4,096"),
    ],
)
def test_what_is_no_condition_says_where(text: str, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        conditions.parse(text)
    assert caught.value.problems[0].message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n > x", "`n > x` compares int with float"),
        ('n > "3"', "`n > \"3\"` compares int with a constant that must be an int, not \"3\""),
        ("n == 0.5", "`n == 0.5` compares int with a constant that must be an int, not 0.5"),
        ("n > 9223372036854775808",
         "`n > 9223372036854775808` compares int with a constant that must be an integer of at most 64 bits"
         " to be compared"),
        ('s < "a"', '`s < "a"` asks for an order, and str has only == and !='),
        ('c == "PINK"',
         '`c == "PINK"` compares enum with a constant that must be one of RED, GREEN of an enum, not "PINK"'),
        ("n is None", "`n` is int, which is never None"),
        ("n == None", "`n == None` compares int with None"),
        ("n", "`n` is int, and only a bool is a condition by itself"),
        ("list == 3", "`list == 3` compares list[int]; only numbers, texts, booleans, times and enums are compared"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_told(text: str, message: str) -> None:
    (found,) = conditions.problems(conditions.parse(text), TYPES)
    assert found.replace("Color", "enum") == message


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("o > 3", {"o": None}, "`o` is None where `o > 3` compares it: ask first whether it is None"),
        ("n > 3", {"n": 2**63}, "must be an integer of at most 64 bits to be compared"),
        ("n > 3", {"n": "3"}, "must be an integer of at most 64 bits to be compared"),
    ],
)
def test_a_value_that_cannot_be_compared_is_an_error(text: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        conditions.holds(conditions.parse(text), values, TYPES)
    assert caught.value.problems[0].message == message
