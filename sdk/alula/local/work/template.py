"""The template of a run's processes: it has the user's code loaded, has one thread, and forks a child an attempt.

Forked or started (`python -m alula.local.work.template CONTROL`) by `sources`, which sends it a pair of file
descriptors for each attempt: the channel for `worker`, and where the child's output goes. When the control socket
closes, as when its parent is killed, it ends its children and itself.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from alula.attempt import forks
from alula.local.work import worker

if TYPE_CHECKING:
    from alula.declare.tasks import Task


def main(argv: Sequence[str]) -> None:
    """Import the user's code in a fresh interpreter, report whether it can be forked, and serve if so."""
    os.set_inheritable(int(argv[0]), False)
    with socket.socket(fileno=int(argv[0])) as control:
        with control.makefile("rwb", buffering=0) as talk:
            question = json.loads(talk.readline())
            tasks: list[Task[..., Any]] = []
            problem = _load(question, tasks) or forks.obstacle()
            talk.write(json.dumps({"obstacle": problem}).encode() + b"\n")
        if not problem:
            os.dup2(2, 1)
            serve(control, worker.import_task, tasks)


def forked(control: socket.socket, tasks: Mapping[str, Task[..., Any]]) -> NoReturn:
    """Be the template, in a process that was just forked from the one that holds the tasks."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        serve(control, lambda question: tasks[question["task"]], tasks.values())
    finally:
        os._exit(1)


def serve(control: socket.socket, find: worker.Find, tasks: Iterable[Task[..., Any]]) -> NoReturn:
    """Fork a child for each pair of file descriptors that comes, until the socket closes."""
    _load_for_all(tasks)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ended, wake = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    gc.freeze()  # a collection in a child must not touch, and so copy, what all of them share
    channels: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _reap(channels)
        if control.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            if not message:
                _end_all(channels)
            _fork(descriptors, channels, control, find)


def _fork(
    descriptors: Sequence[int], channels: dict[int, socket.socket], control: socket.socket, find: worker.Find
) -> None:
    channel, output = socket.socket(fileno=descriptors[0]), descriptors[1]
    try:
        pid = forks.fork()
    except OSError as error:
        _send(channel, f"unstarted {error}")
        channel.close()
        os.close(output)
        return
    if pid:
        os.close(output)
        channels[pid] = channel
        return
    code = worker.INTERRUPTED
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        control.close()
        for other in channels.values():
            other.close()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        worker.serve(channel, find)
        code = 0
    finally:
        worker.leave(code)


def _reap(channels: dict[int, socket.socket]) -> None:
    """Report how children have ended, and end what they left running."""
    while channels:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None:
            return
        _end(found.si_pid)  # while it waits to be reaped no other process has its number
        _, status = os.waitpid(found.si_pid, 0)
        channel = channels.pop(found.si_pid, None)
        if channel is not None:
            _send(channel, f"ended {os.waitstatus_to_exitcode(status)}")
            channel.close()


def _send(channel: socket.socket, text: str) -> None:
    try:
        channel.sendall(f"{text}\n".encode())
    except OSError:  # the parent has its answer and does not listen any more
        return


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _end_all(channels: Mapping[int, socket.socket]) -> NoReturn:
    for pid in channels:
        _end(pid)
        try:
            os.kill(pid, signal.SIGKILL)  # it may not be the head of its group yet
        except ProcessLookupError:
            continue
    os._exit(0)


NEEDED = (
    "logging", "alula.attempt.invoke", "alula.declare.calls", "alula.interfaces.encode", "alula.local.store.place",
    "alula.local.work.carriers", "alula.local.work.failures",
)  # fmt: skip
"""Modules that every attempt needs, loaded once for all."""
NEEDED_FOR_DATA = ("alula_data.content", "alula_data.foreign", "alula_data.stores.folders", "alula_data.stores.opening")
NEEDED_FOR_FRAMES = ("pyarrow.parquet", "pyarrow.dataset")


def _load_for_all(tasks: Iterable[Task[..., Any]]) -> None:
    from alula_api.contract import families

    names: tuple[str, ...] = NEEDED
    schemas = [port.type.schema for task in tasks for port in task.interface.inputs]
    schemas += [port.type.schema for task in tasks for port in task.interface.outputs]
    if any(map(families.has_references, schemas)):
        names += NEEDED_FOR_DATA
        names += NEEDED_FOR_FRAMES if "pandas" in sys.modules else ()
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:  # the attempt that needs it says so
            continue
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        pandas.DataFrame({"x": [0]})  # the first frame of a process loads what each needs: 12 MiB


def _load(question: Mapping[str, Any], tasks: list[Task[..., Any]]) -> str:
    """Import the modules of all tasks; what is wrong with one, its attempts report."""
    for entrypoint in question["entrypoints"]:
        try:
            tasks.append(worker.import_task({"path": question["path"], "entrypoint": entrypoint}))
        except BaseException as error:
            return f"importing {entrypoint.partition(':')[0]} raised {type(error).__name__}"
    return ""


if __name__ == "__main__":
    from alula.local.work import template  # noqa: PLW0406 - under the name by which the rest of alula imports it

    template.main(sys.argv[1:])
