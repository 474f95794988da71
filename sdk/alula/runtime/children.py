"""Processes for parts of an attempt, each of which gives one JSON value: forks of this one, or others that are started.

Called by `batches`. What opens a store may start threads, and a process with threads cannot be forked any more: so as
long as more are to come, everything that needs one happens in a child.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from alula.runtime.signals import GRACE
from alula_api.contract import values

if TYPE_CHECKING:
    from alula_api.contract.values import Json

OVERDUE = 124
"""The exit code of a child whose time was over and that could not say so."""
_CHUNK = 1 << 16
_LOOK = 5.0
"""Seconds after which it is looked whether one has ended without a word: what it has started may hold its pipe open."""


class Child:
    """One of them, from its start.

    Args:
        work: What it does, in a fork of this process; it must not raise. Or the words of a command, which gets the
            number of the file for its answer (`answer`) as one more.
        seconds: After which it is killed, whatever it does; 0 for never.
    """

    def __init__(self, work: Callable[[], Json] | Sequence[str], seconds: float = 0) -> None:
        self.reader, writer = os.pipe()
        self.kills_at = time.monotonic() + seconds if seconds else float("inf")
        self.late = False
        self._received = b""
        _flush()
        if callable(work):
            self.pid = os.fork()
            if self.pid == 0:
                os.close(self.reader)
                answer(work, writer)
        else:
            os.set_inheritable(writer, True)
            self.pid = os.posix_spawn(work[0], [*work, str(writer)], os.environ)
        os.close(writer)

    def receive(self) -> bool:
        """Take what it has written; whether that was all."""
        chunk = os.read(self.reader, _CHUNK)
        self._received += chunk
        return not chunk or chunk.endswith(b"\n")  # a process that it left behind may hold the pipe open

    def end(self) -> Json | None:
        """Wait for its end; what it gave, None if it ended without a word."""
        os.close(self.reader)
        _, self.status = os.waitpid(self.pid, 0)
        return values.parse(self._received.decode()) if self._received.endswith(b"\n") else None

    @property
    def is_gone(self) -> bool:
        """Whether its process has ended."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    @property
    def is_overdue(self) -> bool:
        """Whether it was ended because its time was over."""
        return self.late or os.waitstatus_to_exitcode(self.status) == OVERDUE

    @property
    def how(self) -> str:
        """How it ended, in words."""
        code = os.waitstatus_to_exitcode(self.status)
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Children:
    """Those that run at one time; leaving the block ends what is left of them."""

    def __init__(self) -> None:
        self.running: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.running.values():
            child.kill(signal.SIGTERM)
        end = time.monotonic() + GRACE
        while self.running and time.monotonic() < end:
            self.ended(end - time.monotonic())
        for child in self.running.values():
            child.kill()
            child.end()
        self._selector.close()

    def start(self, child: Child) -> Child:
        """Watch over a child."""
        self.running[child.reader] = child
        self._selector.register(child.reader, selectors.EVENT_READ)
        return child

    def ended(self, seconds: float | None) -> list[tuple[Child, Json | None]]:
        """Wait for at most so many seconds until one has ended; those that have, and what they gave."""
        first = min((child.kills_at for child in self.running.values()), default=float("inf"))
        wait = min(first - time.monotonic(), _LOOK if seconds is None else seconds, _LOOK)
        ready = [key.fd for key, _ in self._selector.select(max(0.0, wait))]
        over = [fd for fd in ready if self.running[fd].receive()]
        if not ready:
            over = [fd for fd, child in self.running.items() if child.is_gone]
        found = []
        for fd in over:
            self._selector.unregister(fd)
            child = self.running.pop(fd)
            found.append((child, child.end()))
        for child in self.running.values():
            if child.kills_at <= time.monotonic() and not child.late:
                child.late = True
                child.kill()
        return found


def ask(work: Callable[[], Json]) -> Json | None:
    """What one child gives, after its end; None if it ended without a word."""
    with Children() as children:
        children.start(Child(work))
        while not (found := children.ended(None)):
            pass
        return found[0][1]


def answer(work: Callable[[], Json], writer: int) -> NoReturn:
    """Be such a process: give what `work` gives, and end."""
    code = 1
    try:
        left = memoryview(values.dumps(work()).encode("utf-8") + b"\n")
        while left:
            left = left[os.write(writer, left) :]
        code = 0
    finally:
        _flush()
        os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
