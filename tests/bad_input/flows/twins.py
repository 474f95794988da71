from alula import task, workflow


@task
def load(n: int) -> int:
    return n


@task(name="load")
def load_more(n: int) -> int:
    return n + 1


@workflow
def both(n: int = 1) -> tuple[int, int]:
    return load(n), load_more(n)
