"""Cache keys and entries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from alula_api.contract import keys, values
from tests import strategies
from tests.contract.make_vectors import FILE, FLOAT, INT, A, B, ref

OUTPUTS = {"o0": INT, "report": FILE}
ENTRY = keys.CacheEntry(
    key=A,
    task="flows.p:train",
    outputs={"o0": 7, "report": json.loads(ref("file", name="r", format=""))},
    created="2026-01-31T08:00:00Z",
    run="p-1",
    node="train",
    entrypoint="flows.p:train",
)


def test_an_entry_reads_back() -> None:
    assert keys.CacheEntry.from_text(ENTRY.to_text(), OUTPUTS) == ENTRY
    assert keys.CacheEntry.from_text(ENTRY.to_text().encode(), OUTPUTS) == ENTRY


@given(strategies.typed_values())
def test_an_entry_of_any_type_reads_back(pair: tuple[dict, Any]) -> None:
    schema, value = pair
    normal = values.codec(schema).normal(value)
    if isinstance(normal, dict) and list(normal) == ["$stored"]:
        return
    entry = ENTRY._replace(outputs={"o0": normal})
    assert keys.CacheEntry.from_text(entry.to_text(), {"o0": schema}).to_text() == entry.to_text()


def test_outputs_are_written_anew_by_their_type() -> None:
    entry = ENTRY._replace(outputs={"o0": 7})
    assert values.dumps(keys.CacheEntry.from_text(entry.to_text(), {"o0": FLOAT}).outputs["o0"]) == "7.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v": 1}, "version 2"),
        ({"v": True}, "version 2"),
        ({"key": "x"}, "$.key must be 64"),
        ({"run": 3}, "$.run must be a str"),
        ({"outputs": {"o0": 7}}, "exactly the outputs o0, report"),
        ({"outputs": []}, "exactly the outputs o0, report"),
        ({"outputs": {"o0": "7", "report": 3}}, "$.outputs.o0 must be an int"),
        ({"outputs": {"o0": {"$stored": {}}, "report": 3}}, "$.outputs.o0"),
        ({"more": 1}, "version 2"),
    ],
)
def test_a_broken_entry_is_refused(change: dict, message: str) -> None:
    text = json.dumps({**json.loads(ENTRY.to_text()), **change})
    with pytest.raises(values.InvalidValue) as caught:
        keys.CacheEntry.from_text(text, OUTPUTS)
    assert message in str(caught.value)


def test_an_entry_is_at_most_64_kib_on_the_way_in_and_out() -> None:
    entry = ENTRY._replace(outputs={"o0": "ä" * 40_000})
    with pytest.raises(values.InvalidValue, match="65536 bytes"):
        entry.to_text()
    with pytest.raises(values.InvalidValue, match="65536 bytes"):
        keys.CacheEntry.from_text(" " * 65_537, OUTPUTS)


def test_every_part_of_a_key_counts_and_the_order_of_inputs_does_not() -> None:
    key = keys.cache_key("m:f", "1", A, {"a": "x", "b": "y"})
    assert key == keys.cache_key("m:f", "1", A, {"b": "y", "a": "x"})
    others = [
        keys.cache_key("m:g", "1", A, {"a": "x", "b": "y"}),
        keys.cache_key("m:f", "2", A, {"a": "x", "b": "y"}),
        keys.cache_key("m:f", "1", A[::-1], {"a": "x", "b": "y"}),
        keys.cache_key("m:f", "1", A, {"a": "y", "b": "x"}),
        keys.cache_key("m:f", "1", A, {"a": "x"}),
        keys.cache_key("m:f1", "", A, {"a": "x", "b": "y"}),
        keys.cache_key("m:f", "1", A, {"a": "x", "b": "y"}, B),
    ]
    assert len({key, *others}) == 8
    assert keys.cache_path(key) == f"cache/{key[:2]}/{key}.json"


def test_an_entry_keeps_lists_that_maps_go_over_as_far_as_there_is_room_and_nothing_else() -> None:
    entry = keys.CacheEntry("a" * 64, "t", {}, "now", "", "")
    listed = {"$stored": {"items": ['"=1"']}}
    kept = entry.with_parts({"short": listed, "long": {"$stored": {"items": ["x" * 100] * 1000}}})
    assert dict(kept.parts) == {"short": listed}
    assert keys.CacheEntry.from_text(kept.to_text(), {}) == kept
    assert keys.CacheEntry.from_text(entry.to_text(), {}) == entry
    wrong: list[Any] = [{"a": 3}, {"a": {"$stored": {"items": 1}}}, [1], {"a": "text"}]
    for parts in wrong:
        with pytest.raises(values.InvalidValue):
            keys.CacheEntry.from_text(entry._replace(parts=parts).to_text(), {})


def test_the_texts_of_a_list_in_an_entry_are_values_and_are_written_anew_for_the_engine() -> None:
    entry = keys.CacheEntry("a" * 64, "t", {}, "now", "", "")
    raw = {"$stored": {"items": ['"{{=1+1}}"', "7"]}}
    read = keys.CacheEntry.from_text(entry._replace(parts={"p": raw}).to_text(), {}).parts["p"]
    assert read == {"$stored": {"items": ['"\\u007b\\u007b=1+1\\u007d\\u007d"', "7"]}}
    for text in ("", "{{=1+1}}", "x", '"'):
        wrong = entry._replace(parts={"p": {"$stored": {"items": [text]}}}).to_text()
        with pytest.raises(values.InvalidValue, match="must be lists that maps go over"):
            keys.CacheEntry.from_text(wrong, {})
