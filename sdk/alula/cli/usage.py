"""What is wrong with a command line: raised by commands, printed by `main`, which then exits with 2."""

from __future__ import annotations

from collections.abc import Iterable

from alula import errors
from alula_api.contract import codes, diagnostics


class UsageError(errors.UserError):
    """The command line cannot be understood; `diagnostics` say all that is wrong with it."""


def error(message: str, hint: str = "", code: codes.Code = codes.Code.BAD_OPTION) -> UsageError:
    """A usage error with one problem."""
    return UsageError([diagnostics.Diagnostic(code, message, hint=hint)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean --seed?`, or ""."""
    return diagnostics.did_you_mean(name, known, shown=str)
