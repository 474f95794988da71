"""Our own lines in a task's log: few, plain, on stderr, each with the prefix `alula:`."""

from __future__ import annotations

import sys


def line(text: str) -> None:
    """Writes one line, whatever `text` holds."""
    write("".join(f"alula: {part}\n" for part in text.splitlines()))


def write(text: str) -> None:
    """Writes text as it is; a closed stderr is no reason to fail."""
    try:
        sys.stderr.write(text.encode("utf-8", "backslashreplace").decode())
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
