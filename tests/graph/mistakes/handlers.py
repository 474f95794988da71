"""Handlers that cannot get what they take."""

from __future__ import annotations

from alula import Failure, task, workflow


@task
def inc(n: int) -> int:
    return n + 1


@task
def other_type(n: str, why: Failure) -> None:
    pass


@task
def unknown_input(m: int, runs: int, why: Failure) -> None:
    pass


@task
def no_none(why: Failure) -> None:
    pass


@task
def untyped(n) -> None:  # type: ignore[no-untyped-def]
    pass


@workflow(on_failure=other_type)
def of_another_type(n: int) -> int:
    return inc(n)


@workflow(on_failure=unknown_input)
def with_inputs_of_nothing(n: int, run: int) -> int:
    return inc(n)


@workflow(on_exit=no_none)
def after_a_success_too(n: int) -> int:
    return inc(n)


@workflow(on_failure=untyped)
def without_types(n: int) -> int:
    return inc(n)
