"""Attempts in processes of their own, so that a timeout or an interrupt really ends them. Used for `--processes`.

A worker process serves one attempt at a time and is used again until it dies; it runs the same `alula.attempt.invoke`
on wire values, with files and frames through the store. What tasks print comes back line by line. A process that is
gone without an answer (a signal, lack of memory, `os._exit`) is the failure of its attempt, not of the run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any

from alula import errors
from alula.local.drive.attempts import Attempt, Failure
from alula.local.work import failures, mocks
from alula.progress.current import current
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alula.declare.tasks import Task
    from alula.local.work import executor
    from alula_api.contract.values import Json


READY = b"ready\n"
"""What a worker process writes when it has imported the user's code."""


class Pool:
    """Calls tasks in worker processes; as many live as attempts ran at the same time.

    Args:
        run: The run's id.
        prefix: The store's prefix.
        here: Calls a task in this process: for functions that stand in for others in tests.
    """

    def __init__(self, run: str, prefix: str, here: executor.Call) -> None:
        self._run = run
        self._prefix = prefix
        self._here = here
        self._lock = threading.Lock()
        self._free: list[_Worker] = []
        self._all: set[_Worker] = set()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            workers = [*self._all]
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.close()

    def __call__(self, task: Task[..., Any], attempt: Attempt, given: Mapping[str, Json]) -> dict[str, Json] | Failure:
        """The outputs of the task, or why there are none."""
        node = attempt.spot.path
        if mocks.of(task) is not None:
            return self._here(task, attempt, given)
        context = failures.Context(self._run, node, attempt.number, given)
        worker = self._take()
        attempt.abandon = worker.kill
        worker.node = node
        try:
            if attempt.over:
                return failures.killed(task, context, "it was given up before it started")
            answer = worker.ask(
                {
                    "entrypoint": task.entrypoint,
                    "environment": dict(task.options.environment),
                    "inputs": dict(given),
                    "context": {"run": self._run, "node": node, "attempt": attempt.number},
                },
                attempt.ready,
            )
        finally:
            attempt.abandon = None
            self._give_back(worker)
        if answer is None:
            return failures.killed(task, context, worker.exit_reason())
        if "failure" in answer:
            return failures.of_record(answer["failure"], task, context)
        outputs: dict[str, Json] = answer["outputs"]
        return outputs

    def _take(self) -> _Worker:
        with self._lock:
            if self._free:
                return self._free.pop()
        worker = _Worker(self._prefix)
        with self._lock:
            self._all.add(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        if worker.alive:
            with self._lock:
                self._free.append(worker)
            return
        with self._lock:
            self._all.discard(worker)
        worker.close()


def check(tasks: Iterable[Task[..., Any]]) -> None:
    """Refuse tasks that another process cannot find.

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


class _Worker:
    """One worker process and the pipes to it."""

    def __init__(self, prefix: str) -> None:
        self.node = ""
        questions, self._questions = os.pipe()
        self._answers, answers = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "alula.local.work.worker", str(questions), str(answers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(questions, answers),
                # An interrupt at the terminal is ours to pass on.
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        finally:
            os.close(questions)
            os.close(answers)
        self._reader = os.fdopen(self._answers, "rb")
        self._writer = os.fdopen(self._questions, "wb")
        self._relays = [self._relay(self._process.stdout, "stdout"), self._relay(self._process.stderr, "stderr")]
        self._tell({"path": sys.path, "prefix": prefix})

    @property
    def alive(self) -> bool:
        """Whether the process can be asked again."""
        return self._process.poll() is None

    def ask(self, question: Mapping[str, Any], ready: Callable[[], None] | None) -> dict[str, Any] | None:
        """The answer; None when the process is gone. `ready` is called when the task is loaded and about to start."""
        line = self._reader.readline() if self._tell(question) else b""
        if line == READY:
            if ready is not None:
                ready()
            line = self._reader.readline()
        if not line.endswith(b"\n"):
            self.kill()
            self._process.wait()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End the process and what it started; safe to call at any time, from any thread."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()

    def exit_reason(self) -> str:
        """How the process ended, for people."""
        code = self._process.returncode
        if code is None or code >= 0:
            return f"its process ended by itself with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        why = ", most likely for lack of memory" if -code == signal.SIGKILL else ""
        return f"its process was ended by {name}{why}"

    def _tell(self, message: Mapping[str, Any]) -> bool:
        try:
            self._writer.write(json.dumps(message).encode() + b"\n")
            self._writer.flush()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Release what belongs to a process that was killed or is gone, once it is not asked any more."""
        self._process.wait()
        for relay in self._relays:
            relay.join(1)
        for stream in (self._reader, self._writer, self._process.stdout, self._process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was not flushed has no reader any more
                    continue

    def _relay(self, stream: IO[bytes] | None, name: str) -> threading.Thread:
        """Copy what the process prints to ours, under the label of its node."""

        def copy() -> None:
            assert stream is not None
            for line in stream:
                current.node = self.node
                ours = getattr(sys, name)
                if ours is not None:
                    ours.write(line.decode("utf-8", "replace"))

        thread = threading.Thread(target=copy, name=f"alula-{name}", daemon=True)
        thread.start()
        return thread
