"""Imports the user's files as the modules that they are everywhere, and says plainly why one cannot be imported.

Called by the command line, emission, and the processes of a local run; a pod has `alula.runtime.loading`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from alula import errors
from alula.code import places, tracebacks
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, closest

if TYPE_CHECKING:
    import types


def load(target: str) -> types.ModuleType:
    """Import a file, or a module by its name, under the name that it has everywhere.

    Args:
        target: `flows/penguins.py`, or `flows.penguins` as seen from the project's root.

    Raises:
        LoadError: It is not there, or raises when it is imported; shows the user's frames only.
        UserError: What a decorator in it refuses.
    """
    if _is_folder(Path(target)):
        raise _folder(Path(target))
    if target.endswith(".py") or "/" in target or "\\" in target or Path(target).is_file():
        return _file(Path(target))
    _add_path(places.root(str(Path.cwd() / "x.py"))[1])
    source = Path.cwd() / "src"
    if source.is_dir():
        _add_path(str(source))
    return _import(target, None)


def _is_folder(path: Path) -> bool:
    """Whether a target names a folder; a package's folder is the package where it is named as a module."""
    return path.is_dir() and ("/" in str(path) or not (path / "__init__.py").is_file())


def _folder(folder: Path) -> errors.LoadError:
    files = [str(each) for each in sorted(folder.glob("*.py")) if not each.name.startswith("_")]
    hint = f"name one of its files: {', '.join(files[:5])}" if files else "name a Python file"
    return errors.LoadError([Diagnostic(Code.BAD_SOURCE, f"{folder} is a folder", hint=hint)], missing=True)


def _file(path: Path) -> types.ModuleType:
    file = path if path.is_absolute() else Path.cwd() / path
    if not file.is_file():
        known = [other.name for other in file.parent.glob("*.py")] if file.parent.is_dir() else []
        near = closest(file.name, known)
        hint = f"did you mean {(path.parent / near).as_posix()}?" if near else f"the working directory is {Path.cwd()}"
        raise errors.LoadError([Diagnostic(Code.BAD_SOURCE, f"there is no file {path}", hint=hint)], missing=True)
    if file.suffix != ".py":
        problem = Diagnostic(Code.BAD_SOURCE, f"{path} is not a Python file", hint="name a .py file")
        raise errors.LoadError([problem], missing=True)
    file = file.resolve()
    _add_path(places.root(str(file))[1])
    return _import(places.module_name(str(file)), file)


def _add_path(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _import(name: str, file: Path | None) -> types.ModuleType:
    known = set(sys.modules)
    try:
        module = importlib.import_module(name)
    except errors.UserError:
        _forget(name, known)
        raise
    except SystemExit:
        _forget(name, known)
        hint = 'put what runs at the end below `if __name__ == "__main__":`'
        raise errors.LoadError([_problem(file, f"importing {name} ends the process", hint)]) from None
    except Exception as error:  # whatever the user's module raises while it is imported
        _forget(name, known)
        raise _failed(name, file, error) from None
    found = getattr(module, "__file__", None)
    if file is not None and (found is None or Path(found).resolve() != file):
        message = f"{name} is another module here: {found or 'a package without a file'}"
        hint = f"rename {file.name} or its folder: another package on sys.path has the same name"
        raise errors.LoadError([_problem(file, message, hint)])
    return module


def _forget(name: str, known: set[str]) -> None:
    """Drop what the failed import has left, so that a second try does not see half a module."""
    for added in set(sys.modules) - known:
        if added == name or added.startswith(f"{name}."):
            del sys.modules[added]


def _problem(file: Path | None, message: str, hint: str = "", line: int = 0) -> Diagnostic:
    place = "" if file is None else places.relative(str(file))
    return Diagnostic(Code.BAD_SOURCE, message, f"{place}:{line}" if place and line else place, hint=hint)


def _unmarked(missing: str, file: Path) -> str:
    """The hint where the module lies in the user's folders, but no pyproject.toml says where the project begins."""
    root = Path(places.root(str(file))[0])
    if (root / "pyproject.toml").is_file():
        return ""
    name = missing.partition(".")[0]
    for folder in file.parents:
        if (folder / name).is_dir() or (folder / f"{name}.py").is_file():
            found = f"so {root} is taken for the project's root; put one into {folder}, which has {name}"
            return f"there is no pyproject.toml at or above {file.parent}, {found}"
    return ""


def _without_imports(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """The traceback from the user's first frame on: how the module came to be imported says nothing."""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not places.ours(file) and not places.is_library(file):
            return traceback
        traceback = traceback.tb_next
    return None


def _failed(name: str, file: Path | None, error: Exception) -> errors.LoadError:
    error.__traceback__ = _without_imports(error.__traceback__)
    if isinstance(error, SyntaxError):
        where = Path(error.filename) if error.filename else file
        text = f"\n  {error.text.strip()}" if error.text else ""
        return errors.LoadError([_problem(where, f"{error.msg}{text}", line=error.lineno or 0)])
    hint = ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name
        if missing == name or name.startswith(f"{missing}."):
            message = f"there is no module {name}"
            hint = f"modules are named from the project's root {places.root(str(Path.cwd() / 'x.py'))[1]}"
            return errors.LoadError([_problem(file, message, hint)], missing=file is None)
        sibling = file.parent / f"{missing.partition('.')[0]}.py" if file is not None else None
        package = name.rpartition(".")[0]
        if sibling is not None and package and sibling.is_file():
            hint = f"{missing} lies beside it: write `from {package} import {missing}`, as pods import it"
        elif file is not None and (unmarked := _unmarked(missing, file)):
            hint = unmarked
        else:
            hint = f"install what provides {missing} in {sys.prefix}"
    place = tracebacks.where(error, places.root(str(file))[0]) if file is not None else tracebacks.where(error)
    text = f"{type(error).__name__}: {error}".partition("\n")[0]
    problem = Diagnostic(Code.BAD_SOURCE, f"importing {name} raised {text}", place, hint=hint)
    return errors.LoadError([problem], tracebacks.user_traceback(error))
