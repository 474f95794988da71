"""The canonical YAML writer: what it writes is what every loader reads."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alula_api.kinds import yamltext

from . import hostile

texts = st.one_of(st.sampled_from(hostile.STRINGS), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([2**63, 2**70, 1e20, 1e-7]),
)
documents = st.dictionaries(
    texts,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=25
    ),
    max_size=6,
)


def load(text: str, loader: type[Any]) -> Any:
    return yaml.load(text, Loader=loader)


def exact(value: Any) -> Any:
    """The value with its types spelled out, as `1 == 1.0 == True` in Python; the order of keys counts too."""
    if isinstance(value, dict):
        return [(key, exact(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return (type(value).__name__, value)


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
def test_every_hostile_string_is_read_back_as_value_as_key_and_in_flow_style(loader: type[Any]) -> None:
    for text in hostile.STRINGS:
        obj = {
            "value": text,
            text: 1,
            "list": [text, [text]],
            "flow": {"a": {text: text}},
            "block": {"items": [{text: text, "b": [{}]}]},
        }
        assert exact(load(yamltext.dump(obj), loader)) == exact(obj), text


@given(documents)
def test_any_json_document_is_read_back_equal_by_both_loaders(obj: dict[str, Any]) -> None:
    text = yamltext.dump(obj)
    assert exact(load(text, yaml.CSafeLoader)) == exact(obj)
    assert exact(load(text, yaml.SafeLoader)) == exact(obj)
    assert yamltext.dump(load(text, yaml.CSafeLoader)) == text


@given(st.lists(documents, min_size=1, max_size=4))
def test_several_documents_are_read_back_in_order(objs: list[dict[str, Any]]) -> None:
    assert [exact(obj) for obj in yaml.load_all(yamltext.dump_all(objs), Loader=yaml.CSafeLoader)] == [
        exact(obj) for obj in objs
    ]


def test_small_objects_take_one_line_and_lists_of_objects_take_one_line_an_item() -> None:
    obj = {
        "metadata": {"name": "penguins-train"},
        "spec": {
            "version": "3f9c2d71",
            "tasks": [
                {
                    "name": "train",
                    "entrypoint": "flows.penguins:train",
                    "inputs": [{"name": "seed", "type": {"type": "integer"}, "default": "7"}],
                    "cache": {"version": "1"},
                    "env": [],
                }
            ],
            "graphs": [
                {
                    "name": "main",
                    "nodes": [
                        {
                            "id": "train",
                            "task": "train",
                            "inputs": {"df": {"node": "load", "output": "o0"}},
                            "after": ["x"],
                        }
                    ],
                }
            ],
        },
    }
    assert yamltext.dump(obj) == (
        "metadata:\n"
        "  name: penguins-train\n"
        "spec:\n"
        "  version: 3f9c2d71\n"
        "  tasks:\n"
        "  - name: train\n"
        "    entrypoint: flows.penguins:train\n"
        "    inputs:\n"
        "    - {name: seed, type: {type: integer}, default: '7'}\n"
        "    cache: {version: '1'}\n"
        "    env: []\n"
        "  graphs:\n"
        "  - name: main\n"
        "    nodes:\n"
        "    - {id: train, task: train, inputs: {df: {node: load, output: o0}}, after: [x]}\n"
    )


words = st.text("abcdefghij", min_size=1, max_size=30)
plain_documents = st.recursive(
    words, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=5), max_leaves=40
)


@given(plain_documents)
def test_a_line_longer_than_110_characters_holds_no_object_or_list(obj: Any) -> None:
    lines = yamltext.dump({"spec": obj}).splitlines()
    assert lines[0].startswith("spec:")
    for line in lines:
        assert len(line) <= yamltext.WIDTH or not set("{[") & set(line.removesuffix("{}").removesuffix("[]"))


@given(plain_documents)
def test_what_fits_on_one_line_and_holds_no_list_of_objects_takes_one_line(obj: Any) -> None:
    flat = yamltext.dump({"spec": {"x": obj}}).splitlines()
    joined = " ".join(line.strip() for line in flat[1:])
    if isinstance(obj, dict) and obj and len(flat) > 2 and len(joined) < yamltext.WIDTH // 2:
        assert any(
            isinstance(inner, list) and any(isinstance(item, (dict, list)) for item in inner) for inner in obj.values()
        )


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        yamltext.dump({"a": "x\ud800"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_json_cannot_write_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON number"):
        yamltext.dump({"a": value})


@pytest.mark.parametrize("value", [{1: 2}, {"a": {1}}, {"a": b"x"}, {"a": object()}])
def test_what_is_not_json_data_is_refused_by_its_type(value: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a string|JSON data only"):
        yamltext.dump(value)


def test_nesting_beyond_the_limit_is_refused_instead_of_exhausting_the_stack() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="deeper than 100"):
        yamltext.dump(deep)


def test_the_work_of_writing_grows_with_the_number_of_nodes() -> None:
    def calls(count: int) -> int:
        nodes = [
            {
                "id": f"step-{i}",
                "task": "step",
                "inputs": {"x": {"node": f"step-{i - 1}", "output": "o0"}, "y": {"value": str(i)}},
            }
            for i in range(count)
        ]
        made = 0

        def counted(frame: object, event: str, argument: object) -> None:
            nonlocal made
            made += event in {"call", "c_call"}

        sys.setprofile(counted)
        try:
            yamltext.dump({"spec": {"graphs": [{"name": "main", "nodes": nodes}]}})
        finally:
            sys.setprofile(None)
        return made

    assert calls(1000) < calls(100) * 20  # a quadratic walk makes a hundred times the calls
