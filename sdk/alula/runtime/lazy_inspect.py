"""`inspect`, imported when it is first used.

Called by `alula.runtime.__main__` before anything else is imported. `dataclasses` imports `inspect` for the docstrings
of classes that have none, which ours have; with what `inspect` imports in turn, that is a tenth of a pod's start.
"""

from __future__ import annotations

import sys
import types


class _Deferred(types.ModuleType):
    """Stands in `sys.modules` for a module, and becomes it at the first look at one of its names."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        real = __import__(self.__name__)
        self.__dict__.update(real.__dict__)
        return getattr(real, name)


def defer(name: str) -> None:
    """Puts the import of a top-level module off, unless it has been imported already."""
    sys.modules.setdefault(name, _Deferred(name))
