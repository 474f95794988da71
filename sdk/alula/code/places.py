"""Where definitions live: project roots, module names that are the same everywhere, and file:line of a call.

Used by the decorators, the command line, the runtime and emission. A module is named by its file's place below the
project root, never by how this process happened to start: `python flows/x.py`, `alula run flows/x.py`, pytest and the
pod all see `flows.x`.
"""

from __future__ import annotations

import os
import os.path
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import types

INTERACTIVE = "interactive"
"""The module of what is typed at a prompt or into a notebook; it can be run here and nowhere else."""

STARTED = time.time()
stamps: dict[str, tuple[int, int]] = {}
"""Time of change and size of files when their code was loaded, for `cache=True` to notice later changes."""
_roots: dict[str, tuple[str, str]] = {}


class Source(NamedTuple):
    """A place in the user's code."""

    file: str
    """Relative to the project root, with slashes; as Python names it when it is no file."""
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


NOWHERE = Source("", 0)


class Entrypoint(NamedTuple):
    """How another process finds a function again: `flows.penguins:load`."""

    module: str
    qualname: str

    def __str__(self) -> str:
        return f"{self.module}:{self.qualname}"

    @property
    def obstacle(self) -> str:
        """Why another process cannot find it, in words; empty when it can."""
        if self.module == INTERACTIVE:
            return "it was typed at a prompt or in a notebook: move it into a file"
        if self.qualname.endswith("<lambda>"):
            return "it is a lambda: write it as a function with def"
        if "<locals>" in self.qualname:
            outer = self.qualname.partition(".<locals>")[0]
            return f"it is defined inside {outer}(): move it to the top level of its module"
        return ""


def root(path: str) -> tuple[str, str]:
    """The project root of a file and the folder below it from which modules are named (`src/`, or the root itself).

    The root is the folder of the nearest `pyproject.toml`; without one, the folder that holds the outermost package.
    """
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - this runs at import; pathlib is slow
    found = _roots.get(folder)
    if found is None:
        found = _roots[folder] = _find_root(folder)
    return found


def _find_root(folder: str) -> tuple[str, str]:
    here = folder
    while True:
        if os.path.isfile(os.path.join(here, "pyproject.toml")):  # noqa: PTH113, PTH118
            source = os.path.join(here, "src")  # noqa: PTH118
            return here, source if _below(folder, source) else here
        parent = os.path.dirname(here)  # noqa: PTH120
        if parent == here:
            break
        here = parent
    while os.path.isfile(os.path.join(folder, "__init__.py")):  # noqa: PTH113, PTH118
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder, folder


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))  # noqa: PTH118


def module_name(path: str) -> str:
    """The module's name as the pod will import it: relative to the project root, `src/` left out."""
    path = os.path.abspath(path)  # noqa: PTH100
    base = root(path)[1]
    stem = os.path.splitext(_from(path, base))[0]  # noqa: PTH122
    parts = stem.split(os.sep)  # noqa: PTH206
    if parts[-1] in {"__init__", "__main__"} and len(parts) > 1:
        parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts)


def relative(path: str) -> str:
    """A file as messages and resources name it: relative to its project root, with slashes; a cell of a notebook."""
    if path.startswith("<") or not os.path.isabs(path) or "ipykernel_" in path:  # noqa: PTH117
        return cell(path) or path
    return _from(path, root(path)[0]).replace(os.sep, "/")


def _from(path: str, folder: str) -> str:
    """A path relative to a folder: as `relpath` says it, which is slow, asked only where the folder is no beginning."""
    start = os.path.join(folder, "")  # noqa: PTH118
    is_plain = path.startswith(start) and f"{os.sep}." not in path and os.sep * 2 not in path
    return path[len(start) :] if is_plain else os.path.relpath(path, folder)


