"""Attempts in processes of their own: values, failures, and the end of a process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import alula
import alula.testing
from alula import RunFailed, task, workflow
from alula.attempt import forks
from alula.local.work import sources
from tests.local import flows, processing


def failure(target, **given):
    with pytest.raises(RunFailed) as caught:
        alula.run(target, **given)
    record = caught.value.result.failures[0].failure
    assert record is not None
    return record


def test_values_files_and_frames_pass_between_processes() -> None:
    assert alula.run(flows.frames, rows=3, processes=True).value == (102, 102, 4)
    assert alula.run(flows.files, text="hello", processes=True).value[1] == "hello"


def test_a_task_runs_in_another_process_with_its_environment() -> None:
    pid, found = alula.run(processing.apart, processes=True).value
    assert pid != os.getpid()
    assert found == "fast"
    assert "MODE" not in os.environ


def test_a_task_starts_in_a_folder_of_its_own_that_is_gone_afterwards() -> None:
    here = os.getcwd()
    folder, temporary = str(alula.run(processing.leaving_files, processes=True).value).split()
    assert temporary.startswith(f"{folder}/tmp/")
    assert not Path(folder).exists()
    assert os.getcwd() == here
    assert not Path("left-behind").exists()


def test_what_a_task_prints_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    result = alula.run(processing.shouting, text="hello")
    assert capsys.readouterr() == ("", "shout | out hello\nshout | err hello\n")
    assert Path(result.node("shout").prints).read_text() == "out hello\nerr hello\n"


def test_an_exception_is_told_as_in_this_process() -> None:
    record = failure(processing.failing, x=8)
    assert (record.code, record.exception, record.message) == ("TASK_FAILED", "ValueError", "8 is too much")
    assert record.inputs == {"x": "8"}
    assert record.node == "fail"
    assert record.traceback.count("File ") == 1
    assert record.source.startswith("tests/local/processing.py:")


def test_a_process_that_is_killed_fails_its_attempt_and_is_replaced(tmp_path: Path) -> None:
    result = alula.run(processing.dying, folder=str(tmp_path), processes=True)
    assert result.value == 1
    assert result.node("die").attempts == 2


def test_how_a_process_ended_is_told(tmp_path: Path) -> None:
    record = failure(processing.leaving)
    assert (record.code, record.kind) == ("TASK_KILLED", "system")
    assert record.message == "its process ended by itself with exit code 7"


def test_a_process_past_the_timeout_is_really_ended(tmp_path: Path) -> None:
    record = failure(processing.hanging, folder=str(tmp_path))
    assert record.code == "TASK_TIMEOUT"
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _runs(pid):
        os.sched_yield()
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_tasks_that_another_process_could_not_find_run_in_a_fork_of_this_one() -> None:
    there = os.getpid()

    @task
    def inner(x: int) -> int:
        return x if os.getpid() != there else 0

    @workflow
    def local(x: int) -> int:
        return inner(x)

    assert alula.run(local, x=1).value == 1


def test_a_task_that_another_process_cannot_find_runs_in_a_thread_where_forking_is_not_safe(unforkable: None) -> None:
    here = os.getpid()

    @task
    def inner() -> bool:
        return os.getpid() == here

    @workflow
    def local() -> bool:
        return inner()

    result = alula.run(local)
    assert result.value is True
    [warning] = result.warnings
    assert "cannot be forked (a library has started threads)" in warning
    assert "cannot find task inner: it is defined inside" in warning


@pytest.fixture
def unforkable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "obstacle", lambda: "a library has started threads")


def test_where_this_process_cannot_be_forked_a_fresh_one_is(unforkable: None) -> None:
    result = alula.run(processing.apart)
    assert result.value[0] != os.getpid()
    assert result.warnings == ()
    assert failure(processing.failing, x=8).message == "8 is too much"
    assert failure(processing.leaving).message == "its process ended by itself with exit code 7"


def test_where_no_process_can_be_forked_each_attempt_starts_one_and_this_is_said(
    monkeypatch: pytest.MonkeyPatch, unforkable: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sources, "_Imported", lambda tasks: _Unforkable())
    result = alula.run(processing.shouting, text="hello")
    assert result.warnings == (
        "each attempt starts an interpreter of its own, which takes longer: the thread 'meter' is running",
    )
    assert capsys.readouterr().err == "shout | out hello\nshout | err hello\n"
    assert failure(processing.failing, x=8).message == "8 is too much"
    assert failure(processing.leaving).message == "its process ended by itself with exit code 7"
    (tmp_path / "marks").mkdir()
    assert alula.run(processing.dying, folder=str(tmp_path / "marks")).node("die").attempts == 2


class _Unforkable:
    obstacle = "the thread 'meter' is running"

    def close(self) -> None:
        pass


def test_a_task_that_another_process_cannot_find_is_refused_where_processes_are_asked_for(unforkable: None) -> None:
    @task
    def inner(x: int) -> int:
        return x

    @workflow
    def local(x: int) -> int:
        return inner(x)

    with pytest.raises(alula.DefinitionError, match=r"inner cannot run in a process of its own.*defined inside"):
        alula.run(local, x=1, processes=True)
    with alula.testing.mock(inner, returns=5):
        assert alula.run(local, x=1, processes=True).value == 5


PARENT = """
import os, sys, threading
from pathlib import Path
import alula
from tests.local import processing
folder = sys.argv[1]
def end():
    while not Path(folder, "pid").exists():
        pass
    os._exit(0)
threading.Thread(target=end).start()
alula.run(processing.hanging_long, folder=folder, processes=True)
"""


def test_no_process_outlives_a_parent_that_is_gone(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)], check=True, timeout=60)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _runs(pid):
        os.sched_yield()
    assert not _runs(pid)
