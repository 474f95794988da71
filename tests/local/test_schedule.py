"""Order, retries and the end of a run, without threads or time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula.local.drive.schedule import ONCE, RetryPolicy, Schedule, State
from alula_api.contract.retries import Backoff, Budget


def schedule(dependencies: list[list[int]], **retries: int) -> Schedule:
    backoff = Backoff("10s", 2, "1m")
    policies = [RetryPolicy(Budget(retries.get(f"s{step}", 0)), backoff) for step in range(len(dependencies))]
    return Schedule(dependencies, policies, [False] * len(dependencies))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[list[int]], list[bool]]:
    size = draw(st.integers(0, 25))
    dependencies = [draw(st.lists(st.integers(0, step - 1), max_size=4)) if step else [] for step in range(size)]
    return dependencies, draw(st.lists(st.booleans(), min_size=size, max_size=size))


@given(graphs(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_every_step_runs_once_and_after_all_it_depends_on(graph, random, workers) -> None:
    dependencies, virtual = graph
    run = Schedule(dependencies, [ONCE] * len(dependencies), virtual)
    order: list[int] = []
    under_way: list[int] = []
    while not run.over:
        while len(under_way) < workers and (step := run.take()) is not None:
            assert all(run.states[before] is State.DONE for before in dependencies[step])
            under_way.append(step)
        step = under_way.pop(random.randrange(len(under_way)))
        run.succeed(step)
        order.append(step)
    assert sorted(order) == [step for step, nothing in enumerate(virtual) if not nothing]
    assert all(state is State.DONE for state in run.states)


@given(graphs(), st.data())
def test_after_a_final_failure_nothing_starts_and_dependents_never_ran(graph, data) -> None:
    dependencies, virtual = graph
    real = [step for step, nothing in enumerate(virtual) if not nothing]
    if not real:
        return
    victim = data.draw(st.sampled_from(real))
    run = Schedule(dependencies, [ONCE] * len(dependencies), virtual)
    while not run.over:
        step = run.take()
        assert step is not None
        if step == victim:
            assert run.fail(step, retryable=True, now=0) is None
        else:
            run.succeed(step)
    assert run.failing
    assert run.take() is None
    assert run.states[victim] is State.FAILED
    behind = {victim}
    for step, names in enumerate(dependencies):
        if behind & set(names):
            behind.add(step)
            assert run.states[step] is State.WAITING


def test_steps_become_ready_in_the_order_of_the_graph() -> None:
    run = schedule([[], [], [], [0, 1, 2]])
    assert [run.take(), run.take(), run.take(), run.take()] == [0, 1, 2, None]


def test_a_failed_step_rests_longer_each_time_up_to_the_cap() -> None:
    run = schedule([[]], s0=5)
    rests, now = [], 0.0
    while (step := run.take()) is not None:
        rest = run.fail(step, retryable=True, now=now)
        rests.append(rest)
        if rest is not None:
            assert run.next_wake == now + rest
            assert run.take() is None
            now += rest
            run.wake(now)
    assert rests == [10, 20, 40, 60, 60, None]
    assert run.over


def test_what_is_tried_again_comes_before_what_has_not_begun() -> None:
    run = Schedule([[], [], []], [RetryPolicy(Budget(1)), RetryPolicy(Budget(1), Backoff("5s")), ONCE], [False] * 3)
    assert run.take() == 0
    assert run.fail(0, retryable=True, now=0) == 0
    assert [run.take(), run.take()] == [0, 1]
    assert run.fail(1, retryable=True, now=0) == 5
    run.wake(5)
    assert [run.take(), run.take(), run.take()] == [1, 2, None]


def test_both_budgets_are_kept_whatever_the_order_of_the_failures() -> None:
    run = Schedule([[]], [RetryPolicy(Budget(1, 2))], [False])
    rests = []
    for kind in ("system", "user", "system", "system"):
        rests.append(run.fail(run.take() or 0, retryable=True, now=0, kind=kind))
    assert rests == [0, 0, 0, None]
    assert run.attempts == [4]


def test_a_failure_that_is_not_retryable_is_final_at_once() -> None:
    run = schedule([[]], s0=5)
    assert run.fail(run.take() or 0, retryable=False, now=0) is None
    assert run.over


def test_a_step_that_rests_has_failed_when_another_failed_for_good() -> None:
    run = schedule([[], []], s0=5)
    assert [run.take(), run.take()] == [0, 1]
    assert run.fail(0, retryable=True, now=0) == 10
    assert run.fail(1, retryable=True, now=0) is None
    assert run.states == [State.FAILED, State.FAILED]
    assert run.over


def test_a_running_step_may_still_finish_after_a_failure_but_is_not_tried_again() -> None:
    run = schedule([[], [], []], s1=5)
    assert [run.take(), run.take(), run.take()] == [0, 1, 2]
    run.fail(0, retryable=False, now=0)
    assert not run.over
    assert run.fail(1, retryable=True, now=0) is None
    run.succeed(2)
    assert run.over
    assert run.states == [State.FAILED, State.FAILED, State.DONE]


def test_what_does_not_run_cannot_finish() -> None:
    with pytest.raises(AssertionError, match="not running"):
        schedule([[]]).succeed(0)


def test_a_chain_of_10000_virtual_steps_needs_no_recursion() -> None:
    size = 10_000
    run = Schedule([[step - 1] if step else [] for step in range(size)], [ONCE] * size, [False] + [True] * (size - 1))
    run.succeed(run.take() or 0)
    assert run.over
    assert run.states[-1] is State.DONE
