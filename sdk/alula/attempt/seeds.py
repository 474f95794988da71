"""The seeds of a process that was forked for an attempt. Called by the pod and the local runner."""

from __future__ import annotations

import sys
from typing import Any


def reseed() -> None:
    """Let NumPy's own generator differ between children, as between pods, unless the user's code has seeded it.

    Python's `random` does so by itself.
    """
    found: Any = sys.modules.get("numpy.random")
    if found is None:
        return
    try:
        if found.mtrand._rand._bit_generator.seed_seq is not None:
            found.seed()
    except AttributeError:  # another NumPy than those that we know
        return
