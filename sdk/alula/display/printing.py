"""Writes text to stdout or stderr and survives a reader that went away. Called by this package only."""

from __future__ import annotations

import os
import sys
import threading
from typing import TextIO

from alula import errors
from alula.display import terminals
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

lock = threading.RLock()
"""Held while anything is written, so that lines of different threads never mix."""


class OutputLost(errors.UserError):
    """What a command printed to stdout has not arrived, such as on a disk that is full."""


def write(name: terminals.Name, text: str) -> None:
    """Print `text` and a line end."""
    emit(terminals.stream_of(name), text if text.endswith("\n") else f"{text}\n")


def emit(stream: TextIO | None, text: str) -> None:
    """Write `text` as it is; characters that the stream cannot encode become escapes.

    A reader that went away (`alula run ... | head`) is no error: later output goes nowhere. Nor is a stderr that cannot
    be written.

    Raises:
        OutputLost: Results could not be written.
    """
    if stream is None:
        return
    with lock:
        try:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                encoding = getattr(stream, "encoding", None) or "ascii"
                stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except BrokenPipeError:
            _silence(stream)
        except OSError as error:
            _silence(stream)
            if stream is sys.stdout:
                message = f"stdout cannot be written: {error.strerror or error}"
                raise OutputLost([Diagnostic(Code.OUTPUT_LOST, message)]) from None


def _silence(stream: TextIO) -> None:
    """Let the interpreter's own last flush succeed."""
    try:
        with open(os.devnull, "w") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), stream.fileno())
    except (OSError, ValueError, AttributeError):
        if stream is sys.stdout:
            sys.stdout = None
