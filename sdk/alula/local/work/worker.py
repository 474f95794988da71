"""One attempt in a process of its own: reads one question, calls the task, writes one answer.

Forked by `template`, or started by `sources` as `python -m alula.local.work.worker CHANNEL`. What user code prints,
to stdout too, goes to the file descriptors 1 and 2, which lead to `pool`.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula.declare.tasks import Task

READY = b"ready\n"
"""Written when the user's code is loaded and the task's time begins."""

INTERRUPTED = 130
"""The exit code of a process that was interrupted before it could answer."""

loading = ContextVar("loading", default=False)
"""Whether this process imports the user's code to find a task in it: a run that starts meanwhile is a mistake."""

Find = Callable[[dict[str, Any]], "Task[..., Any]"]


def main(argv: Sequence[str]) -> None:
    """Serve one attempt in a fresh interpreter."""
    os.set_inheritable(int(argv[0]), False)  # what a task starts must not hold it open
    with socket.socket(fileno=int(argv[0])) as channel:
        serve(channel, import_task)
    leave(0)


def serve(channel: socket.socket, find: Find) -> None:
    """Answer the one question that comes through `channel`."""
    _redirect()
    with channel.makefile("rwb") as talk:

        def send(line: bytes) -> None:
            talk.write(line)
            talk.flush()

        send(b"%d\n" % os.getpid())
        question = json.loads(talk.readline())
        answer = json.dumps(_answer(question, find, lambda: send(READY))).encode()
        flush()
        send(answer + b"\n")


def import_task(question: dict[str, Any]) -> Task[..., Any]:
    """The task of a question, found by its entrypoint."""
    sys.path[:] = question["path"]
    from alula.declare import tasks
    from alula.interfaces import callee

    token = loading.set(True)
    try:
        found = callee.find(question["entrypoint"])
    finally:
        loading.reset(token)
    return found if isinstance(found, tasks.Task) else callee.refuse(found, "run as an attempt")


def flush() -> None:
    """Hand over what was printed and logged; whatever user code did to its streams."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            continue


def leave(code: int) -> None:
    """End this process at once: what it inherited is its parent's to end."""
    flush()
    os._exit(code)


def _answer(question: dict[str, Any], find: Find, ready: Callable[[], None]) -> dict[str, Any]:
    """The outputs of one attempt, or its failure."""
    from alula.attempt import invoke, scratch, seeds
    from alula.local.store.place import DataRoot
    from alula.local.work import carriers, failures

    scratch.enter(question["scratch"], home=False)
    os.environ.update(question["environment"])
    try:
        task = find(question)
    except BaseException as error:
        return {"failure": _unfound(error, question)}
    _log()
    seeds.reseed()
    place = DataRoot(question["prefix"])
    carrier = carriers.StoreCarrier(place.content, carriers.FrameShelf())
    ready()
    context = failures.Context(**question["context"], inputs=question["inputs"], owns_store=place.owns)
    try:
        return {"outputs": invoke.invoke(task, question["inputs"], carrier, context)}
    except BaseException as error:
        return {"failure": failures.of_error(error, task, context).record.to_json()}


def _redirect() -> None:
    """Text streams of our own over the file descriptors: those that we inherited may lead into the parent's display."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        raw = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115
        stream = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, stream)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.breakpointhook = sys.__breakpointhook__


def _log() -> None:
    """Let what is logged at INFO be seen, unless the user's code has set up logging."""
    logging = sys.modules.get("logging")
    if logging is not None and not logging.root.handlers and logging.root.level == logging.WARNING:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def _unfound(error: BaseException, question: dict[str, Any]) -> dict[str, Any]:
    from alula_api.contract import failures
    from alula_api.contract.codes import Code

    message = f"{question['entrypoint']} cannot be loaded in a process of its own: {error}"
    record = failures.FailureRecord(failures.USER, Code.BAD_SOURCE, message, retryable=False)
    return record.to_json()


if __name__ == "__main__":
    from alula.local.work import worker  # noqa: PLW0406 - under its own name, so that `loading` exists once

    worker.main(sys.argv[1:])
