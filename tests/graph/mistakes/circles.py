from __future__ import annotations

from alula import task, workflow


@task
def step(n: int) -> int:
    return n


@task
def nothing() -> None: ...


@workflow
def calls_itself(n: int) -> int:
    return calls_itself(step(n))


@workflow
def first(n: int) -> int:
    return second(n)


@workflow
def second(n: int) -> int:
    return third(n)


@workflow
def third(n: int) -> int:
    return first(n)


@workflow
def waits_for_itself(n: int) -> int:
    a = step(n)
    b = step(a)
    c = step(b)
    c >> a
    return c


@workflow
def orders_what_is_no_task(n: int) -> int:
    a = step(n)
    n >> a
    a >> 3
    nothing() >> a
    a >> "x"
    return a


@workflow
def passes_nothing_on(n: int) -> int:
    return step(nothing())
