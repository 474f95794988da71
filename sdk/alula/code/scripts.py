"""A script that is imported by its module name is itself, so that its tasks exist once.

`python flows/x.py` makes the module `__main__`; when a helper of the project then imports `flows.x`, Python would run
the file a second time. Called by `alula.code.places` when the first task of a script is defined.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import types


class _Loader:
    """Hands out a module that is running already."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """The running module."""
        return self.module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is run again; the import must not change how the module sees itself."""
        module.__spec__ = self.spec


class _Finder:
    """Finds one name: that of the script."""

    def __init__(self, name: str, module: types.ModuleType) -> None:
        self.name = name
        self.module = module

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The script under its module name; everything else is left to the others."""
        return ModuleSpec(name, _Loader(self.module)) if name == self.name else None  # type: ignore[arg-type]


def alias(name: str) -> None:
    """Let `import <name>` give the running script."""
    main = sys.modules.get("__main__")
    if main is None or name in sys.modules or any(getattr(finder, "name", "") == name for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder(name, main))
