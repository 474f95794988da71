"""Whole runs: values, failures, retries, the Python API."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path

import pytest

import alula
from alula import Backoff, Failure, NonRecoverable, Retries, RunFailed, conditional, task, workflow
from alula.local import run
from alula.local.options import Options
from tests.local import flows
from tests.local.virtual import VirtualClock

PATIENCE = 30.0
WAYS = [{}, {"workers": 1}, {"workers": 4, "threads": True}, {"workers": 4, "threads": True, "strict": True}]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_run_computes_what_the_functions_compute(way: dict) -> None:
    assert alula.run(flows.chain, x=5, **way).value == 8
    assert alula.run(flows.parts, x=2, **way).value == (2000, 0.5, 9)
    assert alula.run(flows.outer, x=1, **way).value == 15
    assert alula.run(flows.widened, x=2, **way).value == 1.5
    assert alula.run(flows.ordered, x=2, **way).value == 3


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_no_task_sees_what_another_did_to_its_input(way: dict) -> None:
    assert alula.run(flows.shared, x=1, **way).value == (3, 3, [1, 2])
    assert alula.run(flows.frames, rows=3, **way).value == (102, 102, 4)


def test_a_plain_call_is_a_serial_run_in_the_callers_thread() -> None:
    threads = []

    @task
    def where(x: int) -> int:
        threads.append(threading.current_thread())
        return x

    @workflow
    def both(x: int) -> tuple[int, int]:
        return where(x), where(x)

    assert both(1) == (1, 1)
    assert both(x=2) == (2, 2)
    assert set(threads) == {threading.current_thread()}


def test_a_plain_call_tries_one_task_to_its_end_before_the_next() -> None:
    began = []

    @task(retries=2)
    def flaky(x: int) -> int:
        began.append("flaky")
        raise ValueError(x)

    @task
    def steady(x: int) -> int:
        began.append("steady")
        return x

    @workflow
    def both(x: int) -> tuple[int, int]:
        return flaky(x), steady(x)

    with pytest.raises(ValueError, match="1"):
        both(1)
    assert began == ["flaky"] * 3


def test_a_plain_call_leaves_nothing_in_the_store(store: Path) -> None:
    assert flows.chain() == 4
    assert not store.exists()


def test_defaults_are_taken_and_outputs_are_named() -> None:
    result = alula.run(flows.chain)
    assert result.ok
    assert dict(result.outputs) == {"o0": 4}
    assert [(node.id, node.state, node.attempts) for node in result.nodes] == [
        ("inc", "done", 1), ("inc-2", "done", 1), ("inc-3", "done", 1),
    ]  # fmt: skip
    assert result.node("inc").task == "inc"


def test_an_unknown_node_is_told_with_the_nearest_one() -> None:
    with pytest.raises(KeyError, match="did you mean 'inc-2'"):
        alula.run(flows.chain).node("inc_2")


def test_a_task_runs_alone() -> None:
    assert alula.run(flows.add, a=1).value == 101


def test_a_file_goes_through_the_store_and_its_path_is_told(store: Path) -> None:
    result = alula.run(flows.files, text="hello")
    file, text = result.value
    assert text == "hello"
    assert file.read_text() == "hello"
    place = result.locate(result.wire["o0"])
    assert isinstance(place, Path)
    assert place.is_relative_to(store)
    assert place.read_text() == "hello"
    assert place.name == "note.txt"


def test_a_frame_is_stored_only_where_its_digest_is_needed(store: Path) -> None:
    alula.run(flows.frames, rows=3, threads=True)
    assert not [*store.rglob("*.parquet")]
    alula.run(flows.frames_to_cached, rows=3, threads=True)
    assert len([*store.rglob("*.parquet")]) == 1
    frame = alula.run(flows.framed, rows=4, threads=True).value
    assert list(frame["a"]) == [0, 1, 2, 3]
    assert len([*store.rglob("*.parquet")]) == 2


def test_a_run_leaves_a_record(store: Path) -> None:
    result = alula.run(flows.chain)
    assert result.dir is not None
    record = json.loads((result.dir / "run.json").read_text())
    assert record["ok"] is True
    assert record["outputs"] == {"o0": 4}
    assert [node["id"] for node in record["nodes"]] == ["inc", "inc-2", "inc-3"]


# Inputs


def test_names_of_inputs_are_inputs_and_the_others_are_options() -> None:
    assert alula.run(flows.sub, x=1, workers=3).value == 12
    assert alula.run(flows.sub, {"x": 1}, Options(workers=1), y=5).value == 7


def test_an_input_may_be_called_like_an_option() -> None:
    @task
    def same(workers: int, cache: str) -> str:
        return f"{cache}{workers}"

    @workflow
    def clashing(workers: int, cache: str) -> str:
        return same(workers, cache)

    assert alula.run(clashing, None, Options(workers=2), workers=7, cache="x").value == "x7"


def test_everything_wrong_with_the_inputs_is_told_at_once() -> None:
    with pytest.raises(alula.ValueMismatch) as caught:
        alula.run(flows.sub, {"y": "ten", "x": None})
    assert len(caught.value.diagnostics) == 2
    with pytest.raises(alula.ValueMismatch) as caught:
        alula.run(flows.sub, {"z": 1})
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["UNKNOWN_INPUT", "MISSING_INPUT"]


def test_an_option_that_does_not_exist_is_told_with_the_nearest_one() -> None:
    with pytest.raises(alula.ValueMismatch, match="did you mean 'workers'"):
        alula.run(flows.chain, worker=3)


def test_a_launch_plan_runs_with_its_inputs() -> None:
    plan = alula.LaunchPlan("with-plan", flows.sub, inputs={"x": 5}, fixed_inputs={"y": 100})
    assert alula.run(plan).value == 106
    assert alula.run(plan, x=1).value == 102
    with pytest.raises(alula.ValueMismatch, match="the launch plan fixes the input 'y'"):
        alula.run(plan, y=1)


def test_what_cannot_be_run_is_refused_in_words() -> None:
    with pytest.raises(alula.ValueMismatch, match="takes a workflow, a launch plan or a task"):
        alula.run(len)


# Failures


@task
def fail(x: int) -> int:
    raise ValueError(f"{x} is too much")


@workflow
def failing(x: int = 7) -> int:
    return flows.inc(fail(flows.inc(x)))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_failure_says_where_what_and_with_which_inputs(way: dict) -> None:
    with pytest.raises(RunFailed, match="fail: ValueError: 8 is too much") as caught:
        alula.run(failing, **way)
    result = caught.value.result
    assert [node.state for node in result.nodes] == ["done", "failed", "skipped"]
    record = result.failures[0].failure
    assert record is not None
    assert (record.code, record.exception, record.message) == ("TASK_FAILED", "ValueError", "8 is too much")
    assert record.inputs == {"x": "8"}
    assert record.node == "fail"
    assert record.source.startswith("tests/local/test_api.py:")
    assert record.traceback.count("File ") == 1
    assert "in fail" in record.traceback
    if way:
        assert isinstance(caught.value.__cause__, ValueError)
    else:
        assert record.traceback.rstrip() in str(caught.value.__cause__)
    with pytest.raises(RunFailed):
        _ = result.outputs


def test_a_failure_is_recorded_where_pods_record_theirs(store: Path) -> None:
    with pytest.raises(RunFailed) as caught:
        alula.run(failing)
    folder = caught.value.result.dir
    assert folder is not None
    assert json.loads((folder / "fail" / "1" / "failure.json").read_text())["message"] == "8 is too much"


def test_a_plain_call_raises_the_users_own_exception_with_a_note() -> None:
    with pytest.raises(ValueError, match="8 is too much") as caught:
        failing()
    assert caught.value.__notes__[0].startswith("in node fail of workflow test-api-failing, called at ")


def test_all_failures_are_listed() -> None:
    meeting = threading.Barrier(2)

    @task
    def break_down(x: int) -> int:
        meeting.wait(PATIENCE)
        raise ValueError(str(x))

    @workflow
    def two(x: int) -> tuple[int, int]:
        return break_down(x), break_down(x)

    with pytest.raises(RunFailed) as caught:
        alula.run(two, x=1, workers=2, threads=True)
    assert {node.id for node in caught.value.result.failures} == {"break-down", "break-down-2"}


@task
def counted(x: int) -> dict[str, int]:
    return {"a": x}


@workflow
def lacking(x: int = 1) -> int:
    return counted(x)["b"]


@workflow
def inside(x: int = 1) -> int:
    return flows.inc(lacking(x))


@workflow
def reading(x: int = 1) -> int:
    return flows.inc(counted(x)["b"])


@task
def perhaps(x: int) -> int | None:
    return x or None


@workflow
def undecided(x: int = 0) -> int:
    return conditional("way").if_(perhaps(x) > 3).then(1).else_().then(2)  # type: ignore[operator]


LACKS = {
    undecided: (
        "way",
        "no branch can be chosen: `perhaps` is None where `perhaps > 3` compares it: ask first whether it is None",
        ["perhaps done", "way failed"],
    ),
    reading: ("inc", "the input x cannot be read: $.b does not exist", ["counted done", "inc failed"]),
    lacking: (
        "test-api-lacking",
        "o0 cannot be made: $.b does not exist",
        ["counted done", "test-api-lacking failed"],
    ),
    inside: (
        "test-api-lacking",
        "o0 cannot be made: $.b does not exist",
        ["test-api-lacking failed", "test-api-lacking.counted done", "inc skipped"],
    ),
}


@pytest.mark.parametrize("target", LACKS, ids=lambda target: target.name)
def test_a_value_that_cannot_be_made_or_compared_fails_what_needs_it(target: alula.Workflow) -> None:
    id, message, states = LACKS[target]
    with pytest.raises(RunFailed) as caught:
        alula.run(target)
    (node,) = caught.value.result.failures
    assert node.failure is not None
    assert (node.id, node.failure.code, node.failure.message) == (id, "BAD_VALUE", message)
    assert node.source.startswith("tests/local/test_api.py:")
    assert [f"{node.id} {node.state}" for node in caught.value.result.nodes] == states


def test_what_a_task_exits_with_is_its_failure_not_ours() -> None:
    @task
    def leave() -> int:
        raise SystemExit(3)

    @workflow
    def leaving() -> int:
        return leave()

    with pytest.raises(RunFailed, match=r"the task called sys.exit\(3\) instead of returning"):
        alula.run(leaving)


def test_a_result_of_the_wrong_type_fails_the_task_and_is_not_tried_again() -> None:
    @task(retries=3)
    def wrong() -> int:
        return "text"  # type: ignore[return-value]

    @workflow
    def mistyped() -> int:
        return wrong()

    with pytest.raises(RunFailed) as caught:
        alula.run(mistyped)
    node = caught.value.result.failures[0]
    assert node.attempts == 1
    assert node.failure is not None
    assert node.failure.code == "OUTPUT_TYPE"


def test_a_wrong_call_inside_a_task_shows_where_it_stands() -> None:
    @task
    def caller() -> int:
        return flows.inc("text")  # type: ignore[arg-type]

    @workflow
    def calling() -> int:
        return caller()

    with pytest.raises(RunFailed) as caught:
        alula.run(calling)
    record = caught.value.result.failures[0].failure
    assert record is not None
    assert record.code == "BAD_VALUE"
    assert record.source.startswith("tests/local/test_api.py:")
    assert "in caller" in record.traceback


def test_the_values_of_secrets_are_blotted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter2hunter2")

    @task(secrets=[alula.Secret("DB_PASSWORD", secret="db", key="password")])
    def connect(url: str) -> int:
        raise ConnectionError(f"cannot connect to {url}")

    @workflow
    def connecting(url: str) -> int:
        return connect(url)

    with pytest.raises(RunFailed) as caught:
        alula.run(connecting, url="postgres://me:hunter2hunter2@db")
    record = caught.value.result.failures[0].failure
    assert record is not None
    assert "hunter2" not in json.dumps(record.to_json())
    assert record.message == "cannot connect to postgres://me:***@db"


# Retries


def test_handlers_are_told_of_a_deadline_as_that_of_the_run_and_of_no_task() -> None:
    clock, late, told = VirtualClock(), threading.Event(), []

    @task
    def slow() -> int:
        clock.advance(61)
        assert late.wait(PATIENCE)
        return 1

    @task
    def note(failure: Failure) -> None:
        told.append((failure.node, failure.message))

    @workflow(deadline="1m", on_failure=note)
    def waiting() -> int:
        return slow()

    with pytest.raises(RunFailed, match="the run took longer than its deadline of 1m"):
        alula.run(waiting, workers=2, clock=clock, threads=True)
    late.set()
    assert told == [("", "the run took longer than its deadline of 1m")]


@pytest.mark.parametrize("workers", [1, 4])
def test_every_exception_is_tried_again_after_its_rest(workers: int) -> None:
    clock, attempts = VirtualClock(), []

    @task(retries=Retries(3, Backoff("10s", factor=3, cap="60s")))
    def flaky(x: int) -> int:
        attempts.append(x)
        if len(attempts) < 4:
            raise OSError("not yet")
        return x

    @workflow
    def patient(x: int) -> int:
        return flaky(x)

    result = alula.run(patient, x=3, workers=workers, clock=clock, threads=True)
    assert result.value == 3
    assert attempts == [3, 3, 3, 3]
    assert clock.slept == [10, 30, 60]
    node = result.node("flaky")
    assert (node.attempts, node.most_attempts, node.seconds) == (4, 4, 100)


def test_an_attempt_gets_its_input_anew() -> None:
    seen = []

    @task(retries=1)
    def greedy(items: list[int]) -> int:
        seen.append(list(items))
        items.clear()
        if len(seen) == 1:
            raise OSError("again")
        return len(items)

    @workflow
    def twice(x: int) -> int:
        return greedy(flows.listed(x))

    assert alula.run(twice, x=1, threads=True).value == 0
    assert seen == [[1, 2], [1, 2]]


def test_non_recoverable_ends_it_at_once() -> None:
    @task(retries=5)
    def hopeless() -> int:
        raise NonRecoverable("no such table")

    @workflow
    def without_hope() -> int:
        return hopeless()

    with pytest.raises(RunFailed) as caught:
        alula.run(without_hope)
    assert caught.value.result.failures[0].attempts == 1


def test_a_task_past_its_timeout_fails_at_once_and_its_late_result_is_discarded() -> None:
    clock, late, finished = VirtualClock(), threading.Event(), threading.Event()

    @task(timeout="1m")
    def slow() -> int:
        clock.advance(61)
        assert late.wait(PATIENCE)
        finished.set()
        return 1

    @workflow
    def waiting() -> int:
        return slow()

    with pytest.raises(RunFailed, match="it took longer than its timeout of 1m") as caught:
        alula.run(waiting, workers=2, clock=clock, threads=True)
    late.set()
    assert finished.wait(PATIENCE)
    result = caught.value.result
    assert result.failures[0].failure is not None
    assert result.failures[0].failure.code == "TASK_TIMEOUT"
    assert [warning for warning in result.warnings if "without --threads" in warning]


def test_a_plain_call_past_a_timeout_raises_run_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_timeout", lambda task: None if task is None else 0.01)

    @task(timeout="1s")
    def slow() -> int:
        threading.Event().wait(PATIENCE)
        return 1

    @workflow
    def waiting() -> int:
        return slow()

    with pytest.raises(RunFailed, match="timeout of 10ms"):
        waiting()


# Surroundings


@pytest.mark.parametrize("workers", [1, 4])
def test_a_run_works_inside_a_running_event_loop(workers: int) -> None:
    async def cell() -> int:
        return alula.run(flows.chain, x=1, workers=workers).value + flows.chain(x=1)

    assert asyncio.run(cell()) == 8


def test_context_variables_of_the_caller_are_seen_by_tasks() -> None:
    import contextvars

    level = contextvars.ContextVar("level", default=0)

    @task
    def look() -> int:
        return level.get()

    @workflow
    def looking() -> tuple[int, int]:
        return look(), look()

    level.set(5)
    assert alula.run(looking, workers=2).value == (5, 5)


def test_the_environment_of_a_task_is_set_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.delenv("MODE", raising=False)

    @task(environment={"MODE": "fast"})
    def mode() -> str:
        return os.environ["MODE"]

    @workflow
    def moded() -> str:
        return mode()

    assert alula.run(moded).value == "fast"
    assert "MODE" not in os.environ


def test_one_after_the_other_each_task_has_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("MODE", "outer")
    monkeypatch.delenv("LEVEL", raising=False)

    @task(environment={"MODE": "fast"})
    def seen(n: int) -> str:
        return f"{os.environ['MODE']} {os.environ.get('LEVEL')}"

    @workflow
    def modes() -> tuple[str, str, str, str]:
        high = seen.with_overrides(environment={"MODE": "slow", "LEVEL": "3"})
        return seen(1), high(2), seen.with_overrides(environment={})(3), seen(4)

    expected = ("fast None", "slow 3", "outer None", "fast None")
    result = alula.run(modes, workers=1)
    assert result.value == modes() == expected
    assert result.warnings == ()
    assert os.environ["MODE"] == "outer"
    assert "LEVEL" not in os.environ


def test_a_secret_that_is_not_set_and_variables_at_odds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)

    @task(environment={"MODE": "a"}, secrets=[alula.Secret("TOKEN", secret="api", key="token")])
    def one() -> int:
        return 1

    @task(environment={"MODE": "b"})
    def two() -> int:
        return 2

    @workflow
    def both() -> tuple[int, int]:
        return one(), two()

    assert any("TOKEN" in warning and "api" in warning for warning in alula.run(both).warnings)
    warnings = alula.run(both, threads=True).warnings
    assert any("MODE" in warning and "leave out --threads" in warning for warning in warnings)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="workers must be 0"):
        Options(workers=-1)
    with pytest.raises(ValueError, match="processes and threads exclude each other"):
        Options(processes=True, threads=True)
    with pytest.raises(ValueError, match="cache must be"):
        Options(cache="no")  # type: ignore[arg-type]


def test_a_chain_of_10000_tasks_and_a_fan_of_2000_run() -> None:
    @workflow
    def long(x: int) -> int:
        for _ in range(10_000):
            x = flows.inc(x)
        return x

    @workflow
    def wide(x: int) -> int:
        return flows.total([flows.inc(x) for _ in range(2000)])

    assert alula.run(long, x=0, threads=True).value == 10_000
    assert alula.run(wide, x=0, threads=True).value == 2000


def test_a_result_is_shown_in_a_few_words() -> None:
    assert repr(result := alula.run(flows.chain)) == f"<run {result.run} succeeded: 3 tasks>"


def test_what_does_not_fit_is_said_of_the_callers_line() -> None:
    with pytest.raises(alula.ValueMismatch) as caught:
        alula.run(flows.chain, x="one")
    assert caught.value.diagnostics[0].source.startswith("tests/local/test_api.py:")
    with pytest.raises(alula.ValueMismatch) as caught:
        alula.run(flows.parts)
    assert caught.value.diagnostics[0].source.startswith("tests/local/test_api.py:")


def test_exceptions_are_called_by_their_public_names() -> None:
    for name in ("AlulaError", "DefinitionError", "LoadError", "NonRecoverable", "RunFailed", "ValueMismatch"):
        error = getattr(alula, name)
        assert (error.__module__, getattr(sys.modules[error.__module__], error.__name__)) == ("alula", error)
