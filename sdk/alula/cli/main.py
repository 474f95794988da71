"""`alula`: finds the command, runs it, and turns what goes wrong into a message and an exit code.

Exit codes: 0 success; 1 the run or the user's code failed; 2 the command line is wrong; 70 alula itself went wrong;
130 interrupted. A new command is a module with a `Command` and its name here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alula.cli.command import Command

COMMANDS = (
    "init",
    "run",
    "register",
    "compile",
    "verify",
    "diff",
    "promote",
    "rollback",
    "status",
    "launch",
    "backfill",
    "why",
    "queue",
    "stop",
    "admit",
    "domain render",
    "cache explain",
    "crds",
)
"""In the order of the help."""

OK, FAILED, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130


def entry() -> None:
    """The console script."""
    code = main(sys.argv[1:])
    # A thread that is stuck in a task past its timeout must not keep the process: daemon threads do not, but the
    # interpreter's own shutdown may wait for what such a task started.
    sys.exit(code)


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    words = [*argv]
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    name = _name(words)
    if name:
        return _guarded(name, words[len(name.split()) :])
    if not words or words[0] in {"-h", "--help"}:
        return _print(_help())
    if words[0] in {"-V", "--version"}:
        return _print(f"alula {version()}")
    return _unknown(words[0])


def find(name: str) -> Command:
    """The command of a name that is listed."""
    import importlib

    found: Command = importlib.import_module(f"alula.cli.{name.replace(' ', '_')}").COMMAND
    return found


def _name(words: Sequence[str]) -> str:
    """The command that the first word names, or the first two; else ""."""
    return next((name for name in (" ".join(words[:2]), " ".join(words[:1])) if name in COMMANDS), "")


def version() -> str:
    """The version of the installed distribution."""
    from importlib import metadata

    try:
        return metadata.version("alula")
    except metadata.PackageNotFoundError:
        return "unknown"


def _print(text: str) -> int:
    from alula import display

    display.out(text)
    return OK


def _help() -> str:
    from alula import display
    from alula.cli import help_text

    columns = min(help_text.COLUMNS, display.columns())
    return help_text.page(
        "usage: alula COMMAND [options]",
        "Typed, static workflows for git: write them in Python, review them as resources, run them on Argo.",
        help_text.section("commands", ((name, find(name).summary) for name in COMMANDS), columns),
        "`alula COMMAND --help` says more about each; `alula --version` says which alula this is.",
        columns=columns,
    )


def _unknown(word: str) -> int:
    from alula import display
    from alula.cli import usage
    from alula_api.contract import codes, diagnostics

    what = "option" if word.startswith("-") else "command"
    hint = usage.did_you_mean(word, [*COMMANDS, "--help", "--version"]) or f"one of {', '.join(COMMANDS)}"
    display.diagnostics([diagnostics.Diagnostic(codes.Code.BAD_OPTION, f"there is no {what} {word}", hint=hint)])
    return USAGE


def _guarded(name: str, argv: list[str]) -> int:
    """Run a command; a user's mistake never shows a traceback."""
    from alula.cli import command

    try:
        code = command.run(find(name), argv)
    except KeyboardInterrupt:
        from alula import display

        display.note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return OK
    except Exception as error:
        return _explain(error)
    return code


def _explain(error: Exception) -> int:
    from alula import display, errors
    from alula.cli import usage
    from alula_api.contract import codes, diagnostics
    from alula_data.errors import StoreError

    if isinstance(error, errors.UserError):
        display.diagnostics(error.diagnostics)
        if isinstance(error, errors.LoadError) and error.traceback:
            display.note(error.traceback)
        wrong = isinstance(error, usage.UsageError) or (isinstance(error, errors.LoadError) and error.missing)
        return USAGE if wrong else FAILED
    if isinstance(error, StoreError):
        place = f"{error.url.rstrip('/')}/{error.key}".rstrip("/")
        message = f"{error.SENTENCE} ({error.detail})" if error.detail else error.SENTENCE
        found = diagnostics.Diagnostic(error.code, message, subject=place, hint=error.hint)
        display.diagnostics([found])
        return FAILED
    if isinstance(error, errors.AlulaError):
        display.diagnostics([diagnostics.Diagnostic(codes.Code.TASK_FAILED, str(error))])
        return FAILED
    return _internal(error)


def _internal(error: Exception) -> int:
    """A mistake of ours: everything that a report needs."""
    import traceback

    from alula import display
    from alula_api.contract import codes, diagnostics

    display.note("".join(traceback.format_exception(error)))
    display.diagnostics(
        [
            diagnostics.Diagnostic(
                codes.Code.INTERNAL,
                f"alula {version()} on Python {sys.version.split()[0]}, {os.name}: {type(error).__name__}: {error}",
                hint="please report it with the traceback above",
            )
        ]
    )
    return INTERNAL
