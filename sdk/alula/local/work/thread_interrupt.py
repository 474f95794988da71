"""A KeyboardInterrupt in the thread that calls a task, so that what the task wrote in `finally` runs.

Python raises it between two of its own instructions: a thread that waits in C, as `time.sleep` does, gets it when the
wait is over.
"""

from __future__ import annotations

import ctypes
import threading


class ThreadInterrupt:
    """Interrupts the thread that makes it, once, until `end`."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._open = True

    def __call__(self) -> None:
        """Raise it there; from any other thread."""
        with self._lock:
            if self._open:
                self._open = False
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread), ctypes.py_object(KeyboardInterrupt)
                )

    def end(self) -> None:
        """Nothing is raised from here on; what the thread does next is not the task's."""
        with self._lock:
            self._open = False
