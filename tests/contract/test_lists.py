"""Lists that no pod collected: every value comes back, no other does, and a thousand items fit into an argument."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import jsontext, keys, lists, references, values
from alula_api.contract.graphs import bindings, comparables
from alula_api.contract.problems import InvalidValue
from tests import strategies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | strategies.texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strategies.texts(), inner, max_size=3),
    max_leaves=6,
).filter(lambda value: not references.is_envelope(value))  # fmt: skip
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
STORED = st.builds(references.Stored, DIGESTS, st.integers(0, references.MOST_SIZE), DIGESTS)


def go(text: str) -> str:
    """A text as Go's encoder writes it into a list."""
    quoted = json.dumps(text)
    for character in "<>&":
        quoted = quoted.replace(character, f"\\u{ord(character):04x}")
    return quoted


@given(st.lists(JSON | STORED, max_size=5))
def test_a_list_comes_back_as_it_was_and_is_safe_in_argo(items: list[object]) -> None:
    wire = jsontext.argo_safe(jsontext.dumps(lists.listed(items).to_json()))
    assert "{{" not in wire and wire.isascii()
    found = lists.read(jsontext.parse(wire))
    assert found is not None
    assert found.values() == items
    assert bindings.value_of(jsontext.parse(wire)) == found


@given(JSON | STORED)
def test_what_fits_is_no_longer_in_argos_own_list_than_it_may_be(value: object) -> None:
    published = lists.item(value)
    written = go(lists.text(published))
    assert lists.fits(published) is (len(written) - 2 <= lists.MAX_ITEM)
    if isinstance(value, references.Stored):
        assert lists.fits(published)


def test_a_thousand_items_fit_into_one_argument_of_a_process() -> None:
    stored = references.Stored("f" * 64, references.MOST_SIZE, "0" * 64)
    items = [lists.text(lists.item(stored))] * lists.MAX_ITEMS
    assert len(json.dumps({"$stored": {"items": items}})) < 128 * 1024
    assert lists.MAX_ITEMS * (lists.MAX_ITEM + len('"",')) + len('{"$stored":{"items":[]}}') < 128 * 1024


@given(st.lists(st.integers(), max_size=5))
def test_a_list_whose_items_are_known_has_the_identity_of_the_list_itself(items: list[int]) -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    wire = lists.listed(items).to_json()
    assert keys.identity(wire, schema) == values.codec(schema).identity(items)


@given(st.lists(st.lists(st.integers(), max_size=3), max_size=4), st.booleans())
def test_a_list_of_lists_whose_items_are_known_has_the_identity_of_the_list_itself(
    rows: list[list[int]], batched: bool
) -> None:
    schema = {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}
    made = [lists.read(comparables.batches(row, 2)) if batched else lists.listed(row) for row in rows]
    whole = lists.listed(made)
    assert lists.plain(whole) == rows and [*lists.stored(whole)] == []
    assert keys.identity(whole.to_json(), schema) == values.codec(schema).identity(rows)


@pytest.mark.parametrize("longest", ["a" * 121, '"' * 30, "<" * 20])
def test_a_list_of_single_items_is_never_too_long_for_a_list_of_lists_nor_that_for_an_argument(longest: str) -> None:
    assert lists.fits(longest) and not lists.fits(longest + longest[0])
    written = json.dumps({"$stored": {"items": [lists.text(longest)] * lists.MAX_ITEMS}}, separators=(",", ":"))
    as_go_writes_it = written.replace("<", r"\u003c")
    assert 110_000 < len(as_go_writes_it) < lists.MAX_LISTS_TEXT < 131_072


