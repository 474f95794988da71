from alula import task, workflow


@task(retries=2)
def guess(n: int) -> int:
    return "seven"


@workflow
def lucky(n: int = 1) -> int:
    return guess(n)
