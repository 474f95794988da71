"""Options of calls where there can be none."""

from __future__ import annotations

from alula import Resources, map_task, repeat, task, workflow


@task
def fit(n: int) -> int:
    return n


@workflow
def inner(n: int) -> int:
    return fit(n)


@workflow
def of_a_workflow(n: int) -> int:
    return inner.with_overrides(retries=3)(n)  # type: ignore[attr-defined, no-any-return]


@workflow
def of_a_map(ns: list[int]) -> list[int]:
    return map_task(fit).with_overrides(retries=3)(ns)  # type: ignore[attr-defined, no-any-return]


@workflow
def of_a_repeat(n: int) -> int:
    looped = repeat(fit, until=lambda o: o > 3, max=3)
    return looped.with_overrides(retries=3)(n)  # type: ignore[attr-defined, no-any-return]


@workflow
def of_a_result(n: int) -> int:
    return fit(n).with_overrides(retries=3)  # type: ignore[attr-defined, no-any-return]


@workflow
def by_a_value_of_the_run(n: int) -> int:
    return fit.with_overrides(resources=Resources(cpu=n))(n)


@workflow
def by_one_in_a_dict(n: int) -> int:
    return fit.with_overrides(environment={"N": n})(n)  # type: ignore[dict-item]


@workflow
def that_is_not_called(n: int) -> int:
    return fit.with_overrides(retries=3)  # type: ignore[return-value]
