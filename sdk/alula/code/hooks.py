"""What `python flows/x.py` shows when it ends in an exception: the user's frames, and mistakes as messages.

Set up by a script that defines tasks or calls a workflow, unless somebody else has put a hook there before. What does
not pass through alula is shown as always.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import types


def install() -> None:
    """Show uncaught exceptions our way, where Python's own hook is still in place."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = show


def show(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
    """An uncaught exception on stderr."""
    from alula import display, errors
    from alula.attempt import tracebacks

    if isinstance(error, errors.UserError):
        display.diagnostics(error.diagnostics)
        if isinstance(error, errors.LoadError) and error.traceback:
            display.note(error.traceback.rstrip())
    elif _passes_through_us(traceback):
        display.note(tracebacks.user_traceback(error).rstrip())
    else:
        sys.__excepthook__(kind, error, traceback)


def _passes_through_us(traceback: types.TracebackType | None) -> bool:
    from alula.code import places

    while traceback is not None:
        if places.ours(traceback.tb_frame.f_code.co_filename):
            return True
        traceback = traceback.tb_next
    return False
