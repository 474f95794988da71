"""On a narrow terminal, a real one, no word of ours is broken and every identifier can be copied."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest

FLOW = """
from alula import task, workflow

@task
def load_measurements_of_all_stations(day: str) -> list[float]:
    return [1.0, 2.0]

@task
def fit_a_model(values: list[float], trees: int) -> float:
    return sum(values) * trees

@workflow
def train_every_day(day: str = "2026-01-01", number_of_trees_in_forest: int = 3) -> float:
    '''Trains the model on everything that there is, every day of the year, in this file and in no other one.'''
    return fit_a_model(load_measurements_of_all_stations(day), number_of_trees_in_forest)
"""


def on_a_terminal(columns: int, folder: Path, *words: str) -> list[str]:
    """The lines that alula writes to a terminal of so many columns, without colours."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = {key: text for key, text in os.environ.items() if key not in ("CI", "NO_COLOR")}
        argv = [sys.executable, "-m", "alula", *words]
        os.execve(argv[0], argv, {**environment, "COLUMNS": str(columns), "TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    received = b""
    while True:
        try:
            received += os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
    os.close(terminal)
    os.waitpid(pid, 0)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", received.decode())
    return [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.alula]\nproject = 'p'\n")
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "wrong.py").write_text(FLOW.replace("@task\ndef fit", "@task(retrys=3)\ndef fit"))
    return tmp_path


COMMANDS = {
    "help": ["--help"],
    "a command's help": ["run", "--help"],
    "a workflow's help": ["run", "flow.py", "--help"],
    "a summary": ["run", "flow.py"],
    "a wrong flag": ["run", "flow.py", "--number_of_trees_in_forst", "3"],
    "a wrong option": ["run", "wrong.py"],
}


@pytest.mark.parametrize("columns", [40, 60])
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_only_a_word_that_is_too_long_itself_is_left_to_the_terminal(
    project: Path, words: list[str], columns: int
) -> None:
    found = on_a_terminal(columns, project, *words)
    assert len("".join(found)) > columns
    assert [line for line in found if len(line) > columns and len(line.split()) > 2] == []


def test_a_summary_has_each_name_whole_and_its_time(project: Path) -> None:
    found = "\n".join(on_a_terminal(40, project, "run", "flow.py"))
    time = r"\n      [0-9.]+m?s\n"
    assert re.search(f"  ✓ load-measurements-of-all-stations{time}  ✓ fit-a-model{time}", found)
