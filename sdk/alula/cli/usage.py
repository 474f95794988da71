"""What is wrong with a command line: raised by commands, printed by `main`, which then exits with 2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alula import errors
from alula_api.contract import codes, diagnostics

if TYPE_CHECKING:
    from alula.cli import flags


class UsageError(errors.UserError):
    """The command line cannot be understood; `diagnostics` say all that is wrong with it."""


def error(message: str, hint: str = "", code: codes.Code = codes.Code.BAD_OPTION) -> UsageError:
    """A usage error with one problem."""
    return UsageError([diagnostics.Diagnostic(code, message, hint=hint)])


def names(found: flags.Scan) -> list[diagnostics.Diagnostic]:
    """What is wrong with the names that `--project` and `--domain` give."""
    from alula import settings

    given = [key for key in ("project", "domain") if key in found.values]
    return [problem for key in given for problem in settings.name_problems(key, found.text(key), f"--{key}")]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean --seed?`, or ""."""
    near = diagnostics.closest(name, known)
    return f"did you mean {near}?" if near else ""


def domain(name: str, place: str) -> list[diagnostics.Diagnostic]:
    """What is wrong with the name of a domain that a flag gives."""
    from alula import settings

    return settings.name_problems("domain", name, place)
