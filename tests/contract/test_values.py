"""Python values at the codecs' door: what a JSON text cannot hold, but a caller can."""

from __future__ import annotations

import enum
import math
from typing import Any

import pytest

from alula_api.contract import values
from alula_api.contract.problems import MOST_PROBLEMS
from tests.contract.make_vectors import FILE, FLOAT, INT, NULL, POINT, STR, A, B, array, dictionary, mapping, union

LIMIT = 10**4000
OBJECT = {"type": "object"}


class Size(enum.IntEnum):
    """An int that is more than an int."""

    SMALL = 1


class Text(str):
    """A text that is more than a text."""

    __slots__ = ()


@pytest.mark.parametrize("schema", [INT, {}], ids=["int", "any"])
@pytest.mark.parametrize("value", [LIMIT, -LIMIT], ids=["above", "below"])
def test_ints_end_at_4000_digits_wherever_they_stand(schema: Any, value: int) -> None:
    inside = value - 1 if value > 0 else value + 1
    for wrap, holder in (
        (schema, lambda x: x),
        (array(schema), lambda x: [1, x, 2]),
        (dictionary(schema), lambda x: {"a": x}),
    ):
        codec = values.codec(wrap)
        assert values.parse(codec.wire(holder(inside))) == holder(inside)
        with pytest.raises(values.InvalidValue, match="at most 4000 digits"):
            codec.wire(holder(value))


def test_floats_that_are_not_finite_become_texts_under_number_only() -> None:
    odd = [math.nan, math.inf, -math.inf, 1.0]
    assert values.codec(array(FLOAT)).wire(odd) == '["NaN","Infinity","-Infinity",1.0]'
    assert values.codec(array(FLOAT)).wire([math.inf, -math.inf]) == '["Infinity","-Infinity"]'
    assert values.codec(array(FLOAT)).wire([1e308] * 20).count("1e+308") == 20, "a sum that overflows is no infinity"
    assert values.codec(union(FLOAT, NULL)).wire(math.nan) == '"NaN"'
    assert values.codec(POINT).wire({"y": math.nan}) == '{"y":"NaN","x":3,"tags":"a"}'
    for schema in ({}, array({}), OBJECT):
        with pytest.raises(values.InvalidValue, match="only a float has a text for it"):
            values.codec(schema).normal({"a": math.nan} if schema is OBJECT else [math.inf])


@pytest.mark.parametrize(
    "value", [[{"\ud800": 1}], {"a": {"\udfff": 1}}, ["\ud800"], {"a": [{"b": "\udfff"}]}], ids=range(4)
)
def test_lone_surrogates_are_found_in_any_json(value: Any) -> None:
    with pytest.raises(values.InvalidValue, match="lone surrogates"):
        values.codec({}).normal(value)


@pytest.mark.parametrize("value", [Size.SMALL, Text("a"), (1,), {1: 2}, {Text("a"): 1}, b"a", {1}], ids=range(7))
def test_only_plain_json_is_json(value: Any) -> None:
    for schema in (INT, STR, {}, array(INT), dictionary(INT), array({})):
        codec = values.codec(schema)
        for given in (value, [value], {"a": value}):
            with pytest.raises(values.InvalidValue):
                codec.normal(given)


def test_a_normal_value_is_a_copy_that_is_not_shared() -> None:
    rows = [{"y": 1.0, "x": 2, "tags": "a"}, {"y": 2.0, "x": 2, "tags": "b"}]
    normal = values.codec(array(POINT)).normal(rows)
    assert normal == rows
    assert all(one is not other for one, other in zip(normal, rows, strict=True))
    numbers = [1, 2]
    assert values.codec(array(INT)).normal(numbers) is not numbers


def test_a_default_is_made_anew_for_every_value() -> None:
    schema = {
        "type": "object",
        "properties": {"bag": {"x-alula-default": '{"a":[]}'}},
        "additionalProperties": False,
        "x-alula-fields": ["bag"],
    }
    first, second = values.codec(array(schema)).normal([{}, {}])
    first["bag"]["a"].append(1)
    assert second == {"bag": {"a": []}} == values.codec(schema).normal({})


def test_an_unknown_property_is_refused_where_others_may_lack() -> None:
    with pytest.raises(values.InvalidValue) as caught:
        values.codec(POINT).normal({"y": 1.0, "z": 1})
    assert [str(problem) for problem in caught.value.problems] == ["$.z does not exist in Point"]


def test_rows_are_checked_each_by_its_own_keys() -> None:
    rows = [{"y": 1, "x": 1, "tags": "a"}, {"tags": "a", "x": 1, "y": 2}, {"y": 3}]
    assert [list(row) for row in values.codec(array(POINT)).normal(rows)] == [["y", "x", "tags"]] * 3
    for odd in ({"y": 1, "x": 1, "tag": "a"}, {"y": 1, "x": 1, "tags": 1}, 3, {}):
        with pytest.raises(values.InvalidValue, match=r"\$\[1\]"):
            values.codec(array(POINT)).normal([rows[0], odd])


def test_the_identity_of_a_set_does_not_depend_on_where_its_files_lie() -> None:
    codec = values.codec(array(FILE, "set"))
    one = [{"type": "file", "digest": A, "size": 1, "hash": "x"}, {"type": "file", "digest": B, "size": 1, "hash": "y"}]
    two = [{"type": "file", "digest": B, "size": 1, "hash": "x"}, {"type": "file", "digest": A, "size": 1, "hash": "y"}]
    assert codec.wire(one) != codec.wire(two)
    assert codec.identity(one) == codec.identity(two)


def test_the_identity_of_a_map_sees_through_its_files() -> None:
    codec = values.codec(mapping(INT, FILE))
    file = {"type": "file", "digest": A, "size": 1}
    here = codec.identity([[2, file], [1, {**file, "uri": "s3://a/b"}]])
    assert here == codec.identity([[2, file], [1, file]]) != codec.identity([[1, {**file, "digest": B}], [2, file]])


def test_all_that_is_wrong_is_said_up_to_20_problems() -> None:
    with pytest.raises(values.InvalidValue) as caught:
        values.codec(array(POINT)).normal([{"y": "a", "x": "b", "q": 1}] * 100)
    assert len(caught.value.problems) == MOST_PROBLEMS
    assert str(caught.value).startswith("$[0].q does not exist in Point; $[0].y must be a float")


def test_an_invalid_value_can_be_sent_to_another_process() -> None:
    import copy

    error = values.InvalidValue([values.Problem("$.a", "must be an int")])
    again = copy.copy(error)
    assert again.problems == error.problems and str(again) == str(error) == "$.a must be an int"
