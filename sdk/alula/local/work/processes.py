"""Attempts in processes of their own, the default: what one does to the process that it runs in, no other sees.

Where this process may be forked, a template is forked from it before the run begins, and that forks a child an attempt:
whatever is defined here is there, in a notebook too. Elsewhere a fresh interpreter that has imported the user's modules
is the template, and where even that has threads, each attempt starts an interpreter. All run the same `worker`, on wire
values, with files and frames through the store. A process that is gone without an answer (a signal, lack of memory,
`os._exit`) is the failure of its attempt, not of the run.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from alula import errors
from alula.local.drive.attempts import Attempt, Failure
from alula.local.work import failures, forking, mocks, worker
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alula.declare.tasks import Task
    from alula.local.work import executor
    from alula_api.contract.values import Json

GRACE = 5.0
"""Seconds that attempts may take to clean up after an interrupt."""

MAX_LINE = 65_536
"""Bytes of a printed line that are held until its end comes."""

Printed = Callable[[Attempt, bytes], None]
"""Takes whole lines that an attempt has printed."""


class Source(Protocol):
    """Where the processes of a run come from."""

    def start(self, channel: socket.socket, output: int) -> subprocess.Popen[bytes] | None:
        """Start the process of one attempt; None where its end is reported through `channel`."""
        ...

    def close(self) -> None:
        """End what is left."""
        ...


class Pool:
    """Calls each task in a process of its own.

    Args:
        run: The run's id.
        prefix: The store's prefix.
        source: Where processes come from; closed with the pool.
        here: Calls a task in this process: for functions that stand in for others in tests.
        printed: Takes what attempts print.
    """

    def __init__(self, run: str, prefix: str, source: Source, here: executor.Call, printed: Printed) -> None:
        self._run = run
        self._prefix = prefix
        self._source = source
        self._here = here
        self._printed = printed
        self._changed = threading.Condition()
        self._running: set[_Process] = set()

    def __call__(self, task: Task[..., Any], attempt: Attempt, given: Mapping[str, Json]) -> dict[str, Json] | Failure:
        """The outputs of the task, or why there are none."""
        if mocks.of(task) is not None:
            return self._here(task, attempt, given)
        node = attempt.spot.path
        context = failures.Context(self._run, node, attempt.number, given)
        process = _Process(self._source)
        with self._changed:
            self._running.add(process)
        attempt.abandon, attempt.interrupt = process.kill, process.interrupt
        try:
            if attempt.over:
                process.kill()
            question = {
                "task": attempt.task,
                "entrypoint": task.entrypoint,
                "path": sys.path,
                "prefix": self._prefix,
                "environment": dict(task.options.environment),
                "inputs": dict(given),
                "context": {"run": self._run, "node": node, "attempt": attempt.number},
            }
            answer = process.ask(question, attempt.ready, lambda lines: self._printed(attempt, lines))
        finally:
            attempt.abandon = attempt.interrupt = None
            process.close()
            with self._changed:
                self._running.discard(process)
                self._changed.notify_all()
        if answer is None:
            return failures.killed(task, context, process.end)
        if "failure" in answer:
            return failures.of_record(answer["failure"], task, context)
        outputs: dict[str, Json] = answer["outputs"]
        return outputs

    def wait(self) -> None:
        """Give what was interrupted some time to clean up."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, GRACE)

    def close(self) -> None:
        """End every process that is left, and what those have started."""
        with self._changed:
            running = [*self._running]
        for process in running:
            process.kill()
        self._source.close()


def source(tasks: Mapping[str, Task[..., Any]], warn: Callable[[str], None]) -> Source | None:
    """Where the processes of a run come from; None where they cannot have any, which `warn` has said.

    Args:
        tasks: Those of the run, by name. What no process but this one and its children can find needs a fork.
        warn: Takes what the user should know.
    """
    if sys.platform == "win32":
        warn("tasks run in threads on Windows, which share seeds, globals and the working directory")
        return None
    problem = forking.obstacle()
    if not problem:
        return _Forked(tasks)
    unfound = [task for task in tasks.values() if task.obstacle and mocks.of(task) is None]
    if unfound:
        warn(
            f"tasks run in threads, which share seeds, globals and the working directory: this process cannot be "
            f"forked ({problem}), and another cannot find {unfound[0].subject}: {unfound[0].obstacle}"
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
            f"{task.subject} cannot run in a process of its own: {task.obstacle}",
            str(task.source),
        )
        for task in tasks
        if task.obstacle and mocks.of(task) is None
    ]
    if problems:
        raise errors.DefinitionError(problems)


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
        self._pid = forking.fork()
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


