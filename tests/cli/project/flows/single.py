"""One workflow only."""

from __future__ import annotations

from alula import task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def only(x: int = 1) -> int:
    return inc(x)
