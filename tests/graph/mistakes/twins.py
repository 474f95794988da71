from __future__ import annotations

from alula import conditional, task, workflow


def make(step: int):
    @task
    def add(n: int) -> int:
        return n + step

    return add


@task(name="load")
def load_a() -> int:
    return 1


@task(name="load")
def load_b() -> int:
    return 2


@task
def use(n: int) -> int:
    return n


@workflow
def inner() -> int:
    return use(load_b())


@workflow
def one_name_twice() -> int:
    use(load_a())
    return use(load_b())


@workflow
def one_name_twice_through_another_workflow() -> int:
    use(load_a())
    return inner()


@workflow
def made_in_a_function(n: int) -> int:
    return make(2)(make(1)(n))


@workflow(name="twins-inner")
def another_inner() -> int:
    return use(1)


@workflow
def two_workflows_of_one_name() -> int:
    inner()
    return another_inner()


@workflow
def branches_of_one_name(n: int) -> int:
    found = conditional("a").if_(n > 3).then(conditional("b").if_(n > 4).then(use(n)).else_().then(1)).else_().then(2)
    return conditional("a-then-b").if_(found > 3).then(use(n)).else_().then(0)
