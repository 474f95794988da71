"""Ctrl-C: the command ends soon, says so, and leaves no process and no changed terminal behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.display.screens import Screen

FLOW = """
import os, pathlib, threading
from alula import task, workflow

@task
def hang(folder: str) -> int:
    mark = pathlib.Path(folder, "pid")
    mark.with_suffix(".part").write_text(str(os.getpid()))
    mark.with_suffix(".part").rename(mark)
    threading.Event().wait(600)
    return 1

@workflow
def hanging(folder: str) -> int:
    return hang(folder)
"""
PATIENCE = 60


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


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("options", [("--workers", "1"), ("--workers", "2"), ("--processes",)], ids=" ".join)
def test_an_interrupt_ends_a_run(options: tuple[str, ...], project: Path, tmp_path: Path) -> None:
    argv = command(project, tmp_path / "marks", *options)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        pid = int(wait_for(tmp_path / "marks" / "pid"))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err
    deadline = time.monotonic() + PATIENCE
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(pid)


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
        except OSError:  # how a pty says that nobody writes any more
            pass
        assert process.wait(PATIENCE) == 130
    os.close(ours)
    screen = Screen().feed(written.decode().replace("\r\n", "\n"))
    assert "hang" in written.decode()
    assert screen.text() == "interrupted"
    assert screen.cursor_shown