class _Process:
    """The process of one attempt, and the channel and the pipe to it."""

    def __init__(self, source: Source) -> None:
        self.end = "its process could not be started"
        self._lock = threading.Lock()
        self._pid = 0
        self._asked = 0  # the signal that was asked for before there was a process to send it to
        self._received = bytearray()
        self._line = b""
        self._channel, theirs = socket.socketpair()
        self._output, output = os.pipe()
        os.set_blocking(self._output, False)
        try:
            self._started = source.start(theirs, output)
        except OSError as error:
            self._started = None
            self.end += f": {error}"
        finally:
            theirs.close()
            os.close(output)

    def ask(
        self, question: Mapping[str, Any], ready: Callable[[], None] | None, printed: Callable[[bytes], None]
    ) -> dict[str, Any] | None:
        """The answer; None when the process is gone, and `end` says how. `ready` is called when the task starts."""
        try:
            while (line := self._next(printed)) is not None:
                word, _, rest = line.partition(b" ")
                if word.isdigit():
                    self._begin(int(word))
                    self._channel.sendall(json.dumps(question).encode() + b"\n")
                elif line == worker.READY.strip():
                    if ready is not None:
                        ready()
                elif word == b"ended":
                    self.end = _how(int(rest))
                    return None
                elif word == b"unstarted":
                    self.end += f": {rest.decode()}"
                    return None
                else:
                    answer: dict[str, Any] = json.loads(line)
                    return answer
        except OSError:
            pass  # it is gone; how is known below, or was reported by nobody
        finally:
            self._print(printed)
            if self._line:
                printed(self._line + b"\n")
        if self._started is not None:
            self.kill()
            self.end = _how(self._started.wait())
        elif self._pid:
            self.end = "its process ended"
        return None

    def kill(self) -> None:
        """End the process and what it started; safe to call at any time, from any thread."""
        self._signal(signal.SIGKILL)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the process and interrupt what it started."""
        self._signal(signal.SIGINT)

    def _signal(self, number: int) -> None:
        with self._lock:
            self._asked = max(self._asked, number)
            if self._pid:
                try:
                    os.killpg(self._pid, number)
                except (ProcessLookupError, PermissionError):
                    return

    def close(self) -> None:
        """Release what belongs to it."""
        if self._started is not None:
            self.kill()
            self._started.wait()
        with self._lock:
            self._pid = 0
        self._channel.close()
        os.close(self._output)

    def _begin(self, pid: int) -> None:
        with self._lock:
            self._pid = pid
        if self._asked:
            self._signal(self._asked)

    def _next(self, printed: Callable[[bytes], None]) -> bytes | None:
        """The next line that comes through the channel, handing over meanwhile what is printed; None at the end."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(self._output, select.POLLIN)
        end = self._received.find(b"\n")
        while end < 0:
            for descriptor, _ in poll.poll(1000):
                if descriptor == self._output:
                    if not self._print(printed):
                        poll.unregister(self._output)
                    continue
                chunk = self._channel.recv(65_536)
                if not chunk:
                    return None
                seen = len(self._received)
                self._received += chunk
                end = self._received.find(b"\n", seen)
            if end < 0 and self._started is not None and self._started.poll() is not None and not poll.poll(0):
                return None  # what it started may still hold the channel
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _print(self, printed: Callable[[bytes], None]) -> bool:
        """Hand over the lines that are there; False when nobody can print any more."""
        while True:
            try:
                chunk = os.read(self._output, 65_536)
            except BlockingIOError:
                return True
            lines, end, rest = chunk.rpartition(b"\n")
            if end:
                printed(self._line + lines + end)
                self._line = rest
            else:
                self._line += chunk
            if len(self._line) > MAX_LINE:
                printed(self._line + b"\n")
                self._line = b""
            if not chunk:
                return False


def _how(code: int) -> str:
    """How a process ended, for people."""
    if code >= 0:
        return f"its process ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = ", most likely for lack of memory" if -code == signal.SIGKILL else ""
    return f"its process was ended by {name}{why}"
