from __future__ import annotations

from alula import LaunchPlan, task, workflow

kept = []


@task
def count(n: int) -> int:
    return n


@task
def total(values: list[int]) -> int:
    return sum(values)


@workflow
def inner(values: list[int]) -> int:
    return total(values)


@workflow
def keeps_a_promise(n: int) -> int:
    kept.append(count(n))
    return kept[0]


@workflow
def uses_a_promise_of_another(n: int) -> int:
    return total([kept[0], count(kept[0])])


plan = LaunchPlan("plan", keeps_a_promise, inputs={"n": 1})


@workflow
def calls_a_launch_plan(n: int) -> int:
    return plan(n=n)


@workflow
def passes_a_list_of_promises_to_a_workflow(n: int) -> int:
    return inner([count(n), count(n)])


@workflow
def buries_promises(n: int) -> int:
    return total([[count(n)], [1]])
