from alula import task


@task
def load(n: int) -> int
    return n
