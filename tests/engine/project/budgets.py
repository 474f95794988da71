"""Failures of the code and of the system, each with a budget of its own. See `cases` for what must come of them."""

from __future__ import annotations

import os
import pathlib
import signal

from alula import Backoff, Retries, task, workflow


@task(retries=Retries(2, Backoff("100ms", factor=1)), system_retries=2)
def tried(attempts: str) -> int:
    """Each attempt does what its letter says: `f` fails, `k` is killed, any other gives its number.

    Those that begin are noted in the folder `TRIED`, where there is one.
    """
    number = int(os.environ.get("ALULA_ATTEMPT", "0"))
    if folder := os.environ.get("TRIED"):
        note = pathlib.Path(folder, attempts)
        number = len(note.read_text()) if note.exists() else 0
        with note.open("a") as written:
            written.write(attempts[number])
    if attempts[number] == "f":
        raise ValueError(f"attempt {number} failed on purpose")
    if attempts[number] == "k":
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@workflow
def budgets(attempts: str) -> int:
    """Two failures of each kind are forgiven."""
    return tried(attempts)