def test_what_lies_in_the_store_is_found_in_lists_of_lists_in_its_order() -> None:
    first, second = (references.Stored(digit * 64, 3, digit * 64) for digit in "ab")
    whole = lists.listed([lists.listed([1, first]), lists.listed([]), second])
    assert [*lists.stored(whole)] == [first, second]
    with pytest.raises(InvalidValue, match="lies in the store"):
        lists.plain(whole)
    inner = {"type": "array", "items": {"type": "integer"}}
    other = lists.listed([lists.listed([1, second]), lists.listed([]), second])
    known = {keys.identity(each.to_json(), {"type": "array", "items": inner}) for each in (whole, other)}
    assert len(known) == 2


@given(st.lists(st.integers() | STORED, max_size=4), st.lists(st.integers() | STORED, max_size=4))
def test_two_lists_have_one_identity_only_if_their_items_have(left: list[object], right: list[object]) -> None:
    schema = {"type": "array", "items": {"type": "integer"}}

    def identities(items: list[object]) -> list[str]:
        return [keys.identity(bindings.wire_of(item), schema["items"]) for item in items]

    same = keys.identity(lists.listed(left).to_json(), schema) == keys.identity(lists.listed(right).to_json(), schema)
    mixed = any(isinstance(item, references.Stored) for item in left) is any(
        isinstance(item, references.Stored) for item in right
    )
    assert same is (identities(left) == identities(right) and mixed)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["1"], "must be a JSON text of a text"),
        (['"1"'], "must begin with = or @"),
        (['"@a.b"'], "must begin with = or @"),
        (['"@aa.1.aa"'], "must hold a digest"),
        (['"={\\"$stored\\": {\\"digest\\": \\"\\"}}"'], "digest"),
        (['"={\\"$stored\\": 1}"'], "must have digest, size and hash"),
    ],
)
def test_an_item_that_is_none_is_refused_with_its_place(items: list[str], message: str) -> None:
    found = lists.read({"$stored": {"items": items}})
    assert found is not None
    with pytest.raises(InvalidValue, match=message):
        found.values()


def test_a_list_of_no_texts_is_refused_and_anything_else_is_none() -> None:
    with pytest.raises(InvalidValue, match="must be a list of texts"):
        lists.read({"$stored": {"items": [1]}})
    for other in ([], {}, {"$stored": {"digest": ""}}, {"$stored": []}, {"items": []}):
        assert lists.read(other) is None


def test_a_part_of_a_list_is_that_of_its_item() -> None:
    stored = references.Stored("f" * 64, 3, "0" * 64)
    found = lists.listed([{"a": [7]}, stored])
    assert bindings.selected(found, ("0", "a", "0")) == 7
    assert bindings.selected(found, ("1",)) == stored
    assert bindings.selected(found, ("1", "a")) is bindings.UNKNOWN
    with pytest.raises(InvalidValue, match="does not exist in a list of 2 items"):
        bindings.selected(found, ("2",))


def test_a_list_in_batches_is_read_back_with_its_numbers_as_the_engine_writes_them() -> None:
    value = list(range(7))
    whole = lists.read(comparables.batches(value, 3))
    assert isinstance(whole, lists.Batches)
    assert lists.length(whole) == 7 and [len(batch) for batch in whole.values()] == [3, 3, 1]  # type: ignore[arg-type]
    assert whole.joined(whole.values()) == value  # type: ignore[arg-type]
    written = {"batches": list(whole.texts), "size": 3.0, "start": 0, "count": 7.0}
    assert lists.read({"$stored": written}) == whole


