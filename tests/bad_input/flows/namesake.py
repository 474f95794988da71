from alula import task, workflow


@task
def load(n: int) -> int:
    return n


@workflow(name="same")
def one(n: int = 1) -> int:
    return load(n)


@workflow(name="same")
def other(n: int = 1) -> int:
    return load(n)
