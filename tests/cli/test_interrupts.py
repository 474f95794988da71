"""Ctrl-C: the command ends soon, says what was done, and leaves no process and no changed terminal behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.display.screens import Screen

FLOW = """
import os, pathlib, subprocess, threading
from alula import task, workflow

@task
def begin(folder: str) -> str:
    return folder

@task
def hang(folder: str) -> int:
    helper = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pathlib.Path(folder, "helper").write_text(str(helper.pid))
    mark = pathlib.Path(folder, "pid")
    mark.with_suffix(".part").write_text(str(os.getpid()))
    mark.with_suffix(".part").rename(mark)
    try:
        threading.Event().wait(600)
    finally:
        pathlib.Path(folder, "cleaned").touch()
        print("cleaned up")
    return 1

@task
def after(x: int) -> int:
    return x

@workflow
def hanging(folder: str) -> int:
    return after(hang(begin(folder)))
"""
PATIENCE = 60


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """What a shell starts in the background ignores interrupts, with all that it starts: here too they are heeded."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never appeared"
        time.sleep(0.01)
    return path.read_text()


def command(project: Path, folder: Path, *options: str) -> list[str]:
    (project / "flows" / "hanging.py").write_text(FLOW)
    folder.mkdir()
    return [sys.executable, "-m", "alula", "run", *options, "flows/hanging.py", "--folder", str(folder)]


def has_ended(pid: int) -> bool:
    """Whether a process ends soon."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


WAYS = [(), ("--workers", "1"), ("--workers", "1", "--processes"), ("--threads",)]


@pytest.mark.parametrize("options", WAYS, ids=" ".join)
def test_an_interrupt_ends_a_run(options: tuple[str, ...], project: Path, tmp_path: Path) -> None:
    argv = command(project, tmp_path / "marks", *options)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        pid = int(wait_for(tmp_path / "marks" / "pid"))
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()  # nobody waits for the ten minutes of its task
            raise
    assert process.returncode == 130
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err
    lines = [line.split() for line in err.splitlines()]
    assert "interrupted after" in err
    assert "3 tasks, 1 ran, 1 not started, 1 stopped" in err
    assert [line[1] for line in lines if line[:1] == ["✓"]] == ["begin"]
    (stopped,) = (line for line in lines if line[:2] == ["!", "hang"])
    assert stopped[-1] == "stopped"
    assert stopped[2] != "0ms"
    assert [line[-1] for line in lines if line[1:2] == ["after"]] == ["started"]
    if "--threads" not in options:
        assert (tmp_path / "marks" / "cleaned").exists()
        assert "cleaned up" in err
    helper = int((tmp_path / "marks" / "helper").read_text())
    if "--threads" in options or options[-1:] == ("1",):
        os.kill(helper, signal.SIGKILL)  # no process of the task's own could end it
    assert has_ended(helper)
    assert has_ended(pid)


def test_an_interrupt_gives_the_terminal_back(project: Path, tmp_path: Path) -> None:
    argv = command(project, tmp_path / "marks")
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in {"CI", "NO_COLOR"}}
    with subprocess.Popen(argv, stdout=theirs, stderr=theirs, env={**environment, "TERM": "xterm"}) as process:
        os.close(theirs)
        wait_for(tmp_path / "marks" / "pid")
        process.send_signal(signal.SIGINT)
        written = b""
        try:
            while chunk := os.read(ours, 65536):
                written += chunk
        except OSError:  # how a pty says that nothing is written any more
            pass
        assert process.wait(PATIENCE) == 130
    os.close(ours)
    screen = Screen().feed(written.decode().replace("\r\n", "\n"))
    assert "hang" in written.decode()
    assert screen.text().splitlines()[-1] == "interrupted"
    assert "3 tasks, 1 ran, 1 not started, 1 stopped" in screen.text()
    assert screen.cursor_shown
