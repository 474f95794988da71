"""Two budgets and the waits between attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract.retries import DEFAULT_BACKOFF, Backoff, Budget


@given(st.integers(0, 5), st.integers(0, 5), st.lists(st.booleans(), min_size=12, max_size=12))
def test_a_task_that_always_fails_ends_within_argos_one_limit(user: int, system: int, theirs: list[bool]) -> None:
    budget = Budget(user, system)
    failed = 0
    for number, users in enumerate(theirs, start=1):
        failed += users
        if not budget.allows(failed, number - failed):
            assert number <= budget.limit + 1
            assert failed == user + 1 or number - failed == system + 1
            return
    raise AssertionError("it never ended")


@pytest.mark.parametrize(
    ("backoff", "rests"),
    [
        (DEFAULT_BACKOFF, [5, 10, 20, 40, 60, 60]),
        (Backoff("10s"), [10, 10, 10]),
        (Backoff("1ms", 100), [0.001, 0.1, 10]),
    ],
)
def test_the_waits_grow_by_the_factor_up_to_the_cap(backoff: Backoff, rests: list[float]) -> None:
    assert [backoff.rest(failures) for failures in range(1, len(rests) + 1)] == rests


def test_a_wait_that_no_number_holds_is_the_longest() -> None:
    assert Backoff("1s", 100).rest(500) == float("inf")
    assert Backoff("1s", 100, "1h").rest(500) == 3600
