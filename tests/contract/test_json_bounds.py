"""What is counted before it is parsed is what the parser would have found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import json_bounds

TEXTS = st.text('\\"[]{},:a', max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=30,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count, inner))


def cut(value: Any, most: int) -> Any:
    if isinstance(value, (dict, list)) and most == 0:
        return None
    if isinstance(value, dict):
        return {name: cut(inner, most - 1) for name, inner in value.items()}
    return [cut(inner, most - 1) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("spaces", [None, 1])
@given(value=VALUES, most=st.integers(0, 6))
def test_depth_and_number_are_those_of_the_value_whatever_its_texts_hold(
    value: Any, most: int, spaces: int | None
) -> None:
    text = json.dumps(value, indent=spaces, ensure_ascii=False).encode()
    assert json_bounds.nests_deeper(text, most) == (depth(value) > most)
    assert json_bounds.values(text) >= count(value)
    assert json.loads(json_bounds.pruned(text, most)) == cut(value, most)


@pytest.mark.parametrize("text", [b"[" * 10**6, b'{"a":' * 10**5, b"[" * 10**6 + b"]" * 10**6])
def test_a_million_levels_are_counted_without_recursion(text: bytes) -> None:
    assert json_bounds.nests_deeper(text, 200)
    assert json_bounds.values(text) >= 10**5


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_are_counted_too(text: bytes) -> None:
    assert json_bounds.values(text) >= 1
    json_bounds.nests_deeper(text, 3)
    json_bounds.pruned(text, 3)
