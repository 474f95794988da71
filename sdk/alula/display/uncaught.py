"""What `python flows/x.py` shows when it ends in an exception: the user's frames, and mistakes as messages.

Reached by `alula.code.hooks`; prints nothing that does not pass through alula.
"""

from __future__ import annotations

from alula import display, errors
from alula.code import tracebacks


def show(error: BaseException, passes: bool) -> bool:
    """Print an uncaught exception on stderr.

    Args:
        error: The exception.
        passes: Whether its traceback has frames of alula.

    Returns:
        Whether it was printed.
    """
    if isinstance(error, errors.UserError):
        display.diagnostics(error.diagnostics)
        if isinstance(error, errors.LoadError) and error.traceback:
            display.note(error.traceback.rstrip())
        return True
    if passes:
        display.note(tracebacks.user_traceback(error).rstrip())
    return passes
