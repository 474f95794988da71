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
from tests.local import flows, processing


def failure(target, **given):
    with pytest.raises(RunFailed) as caught:
        alula.run(target, processes=True, **given)
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


def test_what_a_task_prints_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    alula.run(processing.shouting, text="hello", processes=True)
    # The streams are copied by threads of their own, which may lag behind the answer.
    out = err = ""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not (out and err):
        now = capsys.readouterr()
        out, err = out + now.out, err + now.err
    assert (out, err) == ("out hello\n", "err hello\n")


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


def test_a_task_that_another_process_cannot_find_is_refused_before_anything_runs() -> None:
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
