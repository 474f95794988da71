"""Calls of one task with other options than its decorator gives."""

from __future__ import annotations

import os
import time

from alula import Backoff, Pod, Retries, Toleration, task, workflow


@task(retries=2)
def place(n: int) -> str:
    """What its environment says; without a variable for it, a failure."""
    return f"{os.environ['PLACE_OF_CALL']} {n}"


@workflow
def elsewhere(n: int) -> str:
    """Another environment, and a node with a name."""
    return place.with_overrides(environment={"PLACE_OF_CALL": "oslo"}, name="there")(n)


@workflow
def once(n: int) -> str:
    """The decorator's two retries do not count."""
    return place.with_overrides(retries=0, system_retries=0)(n)


@task(
    pod=Pod(
        tolerations=[Toleration("spot", effect="NoSchedule")],
        labels={"team": "birds"},
        annotations={"example.org/note": "a note with $(HOME) and {braces}"},
        shared_memory="64Mi",
    )
)
def placed(n: int) -> int:
    """In a pod with settings of its own."""
    return n + 1


@workflow
def settled(n: int) -> int:
    """A task whose pod has settings."""
    return placed(n)


@task(timeout="1s")
def slow(n: int, seconds: float) -> int:
    """At work for a while."""
    time.sleep(seconds)
    return n


@workflow
def timed(n: int) -> int:
    """Longer than its timeout."""
    return slow(n, 4.0)


@workflow
def retimed(n: int) -> int:
    """Longer than its timeout in each of two attempts."""
    return slow.with_overrides(retries=Retries(1, Backoff("1s")))(n, 4.0)


@workflow
def untimed(n: int) -> int:
    """As long, without a timeout."""
    return slow.with_overrides(timeout=None)(n, 2.0)
