"""A run that is ended in each of its phases. `e2e/main_road/test_phases.py` brings it there, and ends it."""

from __future__ import annotations

import time

from alula import Backoff, Failure, NonRecoverable, Retries, task, workflow


@task(retries=Retries(1, Backoff("10m", factor=1)))
def work(phase: str) -> str:
    """At work until it is ended, or between two attempts."""
    if phase == "resting":
        raise ValueError("failed on purpose")
    time.sleep(600)
    return phase


@task
def side(phase: str) -> None:
    """A failure beside it."""
    if phase == "draining":
        raise NonRecoverable("failed on purpose beside it")


@task
def note(why: Failure | None) -> str:
    """What a handler gets."""
    return "it ended well" if why is None else f"{why.node}: {why.message}"


@workflow(on_exit=note)
def phases(phase: str) -> str:
    """Two tasks side by side, and one behind the one that is at work."""
    side(phase)
    return work.named("behind")(work(phase))


@workflow(on_exit=note, deadline="40s")
def late(phase: str) -> str:
    """The same with a deadline."""
    return phases.named("all")(phase)


@task
def slowly(why: Failure) -> str:
    """A handler that is at work until it is ended."""
    time.sleep(600)
    return why.run


@workflow(on_failure=slowly, on_exit=note, deadline="15s")
def handled(phase: str) -> None:
    """Fails at once."""
    side(phase)
