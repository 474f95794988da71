"""Writes text to stdout or stderr and survives a reader that went away. Called by this package only."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Print `text` and a line end.

    Raises:
        OutputLost: It is a result, and could not be written.
    """
    emit(terminals.stream_of(name), text if text.endswith("\n") else f"{text}\n")


@contextmanager
def kept_for_results() -> Iterator[None]:
    """Keep stdout for what `write` prints there: all else that writes to it, child processes too, writes to stderr."""
    original, errors_go = sys.stdout, sys.stderr
    if original is None or errors_go is None:
        yield
    elif not (_leads_to(original, 1) and _leads_to(errors_go, 2)):  # notebooks and tests put streams of theirs there
        terminals.results, sys.stdout = original, errors_go
        try:
            yield
        finally:
            terminals.results, sys.stdout = None, original
    else:
        original.flush()
        kept = os.dup(1)
        os.dup2(2, 1)
        terminals.results = open(kept, "w", encoding=original.encoding, errors=original.errors)  # noqa: PTH123, SIM115
        try:
            yield
        finally:
            for stream in (original, terminals.results):
                try:
                    stream.flush()
                except OSError:  # the caller has the message already
                    continue
            os.dup2(kept, 1)
            try:
                terminals.results.close()
            except OSError:
                pass
            terminals.results = None


def _leads_to(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError, AttributeError):
        return False


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
        except OSError as error:
            _silence(stream)
            if stream is terminals.stream_of("stdout") and not isinstance(error, BrokenPipeError):
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
