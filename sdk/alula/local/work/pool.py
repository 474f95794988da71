"""Calls each attempt in a process of its own, the default: what one does to its process, no other sees.

Processes come from `sources`; all run the same `worker`, on wire values, with files and frames through the store. A
process that is gone without an answer (a signal, lack of memory, `os._exit`) is the failure of its attempt, not of the
run.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alula.local.drive.attempts import Attempt, Failure
from alula.local.work import failures, mocks, worker

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.local.work import executor
    from alula.local.work.sources import Source
    from alula_api.contract.values import Json

MAX_LINE = 65_536
"""Bytes of a printed line that are held until its end comes."""

Printed = Callable[[Attempt, bytes], None]
"""Takes whole lines that an attempt has printed."""


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
        self._lock = threading.Lock()
        self._running: set[_Process] = set()

    def __call__(self, task: Task[..., Any], attempt: Attempt, given: Mapping[str, Json]) -> dict[str, Json] | Failure:
        """The outputs of the task, or why there are none."""
        if mocks.of(task) is not None:
            return self._here(task, attempt, given)
        import tempfile

        with tempfile.TemporaryDirectory(prefix="alula-", ignore_cleanup_errors=True) as scratch:
            return self._attempt(task, attempt, given, os.path.realpath(scratch))

    def _attempt(
        self, task: Task[..., Any], attempt: Attempt, given: Mapping[str, Json], scratch: str
    ) -> dict[str, Json] | Failure:
        node = attempt.spot.path
        context = failures.Context(self._run, node, attempt.number, given)
        process = _Process(self._source)
        with self._lock:
            self._running.add(process)
        attempt.abandon, attempt.interrupt = process.kill, process.interrupt
        try:
            if attempt.over:
                process.kill()
            question = {
                "task": attempt.task,
                "entrypoint": task.entrypoint,
                "path": sys.path,
                "scratch": scratch,
                "prefix": self._prefix,
                "environment": dict(task.options.environment),
                "inputs": dict(given),
                "context": {"run": self._run, "node": node, "attempt": attempt.number, "root": str(Path.cwd())},
            }
            answer = process.ask(question, attempt.ready, lambda lines: self._printed(attempt, lines))
        finally:
            attempt.abandon = attempt.interrupt = None
            process.close()
            with self._lock:
                self._running.discard(process)
        if answer is None:
            return failures.killed(task, context, process.end)
        if "failure" in answer:
            return failures.of_record(answer["failure"], task, context)
        outputs: dict[str, Json] = answer["outputs"]
        return outputs

    def close(self) -> None:
        """End every process that is left, and what those have started."""
        with self._lock:
            running = [*self._running]
        for process in running:
            process.kill()
        self._source.close()


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
            pass  # it is gone; how is known below, or was not reported
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
        """Hand over the lines that are there; False when none can be printed any more."""
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
