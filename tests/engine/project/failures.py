"""What becomes of a run after a failure. See `cases` for the outcome that each must have."""

from __future__ import annotations

import functools
import os
import pathlib
import time

from alula import Failure, NonRecoverable, conditional, map_task, repeat, task, workflow


def _wait(signal: str, seconds: float) -> None:
    """Wait until somebody makes this file in the folder `SIGNALS`; where there is no such folder, so many seconds."""
    folder = os.environ.get("SIGNALS")
    if not folder:
        time.sleep(seconds)
        return
    for _ in range(900):
        if (pathlib.Path(folder) / signal).exists():
            return
        time.sleep(0.1)


@task
def rest(n: int, signal: str, seconds: float) -> int:
    """At work for a while."""
    _wait(signal, seconds)
    return n


@task
def inc(n: int) -> int:
    """One more."""
    return n + 1


@task
def fail(n: int, signal: str, seconds: float) -> int:
    """Fails after a while."""
    _wait(signal, seconds)
    raise ValueError(f"failed on purpose with {n}")


@workflow
def later(n: int) -> int:
    """At work when something else fails."""
    slow = rest.named("slow")(n, "drained.go", 15.0)
    return inc.named("after")(slow)


@workflow
def drained(n: int) -> int:
    """As without a policy: `slow` and `later.slow` may finish, and nothing starts behind them."""
    slow = rest.named("slow")(n, "drained.go", 15.0)
    later.named("later")(n)
    fail(n, "drained.fail", 4.0)
    return inc.named("after")(slow)


@workflow(failure_policy="abort")
def aborted(n: int) -> int:
    """`slow` is ended."""
    slow = rest.named("slow")(n, "aborted.go", 20.0)
    fail(n, "aborted.fail", 4.0)
    return inc.named("after")(slow)


@workflow(failure_policy="continue")
def continued(n: int) -> int:
    """Only what is behind the failure does not run."""
    slow = rest.named("slow")(n, "continued.go", 5.0)
    inc.named("behind")(fail(n, "continued.fail", 0.0))
    return inc.named("after")(slow)


@workflow
def twice(n: int) -> int:
    """A second task fails while the run drains."""
    slow = fail.named("second")(n, "twice.go", 15.0)
    fail(n, "twice.fail", 4.0)
    return inc.named("after")(slow)


@workflow
def failing(n: int) -> int:
    """Fails inside another workflow."""
    return inc.named("behind")(fail(n, "inside.fail", 4.0))


@workflow
def inside(n: int) -> int:
    """The path of the failure is that of the task in the workflow that is called."""
    slow = rest.named("slow")(n, "inside.go", 15.0)
    failing.named("sub")(n)
    return inc.named("after")(slow)


@workflow(failure_policy="continue", deadline="20s")
def late(n: int) -> int:
    """Ended at its deadline."""
    return inc.named("after")(rest.named("slow")(n, "late.go", 600.0))


@task
def note(n: int, why: Failure | None, greeting: str = "it") -> str:
    """What a handler gets."""
    if n > 2:
        raise ValueError("the handler failed too")
    return f"{greeting} ended well" if why is None else f"{greeting} failed at {why.node}: {why.message}"


@workflow
def mend(why: Failure, n: int) -> None:
    """A workflow as a handler, with two tasks."""
    inc.named("mended")(inc(n))
    note(n, why, "all")


@workflow(on_failure=mend, on_exit=note)
def handled(n: int) -> int:
    """Fails for an even number."""
    return even(n)


@task
def even(n: int) -> int:
    """Fails for an even number."""
    if n % 2 == 0:
        raise ValueError(f"{{{{=1+1}}}} is not odd: {n}")
    return n


@workflow(on_exit=note)
def stopped(n: int) -> int:
    """At work until it is stopped."""
    return rest.named("slow")(n, "stopped.go", 600.0)


@workflow
def holding(n: int) -> int:
    """At work in another workflow."""
    return inc.named("after")(rest.named("slow")(n, "everywhere.go", 600.0))


@workflow
def everywhere(n: int) -> tuple[int, list[int], int, int]:
    """At work in a branch, at two items of a map, in a round and in another workflow, each with something behind it."""
    hold = functools.partial(rest, signal="everywhere.go", seconds=600.0)
    branch = conditional("choose").if_(n > 0).then(inc(rest(n, "everywhere.go", 600.0))).else_().then(0)
    items = map_task(hold)([n, n])
    round_ = repeat(rest, until=lambda m: m < 0, max=3).named("again")(n, "everywhere.go", 600.0)
    return inc.named("after")(branch), items, inc.named("last")(round_), holding.named("sub")(n)


@workflow(deadline="20s")
def everywhere_late(n: int) -> int:
    """The same, ended at its deadline."""
    branch, _, round_, sub = everywhere.named("all")(n)
    return add(branch, round_, sub)


@task
def add(a: int, b: int, c: int) -> int:
    """Their sum."""
    return a + b + c


@task
def mended(n: int, breaks_at: int = 1) -> int:
    """One more; fails at one number until somebody has mended what it needs."""
    if n == breaks_at and not (pathlib.Path(os.environ.get("SIGNALS", "/")) / "mended").exists():
        raise NonRecoverable(f"failed on purpose with {n}")
    return n + 1


@workflow(failure_policy="continue")
def retried(n: int) -> tuple[int, list[int], int]:
    """Fails in a branch, at an item and in a round; Argo's `retry` goes on there."""
    sure = inc(n)
    branch = conditional("choose").if_(sure > 1).then(inc(mended(n))).else_().then(0)
    items = map_task(mended)([0, 1, 2])
    rounds = repeat(mended, until=lambda m: m >= 3, max=4)(0)
    return inc.named("behind")(branch), items, inc.named("last")(rounds)


@workflow(failure_policy="continue")
def copied(n: int) -> tuple[int, list[int], int]:
    """Fails behind a branch, a map and a repeat that are done."""
    sure = inc(n)
    branch = conditional("choose").if_(sure > 1).then(inc(inc(n))).else_().then(0)
    items = map_task(inc)([0, 1, 2])
    rounds = repeat(inc, until=lambda m: m >= 3, max=4)(0)
    return mended.named("behind")(branch, breaks_at=3), items, mended.named("last")(rounds, breaks_at=3)
