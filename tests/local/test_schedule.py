"""Rests, budgets and the end of a run, without threads or time; which spot may start at all is the walk's."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula.local.drive.schedule import ONCE, RetryPolicy, Schedule
from alula_api.contract.graphs.frames import Spot
from alula_api.contract.retries import Backoff, Budget
from tests.local.walking import walk

BACKOFF = Backoff("10s", 2, "1m")


def schedule(dependencies: list[list[int]], **retries: int) -> Schedule:
    """Steps that are tried again as often as `retries` says, by their names."""
    return Schedule(walk(dependencies), {name: RetryPolicy(Budget(count), BACKOFF) for name, count in retries.items()})


def take(run: Schedule) -> Spot:
    taken = run.take()
    assert taken is not None
    return taken[0]


def paths(run: Schedule, count: int) -> list[str]:
    """What starts next."""
    return [take(run).path for _ in range(count)]


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(0, 15))
    return [draw(st.lists(st.integers(0, step - 1), max_size=4)) if step else [] for step in range(size)]


@given(graphs(), st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, 2))
def test_whatever_fails_within_its_budget_comes_to_its_end(dependencies, random, workers, retries) -> None:
    names = [f"s{step}" for step in range(len(dependencies))]
    run = schedule(dependencies, **dict.fromkeys(names, retries))
    failures = {name: random.randint(0, retries) for name in names}
    attempts: Counter[str] = Counter()
    under_way: list[Spot] = []
    done: set[str] = set()
    now = 0.0
    while not run.over:
        while len(under_way) < workers and (taken := run.take()) is not None:
            spot, number = taken
            assert done.issuperset(spot.step.depends)
            attempts[spot.path] += 1
            assert number == attempts[spot.path]
            under_way.append(spot)
        if not under_way:
            assert run.next_wake is not None
            now = run.next_wake
            run.wake(now)
            continue
        spot = under_way.pop(random.randrange(len(under_way)))
        if attempts[spot.path] <= failures[spot.path]:
            assert run.fail(spot, retryable=True, now=now) == 10 * 2 ** (attempts[spot.path] - 1)
        else:
            done.add(spot.path)
            run.succeed(spot, {})
    assert attempts == {name: failures[name] + 1 for name in names}


@given(graphs().filter(bool), st.data())
def test_after_a_final_failure_nothing_starts(dependencies, data) -> None:
    victim = f"s{data.draw(st.integers(0, len(dependencies) - 1))}"
    run = schedule(dependencies)
    while not run.over:
        spot = take(run)
        if spot.path == victim:
            assert run.fail(spot, retryable=True, now=0) is None
        else:
            run.succeed(spot, {})
    assert run.take() is None
    assert [spot.path for spot in run.walk.failed] == [victim]


def test_what_is_ready_starts_in_the_order_of_the_graph() -> None:
    run = schedule([[], [], [], [0, 1, 2]])
    assert paths(run, 3) == ["s0", "s1", "s2"]
    assert run.take() is None


def test_a_failed_task_rests_longer_each_time_up_to_the_cap() -> None:
    run = schedule([[]], s0=5)
    rests, now = [], 0.0
    while (taken := run.take()) is not None:
        rest = run.fail(taken[0], retryable=True, now=now)
        rests.append(rest)
        if rest is not None:
            assert run.next_wake == now + rest
            assert run.take() is None
            now += rest
            run.wake(now)
    assert rests == [10, 20, 40, 60, 60, None]
    assert run.over


def test_what_is_tried_again_comes_before_what_has_not_begun() -> None:
    policies = {"s0": RetryPolicy(Budget(1)), "s1": RetryPolicy(Budget(1), Backoff("5s")), "s2": ONCE}
    run = Schedule(walk([[], [], []]), policies)
    assert run.fail(take(run), retryable=True, now=0) == 0
    first, second = take(run), take(run)
    assert [first.path, second.path] == ["s0", "s1"]
    assert run.fail(second, retryable=True, now=0) == 5
    run.wake(5)
    assert paths(run, 2) == ["s1", "s2"]
    assert run.take() is None


def test_both_budgets_are_kept_whatever_the_order_of_the_failures() -> None:
    run = Schedule(walk([[]]), {"s0": RetryPolicy(Budget(1, 2))})
    rests, numbers = [], []
    for kind in ("system", "user", "system", "system"):
        taken = run.take()
        assert taken is not None
        numbers.append(taken[1])
        rests.append(run.fail(taken[0], retryable=True, now=0, kind=kind))
    assert rests == [0, 0, 0, None]
    assert numbers == [1, 2, 3, 4]


def test_a_failure_that_is_not_retryable_is_final_at_once() -> None:
    run = schedule([[]], s0=5)
    assert run.fail(take(run), retryable=False, now=0) is None
    assert run.over


def test_a_task_that_rests_has_failed_when_another_failed_for_good() -> None:
    run = schedule([[], []], s0=5)
    first, second = take(run), take(run)
    assert run.fail(first, retryable=True, now=0) == 10
    assert run.fail(second, retryable=True, now=0) is None
    assert run.next_wake is None
    assert {spot.path for spot in run.walk.failed} == {"s0", "s1"}
    assert run.over


def test_a_running_task_may_still_finish_after_a_failure_but_is_not_tried_again() -> None:
    run = schedule([[], [], []], s1=5)
    first, second, third = take(run), take(run), take(run)
    run.fail(first, retryable=False, now=0)
    assert not run.over
    assert run.fail(second, retryable=True, now=0) is None
    run.succeed(third, {})
    assert run.over
    assert [spot.path for spot in run.walk.failed] == ["s0", "s1"]


def test_what_does_not_run_cannot_finish() -> None:
    run = schedule([[]])
    spot = run.walk.ready[0]
    with pytest.raises(AssertionError, match="not running"):
        run.succeed(spot, {})
