"""What the stream that we print to can show: a terminal or a file, colours, symbols, width.

Read anew for every frame, because windows are resized. Honours NO_COLOR, FORCE_COLOR, TERM=dumb, COLUMNS and CI.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Literal, NamedTuple, TextIO

from alula.display.styles import Style

Name = Literal["stdout", "stderr"]

results: TextIO | None = None
"""Where results go while `printing.kept_for_results` keeps stdout for them."""


class Terminal(NamedTuple):
    """The stream's abilities; `live` means that lines may be rewritten in place."""

    live: bool
    style: Style
    width: int = 80
    height: int = 24


def detect(name: Name, environment: Mapping[str, str] | None = None) -> Terminal:
    """Look at stdout or stderr as it is now."""
    return detect_stream(stream_of(name), environment)


def detect_stream(stream: TextIO | None, environment: Mapping[str, str] | None = None) -> Terminal:
    """Look at `stream` as it is now."""
    variables = os.environ if environment is None else environment
    interactive = is_terminal(stream)
    dumb = variables.get("TERM", "") in {"dumb", "unknown"}
    colour = interactive and not dumb
    if variables.get("FORCE_COLOR", "0") not in {"", "0"}:
        colour = True
    if variables.get("NO_COLOR"):
        colour = False
    width, height = size(stream, variables) if interactive else (100, 24)
    return Terminal(
        live=interactive and not dumb and not in_ci(variables),
        style=Style(colour=colour, symbols=_writes_symbols(stream)),
        width=max(width, 20),
        height=max(height, 5),
    )


def stream_of(name: Name) -> TextIO | None:
    """The stream as it is now: pytest and notebooks replace it; None in a process without a console."""
    if name == "stderr":
        return sys.stderr
    return sys.stdout if results is None else results


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):  # closed, or not a real stream
        return False


def in_ci(variables: Mapping[str, str]) -> bool:
    """Whether this is a CI job, whose log is read later even where it pretends to be a terminal."""
    return variables.get("CI", "").lower() not in {"", "0", "false"}


def size(stream: TextIO | None, variables: Mapping[str, str]) -> tuple[int, int]:
    """Columns and lines; COLUMNS and LINES win."""
    columns, lines = variables.get("COLUMNS", ""), variables.get("LINES", "")
    try:
        seen = os.get_terminal_size(stream.fileno()) if stream is not None else os.terminal_size((80, 24))
    except (OSError, ValueError, AttributeError):
        seen = os.terminal_size((80, 24))
    return int(columns) if columns.isdecimal() else seen.columns or 80, (
        int(lines) if lines.isdecimal() else seen.lines or 24
    )


def _writes_symbols(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        "✓✗·━╸⠙→…│×".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
