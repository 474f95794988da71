"""The traceback as the user should see it: the frames of their code and what it called, none of ours.

Called by the local runner and by the runtime in a pod when user code has raised. It must not load anything heavy before
that: `traceback` is imported on first use.
"""

from __future__ import annotations

import os.path
import types
from typing import TYPE_CHECKING

from alula.code import places

if TYPE_CHECKING:
    import traceback

LIMIT = 16_000
"""Characters of a traceback that are kept: the beginning and, twice as long, the end."""

_MACHINERY = ("<frozen importlib", "<frozen runpy")


def user_traceback(error: BaseException) -> str:
    """The traceback of `error` and its causes without the frames of alula; the last line names the exception.

    Frames of libraries that the user's code called are kept. When no frame is left (the mistake is in a value, not in
    code), only the line that names the exception is.
    """
    import traceback

    summary = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
    _clean(summary)
    text = "".join(summary.format())
    header = "Traceback (most recent call last):\n"
    if not summary.stack:
        # The header of the last part announces frames, of which none is left.
        before, _, last = text.rpartition(header)
        text = before + last
    for file in {frame.filename for frame in summary.stack}:
        if name := places.cell(file):
            text = text.replace(f'File "{file}"', f"Cell {name}")
    return _bounded(text)


def without_ours(error: BaseException) -> BaseException:
    """The error with a traceback of the user's frames and what they called, as a notebook shows it; unless none is."""
    frames = []
    found = error.__traceback__
    while found is not None:
        frames.append(found)
        found = found.tb_next
    kept = [frame for frame in frames if _is_users(frame.tb_frame.f_code.co_filename)]
    made: types.TracebackType | None = None
    for frame in reversed(kept):
        made = types.TracebackType(made, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return error.with_traceback(made) if made is not None else error


def where(error: BaseException, root: str = "") -> str:
    """`file:line` of the innermost frame in the user's own code, relative to `root` when it lies below; else ""."""
    found = ""
    frame = error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if _is_users(name) and not name.startswith("<") and not places.is_library(name):
            found = f"{relative(name, root)}:{frame.tb_lineno}"
        frame = frame.tb_next
    return found


def relative(path: str, root: str = "") -> str:
    """`path` as seen from `root` (the working directory when empty), or unchanged when it lies elsewhere."""
    start = os.path.join(root or os.getcwd(), "")  # noqa: PTH109, PTH118
    return path[len(start) :] if path.startswith(start) else path


def _clean(summary: traceback.TracebackException) -> None:
    todo: list[traceback.TracebackException | None] = [summary]
    while todo:
        part = todo.pop()
        if part is None:
            continue
        part.stack[:] = [frame for frame in part.stack if _is_users(frame.filename)]
        todo += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]


def _is_users(filename: str) -> bool:
    return not places.ours(filename) and not filename.startswith(_MACHINERY)


def _bounded(text: str) -> str:
    if len(text) <= LIMIT:
        return text
    # Whole lines only.
    head = text[: LIMIT // 3].rpartition("\n")[0]
    tail = text[-2 * LIMIT // 3 :].partition("\n")[2]
    return f"{head}\n  ... {len(text) - len(head) - len(tail)} characters left out ...\n{tail}"
