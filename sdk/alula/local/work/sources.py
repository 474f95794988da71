"""Where the processes of attempts come from: forks of a template, or fresh interpreters. Chosen once a run.

Where this process may be forked, a template is forked from it before the run begins, and that forks a child an attempt:
whatever is defined here is there, in a notebook too. Elsewhere a fresh interpreter that has imported the user's modules
is the template, and where even that has threads, each attempt starts an interpreter.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from alula import errors
from alula.attempt import forks
from alula.declare import reachable
from alula.local.work import mocks
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alula.declare.tasks import Task


class Source(Protocol):
    """Where the processes of a run come from."""

    def start(self, channel: socket.socket, output: int) -> subprocess.Popen[bytes] | None:
        """Start the process of one attempt; None where its end is reported through `channel`."""
        ...

    def close(self) -> None:
        """End what is left."""
        ...


def find(tasks: Mapping[str, Task[..., Any]], warn: Callable[[str], None]) -> Source | None:
    """Where the processes of a run come from; None where they cannot have any, which `warn` has said.

    Args:
        tasks: Those of the run, by name. What no process but this one and its children can find needs a fork.
        warn: Takes what the user should know.
    """
    if sys.platform == "win32":
        warn("tasks run in threads on Windows, which share seeds, globals and the working directory")
        return None
    problem = forks.obstacle()
    if not problem:
        return _Forked(tasks)
    unfound = [*_unfound(tasks.values())]
    if unfound:
        warn(
            f"tasks run in threads, which share seeds, globals and the working directory: this process cannot be "
            f"forked ({problem}), and another cannot find {unfound[0][0].subject}: {unfound[0][1]}"
        )
        return None
    if sys.platform == "linux":
        found = _Imported(tasks)
        if not found.obstacle:
            return found
        problem = found.obstacle
        found.close()
    warn(f"each attempt starts an interpreter of its own, which takes longer: {problem}")
    return _Fresh()


def check(tasks: Iterable[Task[..., Any]]) -> None:
    """Refuse tasks that another process cannot find, where processes were asked for and this one cannot be forked.

    Raises:
        DefinitionError: Names each of them.
    """
    problems = [
        Diagnostic(
            Code.BAD_SOURCE,
            f"{task.subject} cannot run in a process of its own: {obstacle}",
            str(task.source),
        )
        for task, obstacle in _unfound(tasks)
    ]
    if problems:
        raise errors.DefinitionError(problems)


def _unfound(tasks: Iterable[Task[..., Any]]) -> Iterator[tuple[Task[..., Any], str]]:
    """The tasks that a process which imports the code would not find, each with why. Mocks travel by themselves."""
    for task in tasks:
        if mocks.of(task) is None and (obstacle := reachable.obstacle(task)):
            yield task, obstacle


class _Template:
    """The other end of a template's control socket."""

    def __init__(self) -> None:
        self._control, self._theirs = socket.socketpair()
        self._lock = threading.Lock()

    def start(self, channel: socket.socket, output: int) -> None:
        """Have a child forked."""
        with self._lock:
            socket.send_fds(self._control, [b"f"], [channel.fileno(), output])


class _Forked(_Template):
    """A template that is forked from this process."""

    def __init__(self, tasks: Mapping[str, Task[..., Any]]) -> None:
        super().__init__()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        self._pid = forks.fork()
        if self._pid == 0:
            from alula.local.work import template

            try:
                self._control.close()
                template.forked(self._theirs, tasks)
            finally:
                os._exit(1)
        self._theirs.close()

    def close(self) -> None:
        """The template ends its children and itself when the socket closes."""
        self._control.close()
        if self._pid:
            try:
                os.waitpid(self._pid, 0)
            except ChildProcessError:  # other code of this process waits for all children
                pass
            self._pid = 0


class _Imported(_Template):
    """A template that is a fresh interpreter.

    Attributes:
        obstacle: Why it cannot be forked either; empty when it can.
    """

    def __init__(self, tasks: Mapping[str, Task[..., Any]]) -> None:
        super().__init__()
        self._process = _python("alula.local.work.template", self._theirs.fileno())
        self._theirs.close()
        entrypoints = [task.entrypoint for task in tasks.values() if mocks.of(task) is None]
        with self._control.makefile("rwb", buffering=0) as talk:
            talk.write(json.dumps({"path": sys.path, "entrypoints": entrypoints}).encode() + b"\n")
            line = talk.readline()
        self.obstacle: str = json.loads(line)["obstacle"] if line.endswith(b"\n") else "importing the code ended it"

    def close(self) -> None:
        """As that of a forked one."""
        self._control.close()
        self._process.wait()


class _Fresh:
    """A fresh interpreter an attempt."""

    def start(self, channel: socket.socket, output: int) -> subprocess.Popen[bytes]:
        """Start it."""
        return _python("alula.local.work.worker", channel.fileno(), output)

    def close(self) -> None:
        """Nothing: each attempt ends its own."""


def _python(module: str, descriptor: int, output: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, str(descriptor)],
        stdin=subprocess.DEVNULL,
        stdout=2 if output is None else output,
        stderr=output,
        pass_fds=(descriptor,),
        # An interrupt at the terminal is ours to pass on.
        start_new_session=True,
    )
