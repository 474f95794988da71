"""Tasks for processes of their own, in a module that loads fast."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from alula import task, workflow


@task
def process() -> int:
    return os.getpid()


@task
def shout(text: str) -> str:
    print(f"out {text}")
    print(f"err {text}", file=sys.stderr)
    return text


@task(environment={"MODE": "fast"})
def mode() -> str:
    return os.environ["MODE"]


@task
def fail(x: int) -> int:
    raise ValueError(f"{x} is too much")


@task(retries=1)
def die(folder: str) -> int:
    marks = len(list(Path(folder).iterdir()))
    (Path(folder) / str(marks)).touch()
    if marks == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return marks


@task
def leave() -> int:
    os._exit(7)


@task(timeout="1s")
def hang(folder: str) -> int:
    Path(folder, "pid").write_text(str(os.getpid()))
    time.sleep(600)
    return 1


@workflow
def apart() -> tuple[int, str]:
    return process(), mode()


@workflow
def shouting(text: str) -> str:
    return shout(text)


@workflow
def failing(x: int) -> int:
    return fail(x)


@workflow
def dying(folder: str) -> int:
    return die(folder)


@workflow
def leaving() -> int:
    return leave()


@workflow
def hanging(folder: str) -> int:
    return hang(folder)


@task
def hang_long(folder: str) -> int:
    Path(folder, "part").write_text(str(os.getpid()))
    Path(folder, "part").rename(Path(folder, "pid"))
    time.sleep(600)
    return 1


@workflow
def hanging_long(folder: str) -> int:
    return hang_long(folder)


@task
def leave_files(name: str) -> str:
    Path(name).write_text("x")
    with tempfile.NamedTemporaryFile(delete=False) as file:
        return f"{os.getcwd()} {file.name}"


@workflow
def leaving_files() -> str:
    return leave_files("left-behind")
