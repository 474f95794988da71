"""Two traces of the same files: in processes of other hash seeds, times and days."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path
from typing import Any

import pytest

from alula.emit import repeat
from tests.emit.conftest import Alula

HEAD = """
import datetime
import random
import time

from alula import task, workflow

@task
def read(name: str) -> int:
    return 1

@task
def total(xs: list[int]) -> int:
    return sum(xs)

"""
UNSTABLE = {
    "the order of a set": '    return total([read(r) for r in {"us", "eu", "asia", "africa", "oceania"}])',
    "the time": "    return read(str(int(time.time()) // 3600))",
    "the day": "    return read(str(datetime.date.today()))",
    "chance": "    return read(str(random.random()))",
    "the hash of a text": '    return total([read("a") for _ in range(abs(hash("a")) % 97)])',
}


def registered(root: Path, alula: Alula, body: str) -> Any:
    (root / "flows").mkdir()
    (root / "flows" / "loads.py").write_text(f"{HEAD}@workflow\ndef load() -> int:\n{body}\n")
    return alula("register", "flows/loads.py")


@pytest.mark.parametrize("body", UNSTABLE.values(), ids=UNSTABLE)
def test_what_differs_between_two_traces_is_refused_with_its_place(greet: Path, alula: Alula, body: str) -> None:
    done = registered(greet, alula, body)
    assert done.code == 1
    assert "error NOT_REPEATABLE: two traces differ: " in done.err
    assert "in workflow loads-load" in done.err
    assert not (greet / "gitops").exists()
    if "range" not in body:
        assert done.err.startswith("flows/loads.py:18: error")
        assert re.search(r"in workflow loads-load, node read(-\d)?, input name", done.err)


def test_what_is_the_same_each_time_is_written(greet: Path, alula: Alula) -> None:
    done = registered(greet, alula, '    return total([read(r) for r in sorted({"us", "eu", "asia"})])')
    assert (done.code, done.out) == (0, "")


def test_a_user_s_print_and_exit_code_of_another_trace_are_not_seen(greet: Path, alula: Alula) -> None:
    done = registered(greet, alula, '    print("traced")\n    return read("a")')
    assert (done.code, done.out.count("traced")) == (0, 1)


def test_a_trace_that_fails_only_elsewhere_is_told(greet: Path, alula: Alula) -> None:
    fails = '    assert time.time() < 1_900_000_000, "later"\n    return read("a")'
    limit = int(time.time()) + repeat.SHIFT_SECONDS // 2
    done = registered(greet, alula, fails.replace("1_900_000_000", str(limit)))
    assert done.code == 1
    assert "NOT_REPEATABLE: a second trace of the same files fails, and the first one does not" in done.err


ONE: dict[str, Any] = {
    "kind": "Workflow",
    "metadata": {"name": "w", "annotations": {"alula.dev/source": "flows/w.py"}},
    "spec": {
        "version": "1",
        "inputs": [{"name": "x", "type": "int", "default": "1"}],
        "tasks": [{"name": "a", "cache": {"version": "1"}}],
        "graphs": [
            {"name": "main", "nodes": [{"id": "a", "task": "a", "inputs": {"x": {"value": "1"}}}]},
            {"name": "sub", "nodes": [{"id": "a", "task": "a"}, {"id": "b", "task": "a"}]},
        ],
    },
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    found = copy.deepcopy(ONE)
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return found


GRAPHS = ("spec", "graphs")
DIFFERENT = {
    "an input of a node": (
        changed(*GRAPHS, 0, "nodes", 0, "inputs", "x", to={"value": "2"}),
        ("workflow w, node a, input x", "two traces differ: it is given 1 in one and 2 in the other"),
    ),
    "a node": (
        changed(*GRAPHS, 1, "nodes", 1, "id", to="c"),
        ("workflow w, graph sub, node b", "two traces differ: node 2 is b in one and c in the other"),
    ),
    "the number of nodes": (
        changed(*GRAPHS, 1, "nodes", to=ONE["spec"]["graphs"][1]["nodes"][:1]),
        ("workflow w, graph sub", "two traces differ: one calls 2 tasks, the other 1"),
    ),
    "a graph": (
        changed(*GRAPHS, to=[*ONE["spec"]["graphs"], {"name": "other", "nodes": []}]),
        ("workflow w", "two traces differ in the workflows that it calls"),
    ),
    "a default": (
        changed("spec", "inputs", 0, "default", to="2"),
        (
            "workflow w",
            'two traces differ in its inputs: [{"name": "x", "type": "int", "default": "1"}] in one and '
            '[{"name": "x", "type": "int", "default": "2"}] in the other',
        ),
    ),
    "the name": (changed("metadata", "name", to="v"), ("workflow w", "only one of two traces makes it")),
}


@pytest.mark.parametrize(("other", "told"), DIFFERENT.values(), ids=DIFFERENT)
def test_the_first_difference_of_a_resource_is_told(other: dict[str, Any], told: tuple[str, str]) -> None:
    (found,) = repeat.differences([ONE], [other])
    assert (found.subject, found.message) == told
    assert found.source == "flows/w.py"


def test_equal_traces_do_not_differ_whatever_their_versions() -> None:
    assert list(repeat.differences([ONE], [changed("spec", "version", to="2")])) == []
