import os
import signal

from alula import task, workflow


@task
def hungry(n: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return n


@workflow
def feast(n: int = 1) -> int:
    return hungry(n)
