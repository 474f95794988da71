from alula import task, workflow


@task(retrys=3, timeout="5 minutes")
def load(n: int) -> int:
    return n
