"""Plans through the local runner's schedule, drivers and reports: golden walks, random ones beside an interpreter."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula import task
from alula.local.drive import serial, threads
from alula.local.drive.attempts import Attempt, Failure, Outcome, Success
from alula.local.drive.dispatch import Dispatcher
from alula.local.drive.reporter import Reporter
from alula.local.drive.schedule import RetryPolicy, Schedule
from alula.local.plan import Walkable
from alula.progress.watchers import Watcher
from alula_api.contract.failures import FailureRecord
from alula_api.contract.graphs.outlines import Order, outline
from alula_api.contract.graphs.plans import Plan
from alula_api.contract.graphs.walks import Walk
from alula_api.contract.retries import Budget
from tests.contract.graphs import golden_walks, interpreter
from tests.contract.graphs.random_plans import random_plans
from tests.local.virtual import VirtualClock

INPUTS = {"a": 1, "b": 2}
SEEDS = st.integers(0, 1 << 32).map(random.Random)


@task
def some() -> int:
    return 0


Work = Callable[[Attempt], Outcome]


class Stage:
    """A run of a plan by the local runner's parts, with `work` in place of the tasks."""

    def __init__(self, plan: Plan, inputs: Mapping[str, Any], tasks: Collection[str], work: Work, workers: int) -> None:
        self.given: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._work = work
        sources = {(name, step.name): "" for name, graph in plan.graphs.items() for step in graph.steps}
        self.walk = Walk(plan, inputs, released=lambda value: None)
        clock = VirtualClock()
        reporter = Reporter(Walkable(plan, dict.fromkeys(tasks, some), sources), Watcher(), (), clock.now)
        schedule = Schedule(self.walk, dict.fromkeys(tasks, RetryPolicy(Budget(1))))
        dispatcher = Dispatcher(schedule, {}, reporter, self.overdue)
        if workers == 1:
            serial.drive(dispatcher, self.work, clock)
        else:
            threads.drive(dispatcher, self.work, clock, workers)
        reporter.close(self.walk, interrupted=False)
        self.states = {report.id: report.state for report in reporter.nodes}

    def overdue(self, attempt: Attempt) -> Failure:
        raise AssertionError("nothing has a timeout")

    def work(self, attempt: Attempt) -> Outcome:
        with self._lock:
            self.given[attempt.spot.path] = dict(attempt.spot.inputs)
        return self._work(attempt)


def failure(*, retryable: bool) -> Failure:
    return Failure(FailureRecord("user", "TASK_FAILED", "as it must"), retryable)


def run(plan: Plan, workers: int, *, failing: Collection[str] = (), flaky: Collection[str] = ()) -> Stage:
    """A run whose tasks make what the interpreter's make; those at `failing` fail, once those at `flaky`."""

    def work(attempt: Attempt) -> Outcome:
        spot = attempt.spot
        if spot.path in failing or (spot.path in flaky and attempt.number == 1):
            return failure(retryable=spot.path in flaky)
        return Success(interpreter.made(attempt.task, spot.inputs))

    return Stage(plan, INPUTS, ("cached", "plain"), work, workers)


@pytest.mark.parametrize("name", golden_walks.CASES)
def test_the_local_runner_walks_as_the_golden_file_has_it(name: str) -> None:
    told = golden_walks.load()[name]

    def work(attempt: Attempt) -> Outcome:
        path = attempt.spot.path
        return failure(retryable=False) if path in told.failing else Success(golden_walks.made(path))

    stage = Stage(told.plan, told.inputs, ("t",), work, workers=1)
    assert [*stage.given.items()] == told.started
    assert stage.states == {path: told.state(path) for path in stage.states}
    assert dict(stage.walk.root.outputs) == told.outputs


@given(random_plans(several=True), st.sampled_from([1, 3]), SEEDS)
def test_a_local_run_means_what_a_plain_interpreter_makes_of_the_plan(
    plan: Plan, workers: int, order: random.Random
) -> None:
    meaning = interpreter.interpret(plan, INPUTS)
    paths = sorted(meaning.inputs)
    stage = run(plan, workers, flaky=order.sample(paths, len(paths) // 2))
    states = stage.states
    assert stage.given == meaning.inputs
    assert stage.walk.root.outputs == meaning.outputs
    assert states == {path: "done" if path in meaning.inputs else "not taken" for path in states}
    assert meaning.inputs.keys() <= states.keys()
    placed = Order(place.path for place in outline(plan))
    assert [*states] == sorted(states, key=placed.of), "items and rounds stand where their map or repeat was called"


@given(random_plans(several=True), st.sampled_from([1, 3]), SEEDS)
def test_after_a_failure_the_reports_tell_what_did_not_start_from_what_no_branch_led_to(
    plan: Plan, workers: int, order: random.Random
) -> None:
    whole = interpreter.interpret(plan, INPUTS)
    paths = sorted(whole.inputs)
    failing = order.sample(paths, min(2, len(paths)))
    stage = run(plan, workers, failing=failing)
    states = stage.states
    failed = {path for path, state in states.items() if state == "failed"}
    assert bool(failed) == bool(failing)
    assert failed <= set(failing)
    assert not {"waiting", "running", "resting"} & set(states.values())
    assert {path for path, state in states.items() if state == "done"} == set(stage.given) - failed
    elsewhere = {path for path, state in states.items() if state == "not taken"}
    assert not elsewhere & set(whole.inputs), "what runs when nothing fails lies on a way that is taken"
