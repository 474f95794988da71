"""Which node runs in this thread, for a display that labels what tasks print. Set by the local runner."""

from __future__ import annotations

import threading


class _Current(threading.local):
    """The node of the attempt that this thread works on.

    Attributes:
        node: Its id; empty outside of attempts.
    """

    node: str = ""


current = _Current()
