"""What an attempt has that the one before had not: memory after a kill for lack of it, another node after a loss.

`e2e/main_road/test_attempts.py` ends the attempts that wait here; alone they go through.
"""

from __future__ import annotations

import os
import time
import uuid

from alula import Backoff, Resources, Retries, grow, order, task, workflow


def waits(n: int, attempts: tuple[int, ...]) -> int:
    """Wait to be ended in those attempts, where the run is one in which somebody ends them; return the attempt."""
    attempt = int(os.environ.get("ALULA_ATTEMPT", "0"))
    if n and attempt in attempts:
        print("waiting to be ended", flush=True)
        time.sleep(120)
    return attempt


@task(
    retries=Retries(1, Backoff("1s", factor=1)),
    system_retries=3,
    resources=Resources(cpu="10m", memory=("100Mi", "150Mi")),
    on_oom=grow(1.5, "300Mi"),
)
def hungry(n: int) -> str:
    """Killed for lack of memory, then failing with a message that nobody may evaluate, then killed, then lost."""
    attempt = waits(n, (0, 2, 3))
    if n and attempt == 1:
        raise ValueError("{{=1+1}} '\"}} memory 1Gi) " + "long " * 2000)
    return os.environ.get("ALULA_MEMORY", "")


@task(retries=Retries(0, Backoff("3s", factor=1)), resources=Resources(memory="1Gi"), on_oom=grow(2, "2Gi"))
def insatiable(n: int) -> int:
    """Killed for lack of memory however much it has."""
    return waits(n, (0, 1, 2))


@task(retries=Retries(0, Backoff("1s", factor=1)), system_retries=1, interruptible=True)
def interrupted(n: int) -> int:
    """Its only loss is forgiven; the attempt after it is the last."""
    return waits(n, (0,))


@task(cache=True)
def token(n: int) -> str:
    """Another one each time that it runs."""
    return f"{n} {uuid.uuid4()}"


@task
def same(first: str, others: list[str]) -> list[bool]:
    """Which of them are the first one again."""
    return [each == first for each in others]


@workflow
def anew(n: int) -> list[bool]:
    """A cached task called twice, and once without the cache."""
    first = token(n)
    again, fresh = token.named("again")(n), token.with_overrides(cache=False, name="fresh")(n)
    order(first, [again, fresh])
    return same(first, [again, fresh])


@workflow(failure_policy="continue")
def attempts(n: int) -> tuple[str, int]:
    """Two tasks that are ended from outside and reach their ends."""
    return hungry(n), interrupted(n)


@workflow
def starving(n: int) -> int:
    """A task that is never satisfied."""
    return insatiable(n)
