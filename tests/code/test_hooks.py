"""What a plain `python flows/x.py` shows: mistakes as messages, failures with the user's own frames."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from alula import errors
from alula.code import hooks
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from tests.code.projects import Project

FLOW = """
import sys
from alula import task, workflow

@task
def fit(x: float) -> float:
    return 1 / x

@workflow
def wrong(n: int) -> float:
    if n:
        pass
    return fit(n)

@workflow
def right(x: float) -> float:
    return fit(x)

def other():
    raise KeyError("x")

if __name__ == "__main__":
    exec(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (
            "wrong(1)",
            "flows/up.py:11: error PROMISE_AS_VALUE: the input n decides an `if`, `while`, `and`, `or` or `not`, but a "
            "workflow is traced before its tasks run: it has no value yet\n  in workflow up-wrong\n"
            '  hint: write conditional("name").if_(...).then(...).else_().then(...), '
            "or repeat(step, until=..., max=...) for a loop; or decide in a task\n",
        ),
        ("fit('x')", "<string>:1: error BAD_VALUE: expected float, got the str 'x'\n  in task fit, input x\n"),
    ],
)
def test_a_mistake_is_a_message_without_a_traceback(project: Project, call: str, shown: str) -> None:
    project.write("flows/up.py", FLOW)
    assert run(project, call) == shown


def test_a_failure_shows_the_users_frames(project: Project) -> None:
    project.write("flows/up.py", FLOW)
    text = run(project, "right(0.0)")
    assert text.startswith("Traceback (most recent call last):\n")
    assert 'up.py", line 7, in fit' in text
    assert "ZeroDivisionError" in text
    assert "/alula/" not in text


def test_what_does_not_pass_through_alula_is_shown_as_always(project: Project) -> None:
    project.write("flows/up.py", FLOW)
    assert 'in other\n    raise KeyError("x")' in run(project, "other()")


def test_a_hook_of_another_library_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", print)
    hooks.install()
    assert sys.excepthook is print


def test_a_notebook_shows_the_message_alone() -> None:
    error = errors.DefinitionError([Diagnostic(Code.CYCLE, "round and round")])
    assert error._render_traceback_() == ["error CYCLE: round and round"]


def run(project: Project, call: str) -> str:
    done = subprocess.run(
        [sys.executable, "flows/up.py", call], cwd=project.root, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr
