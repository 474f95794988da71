import statistics

from alula import task, workflow


@task
def load(n: int) -> list[float]:
    return [float(n)]


@task
def show(value: float) -> str:
    return str(value)


def double(value):
    return value * 2


@workflow
def with_a_function_of_its_own(n: int) -> str:
    return show(double(load(n)))


@workflow
def with_a_function_of_a_library(n: int) -> str:
    return show(statistics.mean(load(n)))


@workflow
def with_a_method(n: int) -> str:
    return show(load(n).pop())


@workflow
def with_a_task_that_is_not_called(n: int) -> list[float]:
    return load
