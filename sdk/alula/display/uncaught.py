"""What `python flows/x.py` shows when it ends in an exception: the user's frames, and mistakes as messages.

Reached by `alula.code.hooks`; prints nothing that does not pass through alula.
"""

from __future__ import annotations

from alula import display, errors
from alula.code import places, tracebacks


def show(error: BaseException) -> bool:
    """Print an uncaught exception on stderr; returns whether it was printed."""
    if isinstance(error, errors.UserError):
        display.diagnostics(error.diagnostics)
        if isinstance(error, errors.LoadError) and error.traceback:
            display.note(error.traceback.rstrip())
        return True
    if not _passes_through_us(error):
        return False
    display.note(tracebacks.user_traceback(error).rstrip())
    return True


def _passes_through_us(error: BaseException) -> bool:
    traceback = error.__traceback__
    while traceback is not None:
        if places.ours(traceback.tb_frame.f_code.co_filename):
            return True
        traceback = traceback.tb_next
    return False
