"""Trying again: only what may help, a bounded number of times, never in step with others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_data import errors, retries


def failing(times: int, error: errors.StoreError) -> tuple[list[int], retries.Callable[[int], str]]:
    attempts: list[int] = []

    def function(attempt: int) -> str:
        attempts.append(attempt)
        if len(attempts) <= times:
            raise error
        return "done"

    return attempts, function


def test_what_was_unavailable_is_tried_again_until_it_works() -> None:
    attempts, function = failing(3, errors.Unavailable("s3://b"))
    slept: list[float] = []
    assert retries.call(retries.Policy(attempts=5), function, slept.append) == "done"
    assert attempts == [1, 2, 3, 4]
    assert len(slept) == 3


def test_the_last_error_is_raised_when_attempts_are_used_up() -> None:
    attempts, function = failing(9, errors.Unavailable("s3://b", detail="connection refused"))
    slept: list[float] = []
    with pytest.raises(errors.Unavailable, match="connection refused"):
        retries.call(retries.Policy(attempts=4), function, slept.append)
    assert attempts == [1, 2, 3, 4]
    assert len(slept) == 3


@pytest.mark.parametrize("kind", [errors.NotFound, errors.Denied, errors.Damaged, errors.StoreError])
def test_what_patience_does_not_mend_is_raised_at_once(kind: type[errors.StoreError]) -> None:
    attempts, function = failing(1, kind("s3://b"))
    with pytest.raises(kind):
        retries.call(retries.Policy(), function, lambda _: pytest.fail("slept"))
    assert attempts == [1]


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_grows_to_its_cap_and_keeps_at_least_half(attempt: int, chance: float) -> None:
    policy = retries.Policy(first=0.2, longest=5.0)
    due = min(5.0, 0.2 * 2 ** min(attempt - 1, 20))
    assert due / 2 <= policy.pause(attempt, chance) <= due


def test_two_writers_do_not_pause_in_step() -> None:
    pauses: list[list[float]] = [[], []]
    for slept in pauses:
        _, function = failing(5, errors.Unavailable("s3://b"))
        retries.call(retries.Policy(attempts=6), function, slept.append)
    assert pauses[0] != pauses[1]
