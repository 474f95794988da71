"""Runs in a notebook, by a real kernel: where code is, what is printed, what a failure shows, what runs again."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    None in map(find_spec, ("nbclient", "ipykernel")), reason="no notebook kernel is installed: make setup"
)

DEFINED = """
from alula import task, workflow
import alula

FACTOR = 2

@task(cache=True)
def double(x: int) -> int:
    print("doubling", x)
    return x * FACTOR

@task
def pick(i: int) -> int:
    return [1, 2][i]

@workflow
def total(x: int = 1) -> int:
    return double(x)

@workflow
def failing(i: int = 5) -> int:
    return pick(i)
"""
CELLS = {
    "defined": DEFINED.strip(),
    "place": "double",
    "run": "alula.run(total, x=3, show=True).value",
    "again": "alula.run(total, x=3, show=True).value",
    "edited": "FACTOR = 3\nalula.run(total, x=3).value",
    "failed run": "alula.run(failing)",
    "failed call": "failing(i=7)",
    "wrong": "total(x='a')",
    "several": "@task\ndef say(n: int) -> int:\n    print('said', n)\n    return n\n\n@workflow\n"
    "def many() -> int:\n    for n in range(8):\n        say(n)\n    return say(8)\n\nalula.run(many, workers=2).value",
}


RUN = """
import json, re, sys
import nbclient, nbformat

def text(output):
    if output.output_type == "stream":
        return output.text
    return "\\n".join(output.traceback) + "\\n" if output.output_type == "error" else output.data["text/plain"] + "\\n"

cells = json.load(sys.stdin)
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells.values()])
nbclient.NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
shown = {name: "".join(map(text, cell.outputs)) for name, cell in zip(cells, notebook.cells)}
print(json.dumps({name: re.sub("\\x1b\\[[0-9;]*m", "", each) for name, each in shown.items()}))
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each cell shows, without colours; in a process of its own, because the client leaves its sockets open."""
    folder = tmp_path_factory.mktemp("notebook")
    words = [sys.executable, "-c", RUN]
    done = subprocess.run(words, input=json.dumps(CELLS), capture_output=True, text=True, check=True, cwd=folder)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_what_stands_in_a_cell_is_named_as_the_notebook_names_it(shown: dict[str, str]) -> None:
    assert shown["place"] == "<task interactive:double at In[1]:6>\n"


def test_tasks_run_in_processes_and_progress_is_lines(shown: dict[str, str]) -> None:
    assert "threads" not in shown["run"]
    lines = shown["run"].splitlines()
    assert [line for line in lines if "doubling 3" in line] == ["double │ doubling 3"]
    assert lines[-1] == "6" and "\r" not in shown["run"]


def test_what_tasks_print_side_by_side_stays_in_whole_lines(shown: dict[str, str]) -> None:
    said = [line.split(" | ")[1] for line in shown["several"].splitlines() if " | " in line]
    assert sorted(said) == [f"said {n}" for n in range(9)]


def test_a_cell_that_is_edited_runs_again_and_one_that_is_not_does_not(shown: dict[str, str]) -> None:
    assert "doubling" not in shown["again"] and shown["again"].endswith("\n6\n")
    assert "doubling 3" in shown["edited"] and shown["edited"].endswith("9\n")


@pytest.mark.parametrize("name", ["failed run", "failed call"])
def test_a_failure_shows_the_cells_and_none_of_our_frames(shown: dict[str, str], name: str) -> None:
    assert "Cell In[1], line 13, in pick" in shown[name]
    assert "IndexError: list index out of range" in shown[name]
    assert str(Path("sdk") / "alula") not in shown[name] and "ipykernel" not in shown[name]


def test_a_mistake_shows_its_message_only(shown: dict[str, str]) -> None:
    assert shown["wrong"] == (
        "In[8]:1: error BAD_VALUE: expected int, got the str 'a'\n  in workflow interactive-total, input x\n"
    )
