"""While lines are rewritten in place, what tasks print must go above them: stand-ins for sys.stdout and sys.stderr.

Installed by `live` for the time of a run. Each thread's lines are kept together and labelled with the node that runs in
it. What bypasses `sys.stdout` (a child process, C code) is not caught.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import TextIO

Above = Callable[[str, list[str]], None]


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
        thread = threading.get_ident()
        label, before = self._partial.pop(thread, ("", ""))
        *lines, rest = (before + text).split("\n")
        if rest:
            self._partial[thread] = (label or self._label(), rest)
        if lines:
            self._above(label or self._label(), [_last_version(line) for line in lines])
        return len(text)

    def flush(self) -> None:
        """Nothing: a line appears when it is complete."""

    def drain(self) -> None:
        """Hand over lines that were never completed."""
        while self._partial:
            _, (label, rest) = self._partial.popitem()
            self._above(label, [_last_version(rest)])


def _last_version(line: str) -> str:
    """What a terminal would show of a line that was rewritten by carriage returns, as progress bars are."""
    return line.rstrip("\r").rpartition("\r")[2]
