"""A rename that fails where something already has the name, for file systems without hard links.

Used by `folders` when `link` is refused (some FUSE and container mounts). Python has no such call, the systems have.
"""

from __future__ import annotations

import errno
import os
import sys

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4


def rename_anew(source: str, target: str) -> None:
    """Renames `source` to `target`; raises FileExistsError if there is one, and OSError if the system cannot."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    old, new = os.fsencode(source), os.fsencode(target)
    try:
        if sys.platform == "darwin":
            result = library.renamex_np(old, new, _RENAME_EXCL)
        else:
            result = library.renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE)
    except AttributeError:
        raise OSError(errno.ENOSYS, "neither hard links nor exclusive renames exist here", target) from None
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)
