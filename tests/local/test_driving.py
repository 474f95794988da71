"""Threads, timeouts and interruption, with events and barriers in place of sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from alula.local.drive import serial, threads
from alula.local.drive.attempts import Attempt, Failure, Outcome, Success
from alula.local.drive.dispatch import Dispatcher
from alula.local.drive.schedule import ONCE, RetryPolicy, Schedule
from alula.local.work import thread_interrupt
from alula_api.contract.failures import FailureRecord
from alula_api.contract.graphs.frames import State
from alula_api.contract.retries import Backoff, Budget
from tests.local.virtual import VirtualClock
from tests.local.walking import at, walk

PATIENCE = 30.0
FAILED = Failure(FailureRecord("user", "TASK_FAILED", "failed"), True)
FATAL = Failure(FailureRecord("user", "TASK_FAILED", "fatal"), False)
OVERDUE = Failure(FailureRecord("user", "TASK_TIMEOUT", "overdue"), True)
LATE = Failure(FailureRecord("user", "TASK_TIMEOUT", "late"), False)
DONE = Success({})


class Diary:
    """An observer that writes everything down."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.outcomes: dict[int, Outcome] = {}
        self.given_up: list[int] = []

    def started(self, attempt: Attempt) -> None:
        self.lines.append(f"start {at(attempt)}.{attempt.number}")

    def retrying(self, attempt: Attempt, failure: Failure, rest: float, now: float) -> None:
        self.lines.append(f"retry {at(attempt)}.{attempt.number} after {rest:g}: {failure.record.message}")

    def finished(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        assert at(attempt) not in self.outcomes
        self.outcomes[at(attempt)] = outcome
        what = "done" if isinstance(outcome, Success) else outcome.record.message
        self.lines.append(f"{what} {at(attempt)}.{attempt.number}")

    def abandoned(self, attempt: Attempt) -> None:
        self.given_up.append(at(attempt))


class Stage:
    """A run over `dependencies`, driven by threads or in this thread."""

    def __init__(
        self,
        dependencies: list[list[int]],
        work: Callable[[Attempt], Outcome],
        *,
        workers: int = 4,
        policy: RetryPolicy = ONCE,
        timeouts: dict[int, float] | None = None,
        preparation: float = 0.0,
        deadline: float | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.diary = Diary()
        self.walk = walk(dependencies)
        schedule = Schedule(self.walk, {f"s{number}": policy for number in range(len(dependencies))})
        limits = {f"s{number}": seconds for number, seconds in (timeouts or {}).items()}
        self.dispatcher = Dispatcher(
            schedule,
            limits,
            self.diary,
            lambda attempt: OVERDUE,
            preparation,
            deadline=None if deadline is None else self.clock.now() + deadline,
            late=lambda attempt: LATE,
        )
        self.work = work
        self.workers = workers

    @property
    def states(self) -> list[State]:
        """Of all steps, in their order."""
        frame = self.walk.root.inner
        assert frame is not None
        return [frame.spots[step.name].state for step in frame.graph.steps]

    def run(self) -> list[str]:
        if self.workers == 1:
            serial.drive(self.dispatcher, self.work, self.clock)
        else:
            threads.drive(self.dispatcher, self.work, self.clock, self.workers)
        return self.diary.lines


def test_independent_steps_run_at_the_same_time() -> None:
    meeting = threading.Barrier(4)

    def work(attempt: Attempt) -> Outcome:
        if at(attempt):
            meeting.wait(PATIENCE)
        return DONE

    stage = Stage([[], [0], [0], [0], [0]], work)
    stage.run()
    assert stage.states == [State.DONE] * 5


def test_no_more_steps_run_at_a_time_than_there_are_workers() -> None:
    lock, running, most = threading.Lock(), 0, 0
    pair = threading.Barrier(2)

    def work(attempt: Attempt) -> Outcome:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pair.wait(PATIENCE)  # neither leaves before both workers are here
        with lock:
            running -= 1
        pair.wait(PATIENCE)
        return DONE

    Stage([[] for _ in range(10)], work, workers=2).run()
    assert most == 2


def test_a_chain_stays_in_one_thread() -> None:
    names = []

    def work(attempt: Attempt) -> Outcome:
        names.append(threading.current_thread())
        return DONE

    Stage([[], [0], [1], [2]], work).run()
    assert len(set(names)) == 1


@pytest.mark.parametrize("workers", [1, 4])
def test_at_its_deadline_a_run_of_which_all_rests_ends_without_another_attempt(workers: int) -> None:
    stage = Stage(
        [[], [], [0]],
        lambda attempt: FAILED,
        workers=workers,
        policy=RetryPolicy(Budget(3), Backoff("100s", 1)),
        deadline=150.0,
    )
    lines = stage.run()
    begun = sorted(line for line in lines if line.startswith("start"))
    assert begun == ["start 0.1", "start 0.2", "start 1.1", "start 1.2"]
    assert lines[-1] in ("late 0.2", "late 1.2")
    assert stage.clock.slept == [100, 50]
    assert stage.states == [State.FAILED, State.FAILED, State.SKIPPED]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_step_is_tried_again_after_its_rest(workers: int) -> None:
    def work(attempt: Attempt) -> Outcome:
        return DONE if attempt.number == 3 else FAILED

    stage = Stage([[], [0]], work, workers=workers, policy=RetryPolicy(Budget(3), Backoff("10s", 2)))
    assert stage.run() == [
        "start 0.1", "retry 0.1 after 10: failed", "start 0.2", "retry 0.2 after 20: failed", "start 0.3", "done 0.3",
        "start 1.1", "retry 1.1 after 10: failed", "start 1.2", "retry 1.2 after 20: failed", "start 1.3", "done 1.3",
    ]  # fmt: skip
    assert stage.clock.slept == [10, 20, 10, 20]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_final_failure_stops_what_has_not_started(workers: int) -> None:
    stage = Stage([[], [0], [1]], lambda attempt: FATAL if at(attempt) == 1 else DONE, workers=workers)
    assert stage.run() == ["start 0.1", "done 0.1", "start 1.1", "fatal 1.1"]
    assert stage.states == [State.DONE, State.FAILED, State.SKIPPED]


def test_running_steps_finish_after_a_failure() -> None:
    failed, both = threading.Event(), threading.Barrier(2)

    def work(attempt: Attempt) -> Outcome:
        if at(attempt) < 2:
            both.wait(PATIENCE)
        if at(attempt) == 0:
            return FATAL
        assert failed.wait(PATIENCE)
        return DONE

    stage = Stage([[], [], [1]], work, workers=2)
    finished = stage.diary.finished

    def note(attempt: Attempt, outcome: Outcome, now: float) -> None:
        finished(attempt, outcome, now)
        failed.set()

    stage.diary.finished = note  # type: ignore[method-assign]
    stage.run()
    assert stage.states == [State.FAILED, State.DONE, State.SKIPPED]


def test_an_attempt_past_its_timeout_fails_at_once_and_its_late_result_is_discarded() -> None:
    late, returned = threading.Event(), threading.Event()
    stage: Stage

    def work(attempt: Attempt) -> Outcome:
        if at(attempt) == 0:
            if attempt.number == 1:
                stage.clock.advance(61)
                assert late.wait(PATIENCE)
                returned.set()
                return Success({"o0": "late"})
            return Success({"o0": "in time"})
        return DONE

    stage = Stage([[], [0]], work, workers=2, policy=RetryPolicy(Budget(1), Backoff("5s")), timeouts={0: 60})
    lines = stage.run()
    late.set()
    assert returned.wait(PATIENCE)
    assert lines == ["start 0.1", "retry 0.1 after 5: overdue", "start 0.2", "done 0.2", "start 1.1", "done 1.1"]
    assert stage.diary.outcomes[0] == Success({"o0": "in time"})
    assert stage.diary.given_up == [0]


def test_threads_left_behind_are_replaced() -> None:
    hang = threading.Event()
    stage: Stage

    def work(attempt: Attempt) -> Outcome:
        if at(attempt) < 3 and attempt.number == 1:
            stage.clock.advance(61)
            hang.wait(PATIENCE)
        return DONE

    # Each of the three that hang lets 61 seconds pass for all that runs at that moment, the second attempts of the
    # others too: up to three attempts of one step may come to be overdue.
    policy = RetryPolicy(Budget(3))
    stage = Stage([[] for _ in range(8)], work, workers=2, policy=policy, timeouts=dict.fromkeys(range(3), 60))
    stage.run()
    hang.set()
    assert stage.states == [State.DONE] * 8


def test_an_attempt_that_can_be_ended_is_ended_at_its_timeout() -> None:
    ended = threading.Event()
    stage: Stage

    def work(attempt: Attempt) -> Outcome:
        attempt.abandon = ended.set
        stage.clock.advance(61)
        assert ended.wait(PATIENCE)
        return DONE

    stage = Stage([[]], work, workers=2, timeouts={0: 60})
    assert stage.run() == ["start 0.1", "overdue 0.1"]
    assert stage.diary.given_up == []


def test_preparing_an_attempt_does_not_count_as_its_time() -> None:
    ended = threading.Event()
    stage: Stage

    def work(attempt: Attempt) -> Outcome:
        attempt.abandon = ended.set
        stage.clock.advance(200)
        assert attempt.ready is not None
        attempt.ready()
        stage.clock.advance(59)
        if attempt.number == 2:
            return DONE
        stage.clock.advance(2)
        assert ended.wait(PATIENCE)
        return DONE

    stage = Stage([[]], work, workers=2, policy=RetryPolicy(Budget(1)), timeouts={0: 60}, preparation=300)
    assert stage.run() == ["start 0.1", "retry 0.1 after 0: overdue", "start 0.2", "done 0.2"]


def test_a_late_result_in_the_callers_thread_is_discarded() -> None:
    def work(attempt: Attempt) -> Outcome:
        stage.clock.time += 61
        return DONE

    stage = Stage([[]], work, workers=1, timeouts={0: 60})
    assert stage.run() == ["start 0.1", "overdue 0.1"]


def test_an_attempt_in_the_main_thread_is_interrupted_by_the_alarm() -> None:
    def work(attempt: Attempt) -> Outcome:
        try:
            threading.Event().wait(PATIENCE)
        except Exception:
            return FATAL  # user code that catches everything does not catch the alarm
        return DONE

    stage = Stage([[]], work, workers=1, timeouts={0: 0.01})
    assert stage.run() == ["start 0.1", "overdue 0.1"]


def test_an_alarm_inside_an_alarm_leaves_the_outer_one_set() -> None:
    def inner(attempt: Attempt) -> Outcome:
        return DONE

    def outer(attempt: Attempt) -> Outcome:
        Stage([[]], inner, workers=1, timeouts={0: 60}).run()
        threading.Event().wait(PATIENCE)
        return DONE

    stage = Stage([[]], outer, workers=1, timeouts={0: 0.05})
    assert stage.run() == ["start 0.1", "overdue 0.1"]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_mistake_of_ours_comes_out_of_the_run(workers: int) -> None:
    def work(attempt: Attempt) -> Outcome:
        raise RuntimeError("not an outcome")

    with pytest.raises(RuntimeError, match="not an outcome"):
        Stage([[], []], work, workers=workers).run()


def test_an_interrupt_gives_up_what_runs() -> None:
    hang, ended = threading.Event(), threading.Event()

    def work(attempt: Attempt) -> Outcome:
        attempt.abandon = ended.set
        stage.clock.interrupt()
        hang.wait(PATIENCE)
        return DONE

    stage = Stage([[], [0]], work)
    stage.clock = _InterruptedClock()
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    assert ended.is_set()
    hang.set()
    assert stage.diary.outcomes == {}


def test_an_interrupt_lets_tasks_in_threads_clean_up() -> None:
    cleaned: list[int] = []

    def work(attempt: Attempt) -> Outcome:
        attempt.interrupt = thread_interrupt.ThreadInterrupt()
        try:
            stage.clock.interrupt()
            while True:
                hang.wait(0.01)
        finally:
            cleaned.append(at(attempt))

    hang = threading.Event()
    stage = Stage([[], [0]], work)
    stage.clock = _InterruptedClock()
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    assert cleaned == [0]
    assert stage.diary.outcomes == {}


class _InterruptedClock(VirtualClock):
    """Raises KeyboardInterrupt where the real main thread would: out of its wait."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed = threading.Event()

    def interrupt(self) -> None:
        self.pressed.set()
        self.advance(0)

    def wait(self, condition: threading.Condition, seconds: float | None, *, busy: bool) -> None:
        while not self.pressed.is_set():
            super().wait(condition, seconds, busy=busy)
        raise KeyboardInterrupt


def test_a_fan_of_2000_steps_comes_to_its_end() -> None:
    size = 2000
    stage = Stage([[] for _ in range(size)] + [[*range(size)]], lambda attempt: DONE)
    stage.run()
    assert stage.states == [State.DONE] * (size + 1)
