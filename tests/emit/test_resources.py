"""What a definition costs in its resource: each class once, a text a type, and nothing of the source's lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alula.emit import discovery, lines
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from tests import goldens
from tests.emit.conftest import Alula

CONFIG = """
from dataclasses import dataclass

from alula import task, workflow


@dataclass
class Config:
{fields}


{tasks}


@workflow
def train(config: Config = Config()) -> int:
{calls}
    return n9
"""
FIELDS = "\n".join(f"    setting_{n:02}: int | None = {n}" for n in range(25))
TASKS = "\n\n".join(f"@task\ndef step_{n}(config: Config, n: int) -> int:\n    return n" for n in range(10))
CALLS = "\n".join(f"    n{n} = step_{n}(config, {f'n{n - 1}' if n else 0})" for n in range(10))
SOURCE = CONFIG.format(fields=FIELDS, tasks=TASKS, calls=CALLS)


def emitted(alula: Alula, project: Path, source: str) -> str:
    """The file of the one workflow that a module defines."""
    for name in [name for name in sys.modules if name == "wide"]:
        del sys.modules[name]
    (project / "wide.py").write_text(source)
    done = alula("register", "--repo", "gitops", "wide.py")
    assert done.code == 0, done.err
    (written,) = (project / "gitops").rglob("workflow-*.yaml")
    return written.read_text()


def test_a_class_of_25_fields_that_10_tasks_use_costs_its_25_lines_once(alula: Alula, greet: Path) -> None:
    text = emitted(alula, greet, SOURCE)
    lines = text.splitlines()
    assert sum("setting_" in line for line in lines) - 1 == 25  # and the default of the workflow's input
    assert sum("{name: config, type: Config}" in line for line in lines) == 10
    goldens.check(Path(__file__).parent / "golden" / "wide.yaml", text)


CHANGES: dict[str, Callable[[str], str]] = {
    "a comment above a function": lambda source: source.replace("@task\ndef step_3", "# why\n# not\n@task\ndef step_3"),
    "empty lines": lambda source: source.replace("\n\n", "\n\n\n\n"),
    "a comment between calls": lambda source: source.replace("    n5 =", "    # five\n    n5 ="),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_moves_lines_only_changes_no_byte(alula: Alula, greet: Path, change: str) -> None:
    before = emitted(alula, greet, SOURCE)
    assert CHANGES[change](SOURCE) != SOURCE
    assert emitted(alula, greet, CHANGES[change](SOURCE)) == before


LONG = """
from typing import Literal

from alula import task, workflow

Long = Literal[{values}]


@task
def use(choice: Long) -> str:
    return choice


@workflow
def choose(choice: Long) -> str:
    return use(choice)
"""


def test_a_type_that_is_too_long_for_a_line_is_refused_with_its_places_and_a_way_out(alula: Alula, greet: Path) -> None:
    (greet / "long.py").write_text(LONG.format(values=", ".join(f'"value {n}"' for n in range(100))))
    told = alula("compile", "long.py").err
    assert (
        "long.py:14: error UNSUPPORTED_TYPE: the type has 1,197 characters as text, and may have at most 1,024" in told
    )
    assert "in workflow long-choose, input choice" in told
    assert "in workflow long-choose, task use, input choice" in told
    assert "as a dataclass, NamedTuple or Enum" in told


HERE = """
from alula import LaunchPlan, task, workflow


@task
def use(n: int) -> int:
    return n


@workflow
def sub(n: int) -> int:
    return use(n)


@workflow
def whole(n: int) -> int:
    return sub(n)


nightly = LaunchPlan("nightly", whole, inputs={"n": 1})
"""


@pytest.mark.parametrize(
    ("subject", "place"),
    [
        ("workflow here-whole", "here.py:15"),
        ("Workflow here-whole, graph main", "here.py:15"),
        ("workflow here-whole, input n", "here.py:15"),
        ("workflow here-whole, task use, input n", "here.py:5"),
        ("workflow here-whole, node here-sub, input n", "here.py:17"),
        ("workflow here-whole, graph here-sub", "here.py:10"),
        ("workflow here-whole, graph here-sub, node use, input n", "here.py:12"),
        ("launch plan nightly, input n", "here.py:20"),
        ("LaunchPlan nightly", "here.py:20"),
        ("Domain domain", "here.py"),
    ],
)
def test_a_problem_of_a_resource_has_the_line_of_what_it_names(greet: Path, subject: str, place: str) -> None:
    (greet / "here.py").write_text(HERE)
    found = discovery.discover([greet / "here.py"])
    (placed,) = lines.with_lines([Diagnostic(Code.BAD_VALUE, "wrong", "here.py", subject)], found)
    assert (placed.source, placed.message, placed.subject) == (place, "wrong", subject)


def test_what_a_cluster_would_refuse_has_its_line_where_the_file_is_compiled(alula: Alula, greet: Path) -> None:
    many = HERE.replace("-> int:\n    return sub(n)", "-> list[int]:\n    return [use(i) for i in range(900)]")
    (greet / "there.py").write_text(many)
    told = alula("compile", "there.py").err
    assert "there.py:15: error TOO_LARGE: the compiled spec has" in told
