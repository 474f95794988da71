"""How memory grows: in steps that never shrink and end at the most, and what is no growth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import memory, pods, quantities


def amount(text: str) -> int:
    found = quantities.amount(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("factor", "most", "requests", "limits", "count", "expected"),
    [
        ("2", "16Gi", {}, {"memory": "2Gi"}, 3, ["2Gi", "4Gi", "8Gi", "16Gi"]),
        ("2", "5G", {}, {"memory": "2Gi"}, 3, ["2Gi", "4Gi", "5G"]),
        ("1.5", "1Ti", {}, {"memory": "1Gi"}, 2, ["1Gi", "1536Mi", "2304Mi"]),
        ("1.333", "1Ti", {"memory": "1000000"}, {}, 2, ["1000000", "2Mi", "3Mi"]),
        ("16", "1Pi", {"memory": "100M"}, {"memory": "1G"}, 1, ["1G", "15259Mi"]),
    ],
)
def test_the_steps_of_a_growth(
    factor: str, most: str, requests: dict[str, str], limits: dict[str, str], count: int, expected: list[str]
) -> None:
    assert [each.name for each in memory.steps(factor, most, requests, limits, count)] == expected


@given(
    st.integers(1_100, 16_000),
    st.integers(1, 2**40),
    st.integers(1, 2**45),
    st.integers(0, 100),
    st.integers(1, 1000),
)
def test_each_step_is_more_than_the_one_before_and_none_is_above_the_most(
    factor: int, limit: int, most: int, count: int, share: int
) -> None:
    text, sides = f"{factor / 1000:.3f}", {"memory": str(limit)}
    requests = {"memory": str(limit * share // 1000)}
    if memory.problem(text, str(most), requests, sides)[0]:
        assert most <= limit
        return
    found = memory.steps(text, str(most), requests, sides, count)
    amounts = [amount(each.limit) for each in found]
    assert amounts == sorted(set(amounts)) and amounts[0] == limit * quantities.ONE
    assert max(amounts) <= max(most, limit) * quantities.ONE
    assert len(found) == count + 1 or amounts[-1] == most * quantities.ONE
    assert all(amount(each.request) <= amount(each.limit) for each in found)
    assert len({pods.remark(each.name) for each in found}) == len(found)
