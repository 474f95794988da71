"""What becomes of a run after a failure. See `cases` for the outcome that each must have."""

from __future__ import annotations

import time

from alula import Failure, task, workflow


@task
def rest(n: int, seconds: float) -> int:
    """At work for a while."""
    time.sleep(seconds)
    return n


@task
def inc(n: int) -> int:
    """One more."""
    return n + 1


@task
def fail(n: int, seconds: float) -> int:
    """Fails after a while."""
    time.sleep(seconds)
    raise ValueError(f"failed on purpose with {n}")


@workflow
def later(n: int) -> int:
    """At work when something else fails."""
    slow = rest.named("slow")(n, 45.0)
    return inc.named("after")(slow)


@workflow
def drained(n: int) -> int:
    """As without a policy: `slow` and `later.slow` may finish, and nothing starts behind them."""
    slow = rest.named("slow")(n, 45.0)
    later.named("later")(n)
    fail(n, 12.0)
    return inc.named("after")(slow)


@workflow(failure_policy="abort")
def aborted(n: int) -> int:
    """`slow` is ended."""
    slow = rest.named("slow")(n, 90.0)
    fail(n, 12.0)
    return inc.named("after")(slow)


@workflow(failure_policy="continue")
def continued(n: int) -> int:
    """Only what is behind the failure does not run."""
    slow = rest.named("slow")(n, 5.0)
    inc.named("behind")(fail(n, 0.0))
    return inc.named("after")(slow)


@workflow
def twice(n: int) -> int:
    """A second task fails while the run drains."""
    slow = fail.named("second")(n, 45.0)
    fail(n, 12.0)
    return inc.named("after")(slow)


@workflow
def failing(n: int) -> int:
    """Fails inside another workflow."""
    return inc.named("behind")(fail(n, 12.0))


@workflow
def inside(n: int) -> int:
    """The path of the failure is that of the task in the workflow that is called."""
    slow = rest.named("slow")(n, 45.0)
    failing.named("sub")(n)
    return inc.named("after")(slow)


@workflow(failure_policy="continue", deadline="20s")
def late(n: int) -> int:
    """Ended at its deadline."""
    return inc.named("after")(rest.named("slow")(n, 600.0))


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
    return rest.named("slow")(n, 600.0)
