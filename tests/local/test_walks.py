"""Random plans through the local runner's own schedule, drivers and reports, against a plain interpreter of plans."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection
from typing import Any

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
from alula_api.contract.graphs.plans import Plan
from alula_api.contract.graphs.walks import Walk, outline
from alula_api.contract.retries import Budget
from tests.contract.graphs import interpreter
from tests.contract.graphs.random_plans import random_plans
from tests.local.virtual import VirtualClock

INPUTS = {"a": 1, "b": 2}
ONCE_MORE = RetryPolicy(Budget(1))
SEEDS = st.integers(0, 1 << 32).map(random.Random)


@task
def cached(a: int, b: int) -> int:
    return a + b


@task
def plain(a: int, b: int) -> int:
    return a - b


class Stage:
    """A run of a plan whose tasks make what the interpreter's make; those at `failing` fail, once those at `flaky`."""

    def __init__(self, plan: Plan, workers: int, *, failing: Collection[str] = (), flaky: Collection[str] = ()) -> None:
        self.given: dict[str, dict[str, Any]] = {}
        self.failing, self.flaky, self.workers = failing, flaky, workers
        sources = {(name, step.name): "" for name, graph in plan.graphs.items() for step in graph.steps}
        self.walk = Walk(plan, INPUTS, released=lambda value: None)
        self.clock = VirtualClock()
        walkable = Walkable(plan, {"cached": cached, "plain": plain}, sources)
        self.reporter = Reporter(walkable, Watcher(), (), self.clock.now)
        schedule = Schedule(self.walk, {"cached": ONCE_MORE, "plain": ONCE_MORE})
        self.dispatcher = Dispatcher(schedule, {}, self.reporter, self.overdue)
        self._lock = threading.Lock()

    def overdue(self, attempt: Attempt) -> Failure:
        raise AssertionError("nothing has a timeout")

    def work(self, attempt: Attempt) -> Outcome:
        spot = attempt.spot
        with self._lock:
            self.given[spot.path] = dict(spot.inputs)
        fails = spot.path in self.failing or (spot.path in self.flaky and attempt.number == 1)
        if fails:
            return Failure(FailureRecord("user", "TASK_FAILED", "as it must"), spot.path in self.flaky)
        return Success(interpreter.made(attempt.task, spot.inputs))

    def run(self) -> dict[str, str]:
        """The states of all tasks, by path."""
        if self.workers == 1:
            serial.drive(self.dispatcher, self.work, self.clock)
        else:
            threads.drive(self.dispatcher, self.work, self.clock, self.workers)
        self.reporter.close(self.walk, interrupted=False)
        return {report.id: report.state for report in self.reporter.nodes}


@given(random_plans(several=True), st.sampled_from([1, 3]), SEEDS)
def test_a_local_run_means_what_a_plain_interpreter_makes_of_the_plan(
    plan: Plan, workers: int, order: random.Random
) -> None:
    meaning = interpreter.interpret(plan, INPUTS)
    paths = sorted(meaning.inputs)
    stage = Stage(plan, workers, flaky=order.sample(paths, len(paths) // 2))
    states = stage.run()
    assert stage.given == meaning.inputs
    assert stage.walk.root.outputs == meaning.outputs
    assert states == {path: "done" if path in meaning.inputs else "not taken" for path in states}
    assert meaning.inputs.keys() <= states.keys()
    order = [place.path for place in outline(plan)]
    places = [order.index(id.partition("(")[0]) for id in states]
    assert places == sorted(places), "items stand where the author called their map"


@given(random_plans(several=True), st.sampled_from([1, 3]), SEEDS)
def test_after_a_failure_the_reports_tell_what_did_not_start_from_what_no_branch_led_to(
    plan: Plan, workers: int, order: random.Random
) -> None:
    whole = interpreter.interpret(plan, INPUTS)
    paths = sorted(whole.inputs)
    failing = order.sample(paths, min(2, len(paths)))
    stage = Stage(plan, workers, failing=failing)
    states = stage.run()
    failed = {path for path, state in states.items() if state == "failed"}
    assert bool(failed) == bool(failing)
    assert failed <= set(failing)
    assert not {"waiting", "running", "resting"} & set(states.values())
    assert {path for path, state in states.items() if state == "done"} == set(stage.given) - failed
    elsewhere = {path for path, state in states.items() if state == "not taken"}
    assert not elsewhere & set(whole.inputs), "what runs when nothing fails lies on a way that is taken"
