"""What all commands have in common: help, unknown flags, nothing given, what excludes what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from alula.cli import flags, main, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic
from tests.cli.conftest import Alula, Done

CALLED: list[flags.Scan] = []


def note(found: flags.Scan) -> int:
    CALLED.append(found)
    return 3


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    if found.text("colour", "red") != "red":
        yield from usage.error("the colour must be red").diagnostics


PAINT = Command(
    name="paint wall",
    summary="paint what is named",
    usage="[options] WALL...",
    main=note,
    operands=Operands(example="alula paint wall north"),
    exclusive=(("dry_run", "twice"),),
    check=check,
    flags={"options": (flags.Flag("colour", "NAME"), flags.Flag("dry_run")), "how often": (flags.Flag("twice"),)},
)


@pytest.fixture
def paint(run: Alula, monkeypatch: pytest.MonkeyPatch) -> Alula:
    """`alula paint wall`: one module and one name in the list."""
    module = ModuleType("alula.cli.paint_wall")
    module.COMMAND = PAINT  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(main, "COMMANDS", (*main.COMMANDS, PAINT.name))
    CALLED.clear()

    def call(*words: str) -> Done:
        return run("paint", "wall", *words)

    return call


def test_a_command_is_called_with_its_flags_and_operands_and_its_exit_code_is_alulas(paint: Alula) -> None:
    assert paint("--colour", "red", "north", "south").code == 3
    (found,) = CALLED
    assert (found.text("colour"), found.rest) == ("red", ["north", "south"])


def test_the_page_has_the_summary_the_sections_and_help_in_the_first_of_them(paint: Alula) -> None:
    assert paint("--help").out == (
        "usage: alula paint wall [options] WALL...\n\nPaint what is named.\n\n"
        "options:\n  --colour NAME\n  --dry-run\n  -h, --help     show this page\n\nhow often:\n  --twice\n"
    )
    assert CALLED == []


def test_a_name_of_two_words_is_listed_and_helped_as_one(paint: Alula, run: Alula) -> None:
    assert "  paint wall     paint what is named\n" in run("--help").out
    assert run("help", "paint", "wall").out == paint("--help").out
    assert run("paint").err == "error BAD_OPTION: there is no command paint\n  hint: did you mean paint wall?\n"


def test_all_that_is_wrong_is_reported_at_once(paint: Alula) -> None:
    done = paint("--dry-run", "--twice", "--colour=blue")
    assert done.code == 2
    assert [line for line in done.err.splitlines() if line.startswith("error")] == [
        "error BAD_OPTION: --dry-run and --twice exclude each other",
        "error BAD_OPTION: the colour must be red",
        "error BAD_OPTION: paint wall what?",
    ]
    assert "  hint: alula paint wall north\n" in done.err
    assert CALLED == []


def test_what_may_be_the_value_of_an_unknown_flag_is_not_missed(paint: Alula) -> None:
    done = paint("--colours", "north")
    assert "there is no flag --colours\n  hint: did you mean --colour?\n" in done.err
    assert "what?" not in done.err


def test_a_command_without_operands_takes_none(run: Alula) -> None:
    done = run("crds", "x")
    assert (done.code, done.err) == (2, "error BAD_OPTION: crds takes no arguments, got 'x'\n")


NAMING = [name for name in main.COMMANDS if {"project", "domain"} & {each.name for each in main.find(name).all_flags}]


@pytest.mark.parametrize("name", sorted({*NAMING} - {"compile"}))
def test_a_name_that_no_project_or_domain_can_have_is_refused_by_every_command(run: Alula, name: str) -> None:
    flag = "project" if any(each.name == "project" for each in main.find(name).all_flags) else "domain"
    done = run(*name.split(), f"--{flag}", "My Own")
    assert done.code == 2
    assert f"--{flag}: error BAD_NAME: the {flag} 'My Own' is not a name that a namespace can have" in done.err


def test_the_file_of_a_domain_is_no_name(run: Alula) -> None:
    assert "BAD_NAME" not in run("compile", "--domain", "platform/My Own.yaml").err
