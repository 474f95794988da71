"""What an event becomes: conditions, inputs, and what cannot be known to be what was sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import events, jsontext
from alula_api.contract.codes import Code
from alula_api.contract.events import Condition, Event, Mapped
from alula_api.contract.problems import InvalidValue
from tests.contract.hostile_payloads import PAYLOADS

INT, TEXT, FLOAT, ANY = {"type": "integer"}, {"type": "string"}, {"type": "number"}, {}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def texts(payload: Any, path: str, schema: dict[str, Any]) -> tuple[dict[str, str], list[Code]]:
    found, problems = events.inputs(Event("e", (), (Mapped("x", path),)), payload, {"x": schema}, "run r")
    return found, [each.code for each in problems]


@given(JSON)
def test_a_payload_survives_its_way(payload: Any) -> None:
    try:
        text = events.encoded(payload)
    except (InvalidValue, UnicodeEncodeError):
        return  # no text file can hold it
    assert json.dumps(events.decoded(text), sort_keys=True) == json.dumps(payload, sort_keys=True)


@pytest.mark.parametrize("sent", PAYLOADS, ids=range(len(PAYLOADS)))
def test_an_input_gets_what_was_sent_or_nothing(sent: Any) -> None:
    try:
        payload = events.decoded(base64.b64encode(sent.body).decode())
    except events.BadPayload as error:
        assert error.problem.code in (Code.BAD_JSON, Code.TOO_LARGE)
        return
    for name, schema in (("text", TEXT), ("data", ANY), ("n", INT)):
        found, codes = texts(payload, name, schema)
        if sent.exact:
            assert codes == []
            assert ("x" in found) == (isinstance(payload, dict) and name in payload)
            assert not found or json.loads(found["x"]) == payload[name]


@pytest.mark.parametrize("text", ["", "!", "{}", "e30", "e30=!", "4pi6", "////", "A" * (events.MAX_TEXT + 4), "é"])
def test_what_is_no_payload_is_refused(text: str) -> None:
    with pytest.raises(events.BadPayload) as caught:
        events.decoded(text, "run r")
    assert "the payload of the event" in caught.value.problem.message


def test_paths_go_through_members_and_items() -> None:
    payload = {"a": [{"b": 7}], "c": {"0": 8}, "@d:e-f": 9}
    for path, value in (("a.0.b", 7), ("c.0", 8), ("@d:e-f", 9)):
        assert texts(payload, path, INT) == ({"x": str(value)}, [])
    for path in ("a.1.b", "a.b", "a.0.b.c", "nothing", "a.-1", "a.99999999999999999999"):
        assert texts(payload, path, INT) == ({}, [])
    assert texts(payload, "$", ANY) == ({"x": jsontext.dumps(payload)}, [])


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "$.a", "a[0]", "a b", 'a"', "a'", "{{a", "a\n", "a" * 257]
)
def test_paths_hold_nothing_that_an_expression_reads(path: str) -> None:
    assert not events.is_path(path)


def test_whole_numbers_that_others_round_are_refused_but_as_floats() -> None:
    for value in (2**53, -(2**53), 10**30, 1e30):
        assert texts(value, "$", INT)[0] == {} == texts([value], "$", ANY)[0]
        assert texts(value, "$", FLOAT) == ({"x": jsontext.dumps(float(value))}, [])
    assert texts(2**53 - 1, "$", INT) == ({"x": str(2**53 - 1)}, [])


def test_an_event_refers_to_no_stored_data() -> None:
    stored = {"$stored": {"digest": "a" * 64, "size": 9, "hash": "b" * 64}}
    assert texts(stored, "$", {"type": "array", "items": INT})[1]
    assert texts(stored, "$", ANY) == ({}, [Code.BAD_VALUE])


@pytest.mark.parametrize(
    ("values", "value", "fulfilled"),
    [
        (("1",), 1, True),
        (("1",), 1.0, True),
        (("1",), True, False),
        (("1",), "1", False),
        (("true",), True, True),
        (("null",), None, True),
        (('"a"', '"b"'), "b", True),
        (('"a"',), ["a"], False),
    ],
)
def test_a_condition_compares_values_as_json_does(values: tuple[str, ...], value: Any, fulfilled: bool) -> None:
    event = Event("e", (Condition("k", values),))
    assert (events.unfulfilled(event, {"k": value}) == "") is fulfilled
    for odd in ({}, [], None, "k", {"k": {"k": value}}):
        assert events.unfulfilled(event, odd) == f"k is not {' or '.join(values)}"


def test_values_of_conditions_are_plain() -> None:
    assert [events.wanted(text) for text in ("created", '"created"', "7", "true", "null")] == [
        '"created"', '"created"', "7", "true", "null",
    ]  # fmt: skip
    for text in ("[]", "{}", str(2**53), '"\ufffd"'):
        with pytest.raises(InvalidValue):
            events.wanted(text)