@given(st.lists(st.integers(), max_size=60), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_items_taken_in_other_batches_are_the_items_of_the_list(
    value: list[int], size: int, other: int, single: bool
) -> None:
    whole = lists.listed(value) if single else lists.read(comparables.batches(value, size))
    assert whole is not None
    for start in range(0, len(value), other):
        count = min(other, len(value) - start)
        part = lists.read(lists.taken(whole, start, count).to_json())
        assert isinstance(part, lists.Batches)
        assert bindings.items_of(part) == value[start : start + count]
        assert part.joined(part.values()) == value[start : start + count]  # type: ignore[arg-type]


def test_a_batch_without_a_value_stands_for_as_many_nulls_as_it_had_items() -> None:
    found = lists.Batches((lists.text(lists.item([1, 2])), "null", lists.text(lists.item([5]))), 2, 0, 5)
    assert found.joined(found.values()) == [1, 2, None, None, 5]  # type: ignore[arg-type]
    assert lists.taken(found, 1, 2).joined([[1, 2], None]) == [2, None]


@pytest.mark.parametrize(
    "inner",
    [
        {"batches": "x", "size": 2, "start": 0, "count": 1},
        {"batches": [], "size": 2, "start": 0},
        {"batches": [], "size": 0, "start": 0, "count": 0},
        {"batches": ['"=[1]"'], "size": 2, "start": 0, "count": 5},
        {"batches": ['"=[1]"'], "size": -1, "start": 0, "count": 1},
        {"batches": [], "size": 2, "start": 0.5, "count": 0},
        {"batches": ['"=[1]"'] * 10_001, "size": 1, "start": 0, "count": 10_001},
    ],
)
def test_what_is_no_list_in_batches_is_refused(inner: Any) -> None:
    with pytest.raises(values.InvalidValue):
        lists.read({"$stored": inner})


def test_a_list_in_batches_has_the_identity_of_the_list_where_it_is_known_and_another_for_each_part() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    value = [1, 2, 3, 4]
    whole = comparables.batches(value, 2)
    assert keys.identity(whole, schema) == keys.identity(value, schema)
    stored = lists.text(lists.item(references.Stored("a" * 64, 9, "b" * 64)))
    seen = {
        keys.identity(lists.Batches((stored,) * texts, 2, start, count).to_json(), schema)
        for texts, start, count in ((1, 0, 1), (1, 0, 2), (1, 1, 1), (2, 0, 3), (2, 0, 4), (2, 1, 3))
    }
    assert len(seen) == 6
    assert keys.cache_key("t", "1", "i", {"x": "a"}, over=("x",)) != keys.cache_key("t", "1", "i", {"x": "a"})


@pytest.mark.parametrize(
    ("count", "batch", "size", "message"),
    [
        (100, lists.AUTO, 1, ""),
        (101, lists.AUTO, 2, ""),
        (10_000, lists.AUTO, 100, ""),
        (10_000, 20, 20, ""),
        (10_001, 20, 20, "has 10,001 items, and a map in batches takes at most 10,000"),
        (6_000, 5, 5, "a map in batches of 5 takes at most 5,000: batch=10 would do"),
        (1_001, None, 1, "a map without batches takes at most 1,000: batch=2 would do"),
    ],
)
def test_a_list_that_is_too_long_is_told_with_the_batch_that_would_do(
    count: int, batch: int | None, size: int, message: str
) -> None:
    problem = lists.too_many(count, batch)
    assert lists.batch_size(batch, count) == size
    assert (message in str(problem)) if message else problem is None


def test_an_item_may_be_what_travels_in_an_envelope_itself() -> None:
    stored = references.Stored("f" * 64, 3, "0" * 64)
    inner = lists.listed([1, stored])
    found = lists.Listed(tuple(lists.text(f"={jsontext.dumps(each)}") for each in (stored.to_json(), inner.to_json())))
    assert found.values() == [stored, inner]
    assert lists.listed([stored, inner]).values() == [stored, inner]
    assert bindings.selected(found, ("1", "0")) == 1
    assert bindings.selected(found, ("1", "1")) == stored


def test_a_list_of_lists_has_the_identity_of_its_items_in_their_order() -> None:
    schema = {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}
    first, second = (references.Stored(each * 64, 3, each * 64) for each in "ab")
    identities = {
        keys.identity(lists.listed(each).to_json(), schema)
        for each in (
            [lists.listed([first]), lists.listed([second])],
            [lists.listed([second]), lists.listed([first])],
            [lists.listed([first, second])],
            [lists.listed([first]), lists.listed([second]), []],
        )
    }
    assert len(identities) == 4
