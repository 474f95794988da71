"""The template of a run's processes: it has the user's code loaded, has one thread, and forks a child an attempt.

Forked or started (`python -m alula.local.work.template CONTROL`) by `processes`, which sends it a pair of file
descriptors for each attempt: the channel for `worker`, and where the child's output goes. When the control socket
closes, as when its parent is killed, it ends its children and itself.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from alula.local.work import forking, worker

if TYPE_CHECKING:
    from alula.declare.tasks import Task


def main(argv: Sequence[str]) -> None:
    """Import the user's code in a fresh interpreter, report whether it can be forked, and serve if so."""
    os.set_inheritable(int(argv[0]), False)
    with socket.socket(fileno=int(argv[0])) as control:
        with control.makefile("rwb", buffering=0) as talk:
            question = json.loads(talk.readline())
            problem = _load(question) or forking.obstacle()
            talk.write(json.dumps({"obstacle": problem}).encode() + b"\n")
        if not problem:
            os.dup2(2, 1)
            serve(control, worker.import_task)


def forked(control: socket.socket, tasks: Mapping[str, Task[..., Any]]) -> NoReturn:
    """Be the template, in a process that was just forked from the one that holds the tasks."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        import logging  # noqa: F401 - loaded once, so that each child finds it

        serve(control, lambda question: tasks[question["task"]])
    finally:
        os._exit(1)


def serve(control: socket.socket, find: worker.Find) -> NoReturn:
    """Fork a child for each pair of file descriptors that comes, until the socket closes."""
    from alula.attempt import invoke
    from alula.interfaces import encode
    from alula.local.store import place
    from alula.local.work import carriers, failures

    _ = invoke, encode, place, carriers, failures  # loaded once for all children
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
        pid = forking.fork()
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
        _end(found.si_pid)  # while it waits to be reaped nobody else has its number
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


def _load(question: Mapping[str, Any]) -> str:
    """Import the modules of all tasks; what is wrong with one, its attempts report."""
    for entrypoint in question["entrypoints"]:
        try:
            worker.import_task({"path": question["path"], "entrypoint": entrypoint})
        except BaseException as error:
            return f"importing {entrypoint.partition(':')[0]} raised {type(error).__name__}"
    return ""


if __name__ == "__main__":
    from alula.local.work import template  # noqa: PLW0406 - under the name by which the rest of alula imports it

    template.main(sys.argv[1:])