def cell(path: str) -> str:
    """What IPython calls the cell that it has compiled under this name: `In[8]`; empty for other code."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    named = shell.compile.format_code_name(path) if shell is not None else None
    return named[1] if named else ""


def is_installed(path: str) -> bool:
    """Whether a file belongs to an installed package rather than to a project."""
    return "site-packages" in path or "dist-packages" in path


def is_library(path: str) -> bool:
    """Whether a file belongs to Python or to an installed package."""
    return is_installed(path) or path.startswith((_STANDARD, "<frozen "))


def is_interactive(path: str) -> bool:
    """Whether code came from a prompt, a notebook cell or `exec` rather than from a file."""
    return path.startswith("<") or "ipykernel_" in path or not os.path.isfile(path)  # noqa: PTH113


def entrypoint(function: Callable[..., Any]) -> Entrypoint:
    """The name by which another process finds `function`."""
    code = getattr(function, "__code__", None)
    path = os.path.abspath(code.co_filename) if code and not code.co_filename.startswith("<") else "<>"  # noqa: PTH100
    qualname = getattr(function, "__qualname__", type(function).__qualname__)
    module = getattr(function, "__module__", None) or INTERACTIVE
    if is_interactive(path):
        return Entrypoint(INTERACTIVE if module == "__main__" else module, qualname)
    if is_installed(path) and module != "__main__":
        return Entrypoint(module, qualname)
    name = module_name(path)
    if module == "__main__" and getattr(sys.modules.get(module), "__file__", None):
        from alula.code import hooks, scripts

        scripts.alias(name)
        hooks.install()
    return Entrypoint(name, qualname)


class Maker(NamedTuple):
    """The module whose top level ran when something was made."""

    module: str
    """Its name, the same in every process."""
    names: dict[str, Any]


def maker() -> Maker | None:
    """The module that is being run; None for a prompt, and where a function of a finished module makes something."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    if frame is None or is_interactive(frame.f_code.co_filename):
        return None
    file, names = frame.f_code.co_filename, frame.f_globals
    return Maker(names["__name__"] if is_installed(file) else module_name(file), names)


def defined(function: Callable[..., Any]) -> Source:
    """Where a function is defined: the line of its first decorator or of its `def`."""
    code = getattr(function, "__code__", None)
    return Source(relative(code.co_filename), code.co_firstlineno) if code is not None else NOWHERE


def layers(function: Callable[..., Any]) -> list[Any]:
    """A function and what its decorators wrapped by functools.wraps, the innermost last."""
    found: list[Any] = [function]
    while (inner := getattr(found[-1], "__wrapped__", None)) is not None:
        found.append(inner)
    return found


def code(function: Callable[..., Any]) -> Any:
    """The code of a function below its decorators; None for what is not written in Python."""
    return getattr(layers(function)[-1], "__code__", None)


class Decorated:
    """What a decorator of ours has made of a user's function."""

    function: Callable[..., Any]


def stamp(function: Callable[..., Any]) -> None:
    """Remember the state of the file whose code has just been loaded."""
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    try:
        status = os.stat(file)  # noqa: PTH116
    except OSError:
        return
    stamps[file] = (status.st_mtime_ns, status.st_size)


class Call(NamedTuple):
    """A call that was seen while tracing: cheap to take, turned into a line by `Lines`."""

    code: types.CodeType
    instruction: int


class Lines:
    """Instructions to lines, one pass over a code object however many calls it makes.

    `frame.f_lineno` walks the line table from its start at every call, which is quadratic in a generated workflow of
    10,000 lines.
    """

    def __init__(self) -> None:
        self._tables: dict[types.CodeType, tuple[list[int], list[int]]] = {}
        self._files: dict[str, str] = {}

    def source(self, call: Call) -> Source:
        """The place of a call."""
        from bisect import bisect_right

        table = self._tables.get(call.code)
        if table is None:
            entries = [(start, line) for start, _, line in call.code.co_lines() if line is not None]
            table = self._tables[call.code] = ([start for start, _ in entries], [line for _, line in entries])
        position = bisect_right(table[0], call.instruction) - 1
        file = call.code.co_filename
        name = self._files.get(file)
        if name is None:
            name = self._files[file] = relative(file)
        return Source(name, table[1][position] if position >= 0 else call.code.co_firstlineno)


def ours(path: str) -> bool:
    """Whether a file is part of alula itself."""
    return path.startswith(_PACKAGES)


_STANDARD = os.path.join(os.path.dirname(os.path.abspath(os.path.__file__)), "")  # noqa: PTH100, PTH118, PTH120
_SDK = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_PACKAGES = tuple(os.path.join(_SDK, name, "") for name in ("alula", "alula_data"))  # noqa: PTH118


def user_frame() -> types.FrameType | None:
    """The innermost frame of the user's project: not ours, and not of a library that the project called."""
    frame: types.FrameType | None = sys._getframe(1)
    library: types.FrameType | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if not ours(file):
            if not is_library(file):
                return frame
            library = library or frame
        frame = frame.f_back
    return library


def caller() -> Source:
    """Where the user's code is that called the function that asks."""
    frame = user_frame()
    return NOWHERE if frame is None else Source(relative(frame.f_code.co_filename), frame.f_lineno)
