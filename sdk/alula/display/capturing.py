"""Stand-ins for sys.stdout and sys.stderr, so that what threads print comes in whole lines that say which task it was.

Installed by `live`, where the lines go above the view, and by `plain`, for the time of a run. Each thread's lines are
kept together. What bypasses `sys.stdout` (a child process, C code) is not caught; tasks in processes of their own do
not need this.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from alula.progress.current import current

Above = Callable[[str, Sequence[str]], None]


class Captures:
    """The stand-ins of one run.

    Args:
        above: Takes the label and lines.
    """

    def __init__(self, above: Above) -> None:
        self._above = above
        self._installed: list[tuple[str, Capture]] = []

    def install(self, stands_in: Callable[[TextIO], bool]) -> None:
        """Put one in place of each stream for which `stands_in` is true."""
        for name in ("stdout", "stderr"):
            stream: TextIO | None = getattr(sys, name)
            if stream is not None and stands_in(stream):
                capture = Capture(stream, self._above, lambda: current.node)
                self._installed.append((name, capture))
                setattr(sys, name, capture)

    def close(self) -> None:
        """Put the streams back."""
        for _, capture in self._installed:
            capture.drain()
        for name, capture in self._installed:
            if getattr(sys, name) is capture:
                setattr(sys, name, capture.stream)
        self._installed.clear()


class Capture(io.TextIOBase):
    """A text stream that hands over whole lines, and behaves like `stream` otherwise.

    Args:
        stream: The stream that it stands in for.
        above: Takes the label and lines.
        label: Names the node that runs in the calling thread, or "".
    """

    def __init__(self, stream: TextIO, above: Above, label: Callable[[], str]) -> None:
        self.stream = stream
        self._above = above
        self._label = label
        self._partial: dict[int, tuple[str, str]] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As of the stream."""
        return getattr(self.stream, "encoding", "utf-8")

    def isatty(self) -> bool:
        """As of the stream."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """As of the stream: child processes write past us."""
        return self.stream.fileno()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Hand over the lines that `text` completes."""
        thread, now = threading.get_ident(), self._label()
        label, before = self._partial.pop(thread, (now, ""))
        if label != now:  # the thread has gone on to another task
            self._above(label, [last_version(before)])
            label, before = now, ""
        *lines, rest = (before + text).split("\n")
        if rest:
            self._partial[thread] = (label, rest)
        if lines:
            self._above(label, [last_version(line) for line in lines])
        return len(text)

    def flush(self) -> None:
        """Nothing: a line appears when it is complete."""

    def drain(self) -> None:
        """Hand over lines that were never completed."""
        while self._partial:
            _, (label, rest) = self._partial.popitem()
            self._above(label, [last_version(rest)])


def last_version(line: str) -> str:
    """What a terminal would show of a line that was rewritten by carriage returns, as progress bars are."""
    return line.rstrip("\r").rpartition("\r")[2]
