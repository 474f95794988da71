"""What a pod publishes for maps: lists as their items, and results as items, short ones inline and long ones stored."""

from __future__ import annotations

from typing import Any

import pytest

from alula.attempt import parts
from alula_api.contract import jsontext, keys, lists, pods, references
from alula_api.contract.graphs import comparables
from alula_api.contract.graphs.bindings import value_of
from alula_api.contract.problems import InvalidValue
from alula_data.content import Content
from alula_data.stores.memory import MemoryStore

TEXTS = {"type": "array", "items": {"type": "string"}}


@pytest.fixture
def content() -> Content:
    return Content(MemoryStore())


def publish(form: str, value: Any, schema: dict[str, Any], content: Content, travels: Any = None) -> Any:
    asked = [("p", "o0", (), form)]
    travelling = {"o0": value if travels is None else travels}
    return parts.publish(asked, lambda _: value, travelling, {"o0": schema}, lambda: content)["p"]


def test_a_list_is_published_as_its_items_of_which_each_is_found_by_itself(content: Content) -> None:
    value = ["short", "x" * 500, {"$stored": {}}, "é{{=1+1}}"]
    schema = {"type": "array", "items": {}}
    wire = publish("items", value, schema, content)
    found = lists.read(wire)
    assert found is not None and all(len(text) < 300 for text in found.texts)
    kinds = [isinstance(item, references.Stored) for item in found.values()]
    assert kinds == [False, True, True, False]
    assert content.load_value(wire) == value
    assert [content.load_value(lists.Listed((text,)).to_json()) for text in found.texts] == [[item] for item in value]


def test_a_result_is_published_as_an_item_and_read_from_the_store_only_where_it_must(content: Content) -> None:
    assert publish("item", 7, {"type": "integer"}, content) == "=7"
    stored = content.save_value('"' + "y" * 300 + '"', "0" * 64, 0)

    def refuse(_: str) -> Any:
        raise AssertionError("the value is not needed")

    asked = [("p", "o0", (), "item")]
    found = parts.publish(asked, refuse, {"o0": stored}, {"o0": {"type": "string"}}, lambda: content)["p"]
    assert isinstance(found, str) and found.startswith("@")
    (item,) = lists.Listed((lists.text(found),)).values()
    assert item == value_of(stored)


def test_a_result_too_long_for_an_item_goes_into_the_store_with_its_own_identity(content: Content) -> None:
    text = "z" * 127  # inline among outputs
    found = publish("item", text, {"type": "string"}, content)
    listed = lists.Listed((lists.text(found),))
    (item,) = listed.values()
    assert isinstance(item, references.Stored)
    assert item.hash == keys.identity(text, {"type": "string"})
    assert content.load_value(listed.to_json()) == [text]


def test_a_list_too_long_for_a_map_is_refused_with_its_length(content: Content) -> None:
    with pytest.raises(
        InvalidValue, match="has 1,001 items, and a map without batches takes at most 1,000: batch=2 would do"
    ):
        publish("items", ["a"] * 1001, TEXTS, content)
    with pytest.raises(InvalidValue, match="must be a list"):
        publish("items", None, {"anyOf": [TEXTS, {"type": "null"}]}, content)


def test_of_each_item_of_a_list_a_part_is_published_as_by_itself(content: Content) -> None:
    text = {"type": "string"}
    record = {
        "type": "object",
        "properties": {"size": {"type": "integer"}, "tags": TEXTS},
        "required": ["size", "tags"],
    }
    schema = {"type": "array", "items": {**record, "title": "Sample"}}
    value = [{"size": 2**40, "tags": ["{{=1+1}}", "x" * 500]}, {"size": 0, "tags": []}]
    asked = [
        pods.Each("sizes", "o0", ((), ("size",)), "scalar", 0),
        pods.Each("tags", "o0", ((), ("tags",)), "items", 0),
        pods.Each("packs", "o0", ((), ("tags",)), "batches", 1),
        pods.Each("deep", "o0", ((), ("tags",), ()), "scalar", 0),
    ]
    found = parts.each(lambda _: value, asked, {"o0": schema}, lambda: content)
    own = {name: [jsontext.parse(each) for each in listed.texts] for name, listed in read(found).items()}
    assert own["sizes"] == [2**40, 0]
    for index, item in enumerate(value):
        alone = {"o0": item["tags"]}
        assert own["tags"][index] == publish("items", alone["o0"], TEXTS, content)
        packs = [("p", "o0", (), 1)]
        assert own["packs"][index] == parts.batches(alone.__getitem__, packs, {"o0": TEXTS}, lambda: content)["p"]
        inner = lists.read(own["deep"][index])
        digests = [comparables.published(tag, text) for tag in item["tags"]]
        assert inner is not None and [jsontext.parse(each) for each in inner.texts] == digests


def read(found: dict[str, Any]) -> dict[str, lists.Many]:
    listed = {name: lists.read(wire) for name, wire in found.items()}
    return {name: each for name, each in listed.items() if each is not None}


def test_parts_of_each_item_that_are_too_long_together_are_refused_with_what_to_do(content: Content) -> None:
    numbers = {"type": "array", "items": {"type": "integer"}}
    schema = {"type": "array", "items": numbers}
    asked = [pods.Each("p", "o0", ((), ()), "items", 0)]
    value = [list(range(100))] * 150
    with pytest.raises(InvalidValue, match="more than 98,304 characters: let a task of the mapped workflow take"):
        parts.each(lambda _: value, asked, {"o0": schema}, lambda: content)
    with pytest.raises(InvalidValue, match="has 1,001 items, and a map without batches takes at most 1,000"):
        parts.each(lambda _: [[]] * 1001, asked, {"o0": schema}, lambda: content)
