"""Small projects on disk for tests: files are written, imported as a user's would be, changed and imported anew."""

from __future__ import annotations

import linecache
import sys
import textwrap
import types
from pathlib import Path

from alula.code import importing, places


class Project:
    """A folder with a pyproject.toml; `load` imports a file of it freshly each time."""

    def __init__(self, root: Path, *, pyproject: str | None = "[project]\nname = 'acme'\n") -> None:
        self.root = root
        self._names: set[str] = set()
        self._modules = set(sys.modules)
        self._path = sys.path[:]
        if pyproject is not None:
            self.write("pyproject.toml", pyproject)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._names |= {Path(name).parts[0].removesuffix(".py"), path.stem}
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def load(self, name: str) -> types.ModuleType:
        self.forget()
        return importing.load(str(self.root / name))

    def _holds(self, module: types.ModuleType) -> bool:
        places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
        return any(str(place).startswith(str(self.root)) for place in places)

    def forget(self) -> None:
        """Drop what was imported, as a new process would not have it; also what other tests left under our names."""
        for name, module in [*sys.modules.items()]:
            file = getattr(module, "__file__", None)
            left = name.partition(".")[0] in self._names and not (file and places.is_library(file))
            if left or (name not in self._modules and self._holds(module)):
                del sys.modules[name]
        sys.path[:] = self._path
        sys.path_importer_cache.clear()
        linecache.clearcache()
