"""Projects of tests, whose modules are imported into the tests' own process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def forgotten(root: Path) -> Iterator[None]:
    """Forget afterwards what was imported from a folder: another test's project may have modules of the same names.

    Those of our own package of examples stay.
    """
    path = [*sys.path]
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in [*sys.modules.items()]:
            file = str(getattr(module, "__file__", None) or "")
            if file.startswith(f"{root}{os.sep}") and name.partition(".")[0] != "examples":
                del sys.modules[name]
