"""`alula cache explain`: what counts for a version, file by file, and why a file counts whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Alula
from tests.code.projects import Project

FLOW = """
from alula import Cache, task, workflow
from flows import models, tools

RATE = 2

@task(cache=True)
def fit(n: int) -> int:
    return tools.clean(n) * RATE

@task(cache=True)
def choose(n: int) -> int:
    return models.MODELS["linear"](n)

@task(cache=Cache(version="7"))
def fixed(n: int) -> int:
    return n

@task
def plain(n: int) -> int:
    return n

@workflow
def w(n: int = 1) -> int:
    return plain(fixed(choose(fit(n))))
"""


@pytest.fixture
def flow(run: Alula) -> Project:
    project = Project(Path.cwd())  # that of `run`
    project.write("flows/a.py", FLOW)
    project.write("flows/tools.py", "def clean(n):\n    return n\n")
    project.write("flows/models.py", "MODELS = {}\nMODELS['linear'] = lambda n: n\n")
    return project


def test_a_workflow_is_explained_task_by_task(flow: Project, run: Alula) -> None:
    done = run("cache", "explain", "flows/a.py:w")
    assert done.code == 0, done.err
    shown = [line.partition("the version is")[0] if "version is" in line else line for line in done.out.splitlines()]
    assert shown == [
        "task fit: ",
        "  flows/a.py      RATE, fit",
        "  flows/tools.py  clean", "",
        "task choose: ",
        "  flows/a.py       choose",
        "  flows/models.py  the whole file: line 2 may put state into MODELS", "",
        "task fixed: ", "",
        "task plain: not cached",
    ]  # fmt: skip
    flow.forget()


def test_a_task_is_explained_by_its_name(flow: Project, run: Alula) -> None:
    done = run("cache", "explain", "flows/a.py:fixed")
    assert done.out == "task fixed: the version is '7', and its code does not count\n"
    flow.forget()


def test_what_is_not_there_is_an_error(flow: Project, run: Alula) -> None:
    assert run("cache", "explain", "flows/a.py:fitt").code == 2
    assert run("cache", "explain").err == (
        "error BAD_OPTION: cache explain what?\n  hint: alula cache explain flows/penguins.py:fit\n"
    )
    flow.forget()
