"""Calls of one task with other options than its decorator gives."""

from __future__ import annotations

import os

from alula import Pod, Toleration, task, workflow


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
