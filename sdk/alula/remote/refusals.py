"""What can go wrong between here and the cluster, and asking again where that may help.

Raised in `alula.remote`, rendered by the command line; only what reads is asked again, by `definitions` and `runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from alula import errors
from alula_api.contract import codes, diagnostics

Result = TypeVar("Result")

SOON = (1.0, 2.0, 4.0)
"""Pauses before a run is started: the user waits."""
LONG = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0)
"""Pauses while a run is followed: it goes on meanwhile."""


class RemoteError(errors.UserError):
    """The cluster cannot be reached, or refused what was asked of it."""


class Unanswered(RemoteError):
    """No answer came, or one that asks for patience: the same call may succeed a moment later."""


def refusal(message: str, hint: str = "", code: codes.Code = codes.Code.CLUSTER) -> RemoteError:
    """An error with one problem."""
    return RemoteError([diagnostics.Diagnostic(code, message, hint=hint)])


def unanswered(message: str, hint: str = "") -> Unanswered:
    """An error with one problem that may pass."""
    return Unanswered([diagnostics.Diagnostic(codes.Code.CLUSTER, message, hint=hint)])


def patiently(
    ask: Callable[[], Result],
    pauses: Sequence[float],
    *,
    sleep: Callable[[float], None],
    say: Callable[[str], None],
) -> Result:
    """What `ask` returns, asked again after each of the pauses while no answer comes; the first time, that is said.

    Raises:
        Unanswered: of the last time.
    """
    for number, pause in enumerate(pauses):
        try:
            return ask()
        except Unanswered as error:
            if not number:
                say(f"{error.diagnostics[0].message}; trying again")
            sleep(pause)
    return ask()
