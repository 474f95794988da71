"""By which name of its module a definition is found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from alula.code import importing
from alula.interfaces import callee

SOURCE = """
import functools
from alula import Cache, task

def times(n):
    def decorate(function):
        @functools.wraps(function)
        def inner(x):
            return function(x) * n
        return inner
    return decorate

def raw(x: int) -> int:
    return x

def make(k):
    @task(cache=Cache(version="1"))
    def step(x: int) -> int:
        return x * k
    return step

@task
def plain(x: int) -> int:
    return x

alias = plain
early = plain.entrypoint
other = task(raw)
one = task(cache=True)(times(2)(raw))
two = task(cache=True)(times(3)(raw))
three, four = make(3), make(4)
listed = [make(5)]
class Steps:
    @task
    def inside(x: int) -> int:
        return x
unbound = task(raw).entrypoint
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "held.py").write_text(SOURCE)
    yield importing.load(str(tmp_path / "held.py"))
    del sys.modules["held"]


def test_a_task_is_found_by_its_own_name_else_by_the_first_that_holds_it(module: ModuleType) -> None:
    names = ["plain", "alias", "other", "one", "two", "three", "four"]
    found = {name: getattr(module, name).entrypoint for name in names}
    assert found == {**{name: f"held:{name}" for name in names}, "alias": "held:plain"}
    assert module.Steps.inside.entrypoint == "held:Steps.inside"
    for name in names:
        assert callee.find(found[name]) is getattr(module, name)


def test_no_two_tasks_of_a_module_have_one_key(module: ModuleType) -> None:
    tasks = [module.plain, module.other, module.one, module.two, module.three, module.four, module.Steps.inside]
    assert len({each.key for each in tasks}) == len(tasks)
    assert [each.twin for each in tasks] == [None] * len(tasks)


def test_a_task_with_other_options_is_found_as_the_task_that_it_is_of(module: ModuleType) -> None:
    made = module.two.with_overrides(retries=1)
    assert (made.entrypoint, made.key, made.obstacle, made.twin) == ("held:two", "held:two", "", None)
    module.fast = made  # type: ignore[attr-defined]
    assert made.key == "held:two"


def test_what_no_name_holds_keeps_its_own_and_its_obstacle(module: ModuleType) -> None:
    (task,) = module.listed
    assert task.entrypoint == "held:make.<locals>.step"
    assert "defined inside make()" in task.obstacle
    assert task.twin is not None


def test_a_name_that_is_bound_later_counts_from_then_on(module: ModuleType) -> None:
    (task,) = module.listed
    module.late = task  # type: ignore[attr-defined]
    assert task.entrypoint == "held:late"
    module.late = None  # type: ignore[attr-defined]
    assert task.entrypoint == "held:make.<locals>.step"
    assert (module.early, module.unbound) == ("held:plain", "held:raw")


def test_an_old_release_finds_a_task_by_the_name_of_the_function_that_it_was_made_of(module: ModuleType) -> None:
    assert callee.find("held:raw") is module.other


def test_what_a_finished_module_makes_is_not_found_though_it_is_put_there_later(module: ModuleType) -> None:
    task = module.make(6)
    module.given = task  # type: ignore[attr-defined]
    assert (task.entrypoint, task.obstacle != "") == ("held:make.<locals>.step", True)
