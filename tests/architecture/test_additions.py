"""The table of what each addition touches, in docs/architecture.md, says what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.architecture.test_structure import MODULES, ROOT

PAGE = ROOT / "docs" / "architecture.md"
MODULE = r"`((?:contract|kinds|alula\w*)(?:\.\w+)*)`"
ROWS: dict[str, tuple[list[str], str, list[str]]] = {}
for line in PAGE.read_text(encoding="utf-8").partition("## How many modules")[2].splitlines():
    if line.startswith("| ") and not line.startswith("| what"):
        what, own, count, touched = (cell.strip() for cell in line.strip("|").split(" | "))
        ROWS[what] = re.findall(MODULE, own), count, re.findall(MODULE, touched)


def dotted(short: str) -> str:
    return f"alula_api.{short}" if short.partition(".")[0] in ("contract", "kinds") else short


def row(beginning: str) -> tuple[list[str], str, list[str]]:
    (found,) = (cells for what, cells in ROWS.items() if what.startswith(beginning))
    return found


def module(path: Path) -> str:
    """The name of a module as the table has it."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts[1:]).removesuffix(".__init__")
    return name.removeprefix("alula_api.")


def test_the_table_is_read_whole() -> None:
    assert len(ROWS) == 12
    assert len({name for own, _, touched in ROWS.values() for name in own + touched}) > 40


@pytest.mark.parametrize("what", ROWS)
def test_every_module_of_the_table_exists(what: str) -> None:
    own, _, touched = ROWS[what]
    assert [name for name in own + touched if importlib.util.find_spec(dotted(name)) is None] == []


@pytest.mark.parametrize("what", ROWS)
def test_the_counts_are_those_of_the_modules_named(what: str) -> None:
    _, count, touched = ROWS[what]
    named = len(touched) + (int(row("a task option of the pod")[1]) if what.startswith("a task option that") else 0)
    assert int(count) == named <= 14


@pytest.mark.parametrize(
    ("beginning", "word"),
    [
        ("a conditional", r"\bBranchCall\b"),
        ("a map", r"\bMapCall\b"),
        ("a repeat", r"\bRepeatCall\b"),
        ("a way to write", r"\bImperativeWorkflow\b"),
        ("a service that is told", r"(?:class |import |notice_places\.)Slack\b"),
        ("a type with", '"naive-datetime"'),
    ],
)
def test_no_other_module_knows_it_by_its_name(beginning: str, word: str) -> None:
    own, _, touched = row(beginning)
    knowing = {module(path) for path in MODULES if re.search(word, path.read_text(encoding="utf-8"))}
    assert knowing and knowing <= {*own, *touched}
