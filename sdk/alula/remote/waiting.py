"""Asking again while the cluster does not answer. Called by `definitions` and `runs` for what only reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from alula.remote.refusals import Unanswered

Result = TypeVar("Result")

SOON = (1.0, 2.0, 4.0)
"""Pauses before a run is started: somebody waits."""
LONG = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0)
"""Pauses while a run is followed: it goes on meanwhile."""


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
