"""Whether this process may be forked. Asked by the local runner, and by a pod that runs a batch.

A forked child has one thread: whatever other threads held or did is frozen in it. So only threads that are known to
rest, or whose libraries prepare for a fork, may be there. What the project's own imports have started is not.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import types

RESTING = ("/ipykernel/", "/IPython/", "/execnet/", "/pytest_timeout")
"""Parts of paths: threads of a notebook's kernel and of test runners wait for messages while the main thread works."""

LOOPS = ("/tornado/", "/zmq/")
"""Parts of paths of the loops in which the threads of a kernel wait: what called the loop says whether they rest."""

PREPARED = ("jemalloc_bg_thd", "ZMQbg/")
"""How names begin of threads whose libraries prepare for a fork."""

UNPREPARED = frozenset(
    ("cupy", "grpc", "jax", "lightgbm", "obstore", "polars", "sklearn", "tensorflow", "torch", "xgboost")
)
"""Libraries whose threads a child would wait for; pyarrow, which may have threads too, makes new ones in a child."""

DEVICES = ("/dev/nvidia", "/dev/kfd", "/dev/dri/")
"""How the paths of open files begin where this process talks to a GPU."""


def obstacle() -> str:
    """Why this process must not be forked, in words; empty when it may be."""
    if sys.platform != "linux":
        return f"processes are not forked on {sys.platform}"
    if any(path.startswith(DEVICES) for path in _open_files()):
        return "a GPU is in use"
    busy = [thread for thread in threading.enumerate() if not _rests(thread)]
    if busy:
        return f"the thread {busy[0].name!r} is running"
    names = _native_threads()
    if len(names) > threading.active_count():
        _probe()  # pools that prepare for a fork, as that of OpenBLAS, end their threads for it
        names = _native_threads()
    known = sum(name.startswith(PREPARED) for name in names) + threading.active_count()
    if len(names) > known and ("pyarrow" not in sys.modules or not UNPREPARED.isdisjoint(sys.modules)):
        return "a library has started threads"
    return ""


def fork() -> int:
    """`os.fork`, without the warning that there are threads: `obstacle` has looked at them."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _rests(thread: threading.Thread) -> bool:
    """Whether a thread is this one, or one that does nothing while this one works."""
    if thread.ident == threading.get_ident():
        return True
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is None or _is_resting(frame)


def _is_resting(frame: types.FrameType | None) -> bool:
    from alula.code import places

    ours = False
    while frame is not None:
        file = frame.f_code.co_filename
        if any(part in file for part in RESTING):
            return True
        if places.ours(file):
            ours = True
        elif not any(part in file for part in LOOPS) and (places.is_installed(file) or not places.is_library(file)):
            return False
        frame = frame.f_back
    return ours


def _native_threads() -> list[str]:
    """The names of all threads of this process, Python's and others."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:  # it has just ended
            continue
    return names


def _open_files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
        except OSError:
            continue
    return found


def _probe() -> None:
    """Fork once, for what that does to this process."""
    pid = fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
