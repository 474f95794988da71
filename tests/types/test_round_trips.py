"""Every value of every type comes back equal through the text that travels, and has one identity."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alula.types import compiling
from alula.types.carriers import Probe
from alula_api.contract import jsontext, schemas, values
from tests.types import samples


def travel(annotation: Any, value: Any) -> Any:
    """Through codec and text, as between two tasks."""
    compiled, probe = compiling.compile(annotation), Probe()
    codec = values.codec(compiled.schema)
    text = codec.wire(codec.normal(compiled.to_json(value, probe)))
    return compiled.from_json(codec.normal(jsontext.parse(text)), probe)


def exactly(one: Any, other: Any) -> bool:
    """Equal, and of one type at the surface: True is not 1."""
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("annotation", [sample[0] for sample in samples.SCALARS + samples.COMPOUND], ids=repr)
def test_the_schema_of_a_type_is_well_formed(annotation: Any) -> None:
    assert schemas.check(compiling.compile(annotation).schema) == []


@pytest.mark.parametrize("sample", samples.SCALARS + samples.COMPOUND, ids=lambda sample: repr(sample[0]))
@given(data=st.data())
@settings(max_examples=40)
def test_a_value_comes_back_equal(sample: tuple[Any, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    annotation, strategy = sample
    value = data.draw(strategy)
    assert exactly(travel(annotation, value), value)


@given(st.data())
@settings(max_examples=200)
def test_a_value_of_a_nested_type_comes_back_equal(data: st.DataObject) -> None:
    annotation, strategy = data.draw(samples.typed())
    value = data.draw(strategy)
    assert schemas.check(compiling.compile(annotation).schema) == []
    assert exactly(travel(annotation, value), value)


@given(st.data())
@settings(max_examples=100)
def test_a_plain_call_sees_what_a_pod_would_see(data: st.DataObject) -> None:
    annotation, strategy = data.draw(samples.typed())
    value = data.draw(strategy)
    assert exactly(compiling.compile(annotation).check(value), travel(annotation, value))


@given(st.data())
@settings(max_examples=100)
def test_what_is_encoded_is_normal_but_for_the_order_of_sets(data: st.DataObject) -> None:
    annotation, strategy = data.draw(samples.typed())
    compiled = compiling.compile(annotation)
    codec = values.codec(compiled.schema)
    json = compiled.to_json(data.draw(strategy), Probe())
    assert codec.identity(codec.normal(json)) == codec.identity(codec.normal(codec.normal(json)))


def test_nan_and_the_infinities_travel_as_floats() -> None:
    back = travel(list[float], [math.nan, math.inf, -math.inf, 1.5])
    assert math.isnan(back[0])
    assert back[1:] == [math.inf, -math.inf, 1.5]


def test_a_datetime_keeps_its_offset() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    moment = datetime.datetime(2026, 3, 29, 2, 30, tzinfo=zone)
    assert travel(datetime.datetime, moment).utcoffset() == zone.utcoffset(None)


def test_an_offset_with_seconds_becomes_utc() -> None:
    zone = datetime.timezone(datetime.timedelta(seconds=53 * 60 + 28))
    moment = datetime.datetime(1890, 1, 1, 12, tzinfo=zone)
    back = travel(datetime.datetime, moment)
    assert back == moment
    assert back.utcoffset() == datetime.timedelta(0)


def test_an_int_under_float_becomes_a_float() -> None:
    assert exactly(travel(float, 3), 3.0)
    assert [type(item) for item in travel(list[float], [1, 2.0])] == [float, float]


def test_a_consumer_gets_a_value_of_its_own() -> None:
    value = {"a": [1, 2]}
    seen = compiling.compile(dict[str, list[int]]).check(value)
    seen["a"].append(3)
    assert value == {"a": [1, 2]}


def test_a_map_keeps_its_order_on_the_way() -> None:
    assert list(travel(dict[str, int], {"b": 1, "a": 2})) == ["b", "a"]
    assert list(travel(dict[int, int], {2: 1, 1: 2})) == [2, 1]
