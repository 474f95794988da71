"""A task's log, and our own lines in it: on stderr, each with the prefix `alula:`, or in JSON where that is asked."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import sys
import time

from alula_api.contract.pods import Env

LOGGER = "alula.runtime"


def unbuffer() -> None:
    """What a task prints is seen when it is printed, and a crash in native code says where it was."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, write_through=True)
    with contextlib.suppress(ValueError, io.UnsupportedOperation):
        faulthandler.enable()


def line(text: str, level: str = "info") -> None:
    """Writes one line, whatever `text` holds."""
    if _in_json():
        _json(level, text)
    else:
        _write("".join(f"alula: {part}\n" for part in text.splitlines()))


def traceback(text: str) -> None:
    """Writes the frames of a failure."""
    if text and _in_json():
        _json("error", text.rstrip().rpartition("\n")[2], text)
    else:
        _write(text)


def _in_json() -> bool:
    asked = os.environ.get(Env.LOG_FORMAT)
    if not asked:  # as in most installations, whose pods need no more
        return False
    from alula_api.contract import log_lines

    return asked == log_lines.JSON


def _json(level: str, message: str, frames: str = "") -> None:
    given = {"run": Env.RUN, "node": Env.NODE, "attempt": Env.ATTEMPT}
    fields: dict[str, object] = {name: os.environ[key] for name, key in given.items() if key in os.environ}
    if str(fields.get("attempt", "")).isdecimal():
        fields["attempt"] = int(str(fields["attempt"]))
    from alula_api.contract import log_lines

    _write(log_lines.line(time.time(), level, LOGGER, message, fields, traceback=frames) + "\n")


def _write(text: str) -> None:
    """Writes text as it is; a closed stderr is no reason to fail."""
    try:
        sys.stderr.write(text.encode("utf-8", "backslashreplace").decode())
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
