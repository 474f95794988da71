"""Outputs that are parts of values and lists, from the texts that Argo keeps to the value that the workflow returns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo import outputs
from alula_api.contract import jsontext, references
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode, Items
from alula_api.contract.problems import InvalidValue

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inside = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    return [path, *(place for key, part in inside for place in places(part, (*path, str(key))))]


class Run:
    """What two nodes returned, of which some lies in the store; and the texts of a run that returns a binding."""

    def __init__(self, values: list[Any], stored: set[int]) -> None:
        self.values, self.store = values, {}
        self.wire = []
        for index, value in enumerate(values):
            envelope = references.Stored(f"{index:064x}", 1, "0" * 64)
            self.store[envelope.digest] = value
            self.wire.append(envelope.to_json() if index in stored else value)

    def load(self, value: Any) -> Any:
        found = references.stored(value)
        return value if found is None else self.store[found.digest]

    def texts(self, binding: Binding) -> dict[str, str]:
        wire = self.wire
        whole: Any = None
        if isinstance(binding, Items):
            whole = [leaf.json if isinstance(leaf, Constant) else wire[int(leaf.node)] for leaf in binding.leaves]  # type: ignore[union-attr]
        elif isinstance(binding, FromNode):
            whole = wire[int(binding.node)]
        paths = outputs.paths(binding)
        return {"o0": jsontext.dumps(whole), **({} if paths is None else {"o0--path": json.dumps(paths)})}


@st.composite
def returned(draw: st.DrawFn) -> tuple[Run, Binding, Any]:
    values = draw(st.lists(VALUES, min_size=2, max_size=2))
    run = Run(values, draw(st.sets(st.integers(0, 1))))

    def leaf() -> tuple[Any, Any]:
        index = draw(st.integers(0, 1))
        path = draw(st.sampled_from(places(values[index])))
        return FromNode(str(index), "o0", path), jsontext.select(values[index], path)

    if draw(st.booleans()):
        return run, *leaf()
    leaves = [leaf() if draw(st.booleans()) else (Constant("7"), 7) for _ in range(draw(st.integers(0, 3)))]
    return run, Items(tuple(one for one, _ in leaves)), [value for _, value in leaves]


@given(returned())
def test_what_the_workflow_returns_is_put_together_from_whole_values(case: tuple[Run, Binding, Any]) -> None:
    run, binding, expected = case
    assert outputs.assembled("o0", run.texts(binding), run.load) == expected


def test_a_whole_value_has_nothing_beside_it() -> None:
    assert outputs.paths(FromNode("a", "o0")) is None
    assert outputs.paths(FromInput("x")) is None
    assert outputs.paths(Constant("[1]")) is None
    assert outputs.paths(FromNode("a", "o0", ("xs", "0"))) == ["xs", "0"]
    assert outputs.paths(Items((FromNode("a", "o0", ("x",)), FromInput("b")))) == [["x"], []]


def test_what_cannot_be_loaded_stays_an_envelope() -> None:
    run = Run([{"a": 1}, 2], {0})
    texts = run.texts(Items((FromNode("0", "o0", ("a",)), FromNode("1", "o0"))))
    assert outputs.assembled("o0", texts, lambda value: value) == [run.wire[0], 2]


@pytest.mark.parametrize(
    "texts",
    [
        {"o0": "1", "o0--path": '["a"]'},
        {"o0": "[1]", "o0--path": "[[],[]]"},
        {"o0": "1", "o0--path": "[[]]"},
        {"o0": "1", "o0--path": "7"},
        {"o0": "[", "o0--path": "[[]]"},
    ],
)
def test_texts_that_do_not_belong_together_are_refused(texts: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        outputs.assembled("o0", texts, lambda value: value)
