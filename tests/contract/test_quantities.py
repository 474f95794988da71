"""Amounts as Kubernetes writes them, and those that no pod can have."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import quantities

AMOUNTS = {
    "2": Fraction(2), "500m": Fraction(1, 2), "1.5": Fraction(3, 2), ".5": Fraction(1, 2), "2.": Fraction(2),
    "4Gi": Fraction(4 * 1024**3), "1k": Fraction(1000), "3E": Fraction(3 * 10**18), "3e2": Fraction(300),
    "0.1Gi": Fraction(1024**3, 10), "1E2": Fraction(100), "0": Fraction(0),
}  # fmt: skip


@pytest.mark.parametrize(("text", "amount"), AMOUNTS.items())
def test_a_text_stands_for_an_exact_amount(text: str, amount: Fraction) -> None:
    found = quantities.amount(text)
    assert found is not None and Fraction(found, quantities.ONE) == amount


@pytest.mark.parametrize("text", ["", "-1", "2 cores", "2GB", "1gi", "e3", "1e", "1K", "1ki", "0x10", "1" * 33, "٣"])
def test_other_texts_are_no_amounts(text: str) -> None:
    assert quantities.amount(text) is None


FINE: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"cpu": "500m"}, {"cpu": "2"}),
    ({"cpu": "0.001"}, {}),
    ({"cpu": "0", "memory": "0"}, {"nvidia.com/gpu": "0"}),
    ({}, {"memory": "1.5Gi"}),
    ({"memory": "1024Mi"}, {"memory": "1Gi"}),
    ({}, {"nvidia.com/gpu": "1"}),
    ({"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "1"}),
    ({"ephemeral-storage": "1G"}, {"ephemeral-storage": "1Gi"}),
]


@pytest.mark.parametrize(("requests", "limits"), FINE)
def test_what_a_pod_can_have_is_taken(requests: dict[str, str], limits: dict[str, str]) -> None:
    assert list(quantities.problems(requests, limits)) == []


WRONG = {
    "a request above its limit": (
        {"memory": "4Gi"},
        {"memory": "2Gi"},
        "raise the limit to 4Gi, or request at most 2Gi",
    ),
    "in other units": ({"cpu": "2"}, {"cpu": "500m"}, "raise the limit to 2, or request at most 500m"),
    "a limit of nothing": ({}, {"memory": "0Mi"}, "leave the limit out"),
    "nothing of both": ({"cpu": "0"}, {"cpu": "0"}, "leave the limit out"),
    "by a hair": ({"memory": "1025Mi"}, {"memory": "1Gi"}, "raise the limit to 1025Mi, or request at most 1Gi"),
    "an unequal pair of a device": ({"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "2"}, 'write "2"'),
    "cpus in millions for thousandths": ({"cpu": "500M"}, {}, 'write "500m": M stands for millions'),
    "a device without a limit": ({"amd.com/gpu": "1"}, {}, 'write "1"'),
    "half a device": ({}, {"nvidia.com/gpu": "500m"}, 'write "1"'),
    "thousandths of bytes": ({"memory": "512m"}, {}, 'write "512Mi" or "512M"'),
    "a part of a byte": ({}, {"memory": "0.1Gi"}, 'write "107374183"'),
    "less than a thousandth of a cpu": ({"cpu": "0.0000001"}, {}, 'write "1m"'),
    "between two thousandths": ({"cpu": "1.5m"}, {}, 'write "2m"'),
    "pages that differ": ({"hugepages-2Mi": "4Mi"}, {"hugepages-2Mi": "8Mi"}, 'write "8Mi"'),
}


@pytest.mark.parametrize(("requests", "limits", "hint"), WRONG.values(), ids=WRONG)
def test_what_no_pod_can_have_is_reported_with_the_nearest_fix(
    requests: dict[str, str], limits: dict[str, str], hint: str
) -> None:
    assert [wrong.hint for wrong in quantities.problems(requests, limits)] == [hint]


MOST = {"cpu": "10000", "memory": "1Pi", "ephemeral-storage": "1024Ti", "nvidia.com/gpu": "1000000000"}


@pytest.mark.parametrize(("name", "most"), MOST.items())
def test_more_than_any_machine_has_is_reported(name: str, most: str) -> None:
    above = {"cpu": "10000001m", "memory": "1125899906842625", "ephemeral-storage": "100Ei"}.get(name, "1000000001")
    assert list(quantities.problems({name: most}, {name: most})) == []
    (wrong,) = quantities.problems({name: above}, {name: above})
    assert (wrong.name, wrong.value) == (name, above)
    assert wrong.expected.endswith(": no machine has more")


@pytest.mark.parametrize(
    "name", ["{{workflow.name}}", "gpu", "Memory", "", "x y/z", "nvidia.com/", "/gpu", "a/b/c", "hugepages-", "n" * 400]
)
def test_a_name_that_no_resource_has_is_reported(name: str) -> None:
    (wrong,) = quantities.problems({name: "1"}, {name: "1"})
    assert "nvidia.com/gpu" in wrong.expected
    assert len(wrong.name) <= 100


NUMBERS = st.builds(str, st.integers(0, 10**6)) | st.decimals(0, 1000, places=4).map(lambda one: f"{one:f}")
TEXTS = st.builds(str.__add__, NUMBERS, st.sampled_from(["", "m", "k", "M", "Gi", "e3"]))


@given(TEXTS, TEXTS)
def test_a_pair_is_taken_exactly_where_the_request_is_at_most_the_limit(request: str, limit: str) -> None:
    amounts = [quantities.amount(request), quantities.amount(limit)]
    first, second = (Fraction(found or 0, quantities.ONE) for found in amounts)
    are_whole = (first * 1000).denominator == (second * 1000).denominator == 1
    fine = are_whole and first <= second <= quantities.MAX_CPUS and second > 0
    assert (list(quantities.problems({"cpu": request}, {"cpu": limit})) == []) is fine
