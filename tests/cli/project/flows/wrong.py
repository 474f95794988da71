"""A workflow with mistakes."""

from __future__ import annotations

from alula import task, workflow


@task
def text() -> str:
    return "a"


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def mistaken(x: int) -> int:
    inc(y=3)
    return inc(text())
