"""No workflow at all."""

from __future__ import annotations

from alula import task


@task
def alone(x: int) -> int:
    return x


somebody = 3
