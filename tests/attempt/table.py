"""The tasks of the table: each fails, or returns outputs, in a way of its own. Run by pods and by the local runner.

Every task notes in `$RAN` that its code ran. Nothing here may depend on who runs it.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

from alula import File, NonRecoverable, Secret, task
from alula_data import foreign


def ran() -> int:
    """Notes a run of the caller; returns how many there were before."""
    mark = Path(os.environ["RAN"], sys._getframe(1).f_code.co_name)
    with mark.open("a") as file:
        file.write("x")
    return mark.stat().st_size - 1


def stored(name: str) -> list[Path]:
    """The files of a name in the store that belongs to the user who runs this."""
    return [path for path in Path(os.environ["DATA"]).rglob(name) if path.is_file()]


# --- failures ---------------------------------------------------------------------------------------------------------


@task(retries=1)
def exception(x: int) -> int:
    ran()
    return {}["no such key"] + x


@task
def causes(x: int) -> int:
    ran()
    try:
        raise OSError("the first")
    except OSError as error:
        raise ValueError("the second") from error


@task(retries=5)
def not_recoverable(x: int) -> int:
    ran()
    raise NonRecoverable(f"{x} can never be")


@task
def exits(x: int) -> int:
    ran()
    sys.exit(3)


@task
def interrupted(x: int) -> int:
    ran()
    raise KeyboardInterrupt


@task
def unsayable(x: int) -> int:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    ran()
    raise Odd


@task(secrets=[Secret("DB_PASSWORD", secret="db", key="password")])
def blabs(x: int) -> int:
    ran()
    raise ValueError(f"cannot log in with {os.environ['DB_PASSWORD']}")


@task
def misuses(x: int) -> int:
    ran()
    return plain("not a number")  # type: ignore[arg-type]


@task
def plain(x: int) -> int:
    return x


@task(retries=3)
def wrong_output(x: int) -> int:
    ran()
    return "one"  # type: ignore[return-value]


@task(retries=3)
def wrong_file(x: int) -> File:
    ran()
    return File("nothing.txt")


@task
def out_of_memory(x: int) -> int:
    ran()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**31, before[1]))
    try:
        return len(bytearray(2**33))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@task(timeout="2s")
def too_slow(x: int) -> int:
    ran()
    time.sleep(600)
    return x


def tear(name: str, how: str) -> None:
    for path in stored(name):
        path.chmod(0o644)
        if how == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-1] + b"?")


@task(retries=3)
def input_gone(file: File) -> int:
    ran()
    tear("gone.txt", "gone")
    return len(file.read_bytes())


@task(retries=3)
def input_damaged(file: File) -> int:
    ran()
    tear("damaged.txt", "damaged")
    return len(file.read_bytes())


@task(retries=3)
def input_gone_and_wrapped(file: File) -> int:
    ran()
    tear("wrapped.txt", "gone")
    try:
        return len(file.read_bytes())
    except Exception as error:
        raise ValueError("my own words") from error


@task(retries=1)
def foreign_gone(x: int) -> int:
    ran()
    return len(b"".join(foreign.stream("file:///nowhere/at/all.csv")))


@task(retries=1)
def foreign_unreachable(x: int) -> int:
    ran()
    return len(b"".join(foreign.stream("http://127.0.0.1:9/folder/all.csv")))


@task(retries=5, system_retries=1)
def store_broken_for_outputs(x: int) -> File:
    ran()
    folder = Path(os.environ["DATA"], "cas")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where a folder must be")
    made = File.new("made.txt")
    made.path.write_text("made")
    return made


# --- processes that end without a word --------------------------------------------------------------------------------


@task(system_retries=1)
def killed(x: int) -> int:
    ran()
    os.kill(os.getpid(), signal.SIGKILL)
    return x


@task(retries=3, system_retries=0)
def killed_with_side_effects(x: int) -> int:
    ran()
    os.kill(os.getpid(), signal.SIGKILL)
    return x


@task
def killed_once(x: int) -> int:
    if ran() == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


@task
def crashes(x: int) -> int:
    ran()
    os.kill(os.getpid(), signal.SIGSEGV)
    return x


@task(system_retries=0)
def leaves(x: int) -> int:
    ran()
    os._exit(7)


@task(retries=1, system_retries=1)
def both_in_turn(x: int) -> int:
    if ran() % 2 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    raise ValueError("mine")


# --- outputs ----------------------------------------------------------------------------------------------------------


@task(cache=True)
def text(size: int) -> str:
    ran()
    return "x" * size


@task(cache=True)
def odd_text(size: int) -> str:
    ran()
    return "{é\x7f" * size


@task(cache=True)
def envelope(size: int) -> dict[str, dict[str, str]]:
    ran()
    return {"$stored": {"digest": "a" * 64}}


@task(cache=True)
def file(size: int) -> File:
    ran()
    made = File.new("made.bin")
    made.path.write_bytes(b"b" * size)
    return made


@task(cache=True)
def two(size: int) -> tuple[str, int]:
    ran()
    return "x" * size, size


@task(cache=True)
def fifteen(size: int) -> tuple[str, str, str, str, str, str, str, str, str, str, str, str, str, str, str]:
    ran()
    return ("x" * size,) * 15


@task(cache=True)
def twenty(
    size: int,
) -> tuple[
    str, str, str, str, str, str, str, str, str, str, str, str, str, str, str, str, str, str, str, str,
]:  # fmt: skip
    ran()
    return ("x" * size,) * 20
