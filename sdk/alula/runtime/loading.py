"""The user's code: its bundle into the pod, and from an entrypoint `module:qualname` to the task object.

Called by `running`. What the import raises passes; what is not there is said in one sentence.
"""

from __future__ import annotations

import os.path
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from alula.attempt import errors
from alula.attempt.errors import Stop
from alula.declare.tasks import Task
from alula.errors import DefinitionError
from alula.runtime import logs
from alula_api.contract import names, pods
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.runtime.attempts import AttemptEnv


def unpack(env: AttemptEnv) -> str:
    """Fetches the code bundle by its digest, compares it with that, and unpacks it; returns its folder."""
    from pathlib import Path

    from alula_data import bundles
    from alula_data.errors import NotFound
    from alula_data.stores import opening

    if not env.releases:
        raise Stop(errors.SYSTEM, Code.BAD_ENGINE, f"the environment has no {pods.Env.RELEASES} for the code bundle")
    to = Path(env.work, "code")
    try:
        data = bundles.fetch(opening.open_store(env.releases, endpoint=env.endpoint), env.bundle)
        bundles.unpack(data, env.bundle, to)
    except NotFound as error:
        message = f"the code bundle is not in the store: {error}; `alula register` uploads it"
        raise Stop(errors.SYSTEM, error.code, message) from error
    except bundles.BundleError as error:
        raise Stop(errors.SYSTEM, error.code, str(error)) from error
    return str(to)


def search_in(folder: str) -> None:
    """Puts a project's folder, and its `src`, in front of everything else that is imported from."""
    source = os.path.join(folder, "src")  # noqa: PTH118
    added = [folder, source] if os.path.isdir(source) else [folder]  # noqa: PTH112
    sys.path[:] = [*added, *(path for path in sys.path if path not in added)]


def load(entrypoint: str, interface: str) -> Task[..., Any]:
    """The task of an entrypoint.

    Args:
        entrypoint: `module:qualname`.
        interface: the digest that the resource has; code that means another interface is not called.
    """
    module, _, qualname = entrypoint.partition(":")
    found: Any = _module(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Task):
        what = "is not there" if found is None else f"is a {type(found).__name__}, not a task"
        place = getattr(sys.modules[module], "__file__", None) or "its image"
        raise Stop(errors.USER, Code.BAD_SOURCE, f"{qualname!r} in the module {module!r} {what}; the module is {place}")
    if found.interface.digest != interface:
        raise Stop(errors.USER, Code.INTERFACE_MISMATCH, _mismatch(found), source=str(found.source))
    return found


def holds_version(task: Task[..., Any], version: str) -> bool:
    """Whether the code in this pod is what a cache version stands for; one that a person gave is not checked.

    It is not after a merge of two releases, or with a patched image: then the cache is neither read nor written.
    """
    if not version.startswith(names.CODE_VERSION):
        return True
    try:
        held = task.version
    except DefinitionError as error:
        held = f"unknown: {error}"
    if held == version:
        return True
    logs.line(f"the cache is not used: the resource was made for the code {version}, and this pod holds {held}")
    return False


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name != missing and not name.startswith(missing + "."):
            raise  # a module of the user's imports what the image lacks: their own frames tell where
        message = f"there is no module {missing!r}, neither in the image nor in the code bundle"
        raise Stop(errors.USER, Code.BAD_SOURCE, message) from error


def _mismatch(task: Task[..., Any]) -> str:
    inputs = ", ".join(f"{item.name}: {item.type.label}" for item in task.interface.inputs)
    outputs = ", ".join(output.type.label for output in task.interface.outputs) or "None"
    return (
        f"the code in this pod declares {task.name}({inputs}) -> {outputs}, the resource was made for another"
        " signature; register the workflow again from the code that the image or bundle holds"
    )
