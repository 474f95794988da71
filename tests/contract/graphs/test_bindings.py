"""The algebra of bindings: JSON and back, the laws of `mapped`, and what is unknown."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import jsontext
from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.bindings import UNKNOWN, Constant, FirstOf, FromInput, FromNode, Items
from alula_api.contract.problems import InvalidValue
from alula_api.contract.references import Stored

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(st.sampled_from(["x", "0", "1"]), max_size=3).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
LEAVES = st.one_of(
    JSON.map(lambda value: Constant(jsontext.dumps(value))),
    st.builds(FromInput, NAMES, PATHS),
    st.builds(FromNode, NAMES, NAMES, PATHS),
)
SEVERAL = st.lists(LEAVES, max_size=4).map(tuple)
BINDINGS = st.one_of(LEAVES, st.builds(Items, SEVERAL), st.builds(FirstOf, SEVERAL))
STORED = Stored("a" * 64, 7, "b" * 64)


class Values:
    """A scope of two dictionaries."""

    def __init__(self, inputs: Mapping[str, bindings.Value], outputs: Mapping[tuple[str, str], bindings.Value]) -> None:
        self.inputs, self.outputs = inputs, outputs

    def input(self, name: str) -> bindings.MaybeValue:
        return self.inputs.get(name, UNKNOWN)

    def output(self, node: str, output: str) -> bindings.MaybeValue:
        return self.outputs.get((node, output), UNKNOWN)


SCOPE = Values({"a": [1, {"x": 2}], "s": STORED}, {("n", "o0"): {"x": [3, 4]}})


@given(BINDINGS)
def test_a_binding_is_what_its_json_says(binding: bindings.Binding) -> None:
    assert bindings.from_json(bindings.to_json(binding)) == binding


@given(BINDINGS)
def test_mapping_by_nothing_changes_nothing_and_reaches_every_leaf(binding: bindings.Binding) -> None:
    seen: list[bindings.Leaf] = []

    def watch(leaf: bindings.Leaf) -> bindings.Leaf:
        seen.append(leaf)
        return leaf

    assert bindings.mapped(binding, watch) == binding
    assert tuple(seen) == bindings.leaves(binding)


@given(BINDINGS)
def test_the_nodes_of_a_binding_are_those_that_renaming_changes(binding: bindings.Binding) -> None:
    def rename(leaf: bindings.Leaf) -> bindings.Leaf:
        return FromNode(f"{leaf.node}-2", leaf.output, leaf.path) if isinstance(leaf, FromNode) else leaf

    renamed = bindings.mapped(binding, rename)
    assert bindings.nodes(renamed) == tuple(f"{node}-2" for node in bindings.nodes(binding))


@given(st.lists(LEAVES, max_size=4))
def test_a_list_is_known_when_all_its_leaves_are_and_the_first_of_them_when_one_is(leaves: list[bindings.Leaf]) -> None:
    scope = Values({}, {})
    known = [leaf for leaf in leaves if isinstance(leaf, Constant)]
    values = [leaf.json for leaf in known]
    whole, first = (bindings.evaluate(several(tuple(leaves)), scope) for several in (Items, FirstOf))
    assert whole == (values if len(known) == len(leaves) else UNKNOWN)
    assert first == (values[0] if values else UNKNOWN)


@pytest.mark.parametrize(
    ("binding", "value"),
    [
        (Constant('{"x":[1]}'), {"x": [1]}),
        (Constant("null"), None),
        (FromInput("a", ("1", "x")), 2),
        (FromNode("n", "o0", ("x", "0")), 3),
        (FromInput("other"), UNKNOWN),
        (FromNode("n", "o1"), UNKNOWN),
        (FromInput("s"), STORED),
        (FromInput("s", ("x",)), UNKNOWN),
        (Items((FromInput("s"),)), UNKNOWN),
        (Items(()), []),
        (FirstOf(()), UNKNOWN),
        (FirstOf((FromNode("m", "o0"), FromInput("s"), Constant("1"))), STORED),
        (FirstOf((FromNode("m", "o0"), Constant("null"))), None),
    ],
    ids=repr,
)
def test_a_binding_stands_for_a_value(binding: bindings.Binding, value: bindings.MaybeValue) -> None:
    assert bindings.evaluate(binding, SCOPE) == value


@pytest.mark.parametrize(
    ("binding", "message"),
    [(FromInput("a", ("1", "y")), '$["1"].y: does not exist'), (Constant("{"), "$: is not JSON")],
)
def test_a_path_that_leads_nowhere_and_a_broken_constant_are_errors(binding: bindings.Binding, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        bindings.evaluate(binding, SCOPE)
    problem = caught.value.problems[0]
    assert f"{problem.path}: {problem.message}".startswith(message)


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (None, "$"),
        ({}, "$"),
        ({"value": 7}, "$"),
        ({"value": "7", "input": "a"}, "$"),
        ({"value": "7", "path": []}, "$"),
        ({"node": "n"}, "$"),
        ({"input": "a", "path": "x"}, "$.path"),
        ({"input": "a", "path": ["x"] * 33}, "$.path"),
        ({"items": {}}, "$.items"),
        ({"items": [{"items": []}]}, "$.items[0]"),
        ({"firstOf": [{"value": "1"}] * 1001}, "$.firstOf"),
        ({"items": [], "firstOf": []}, "$"),
    ],
    ids=repr,
)
def test_what_is_no_binding_is_refused_with_its_place(found: object, place: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        bindings.from_json(found)
    assert caught.value.problems[0].path == place
