"""Typed, static workflows for git.

Everything a user needs is a name of this package; names load what they need on first use, so that the import is light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.code import hooks as _hooks

if TYPE_CHECKING:
    from alula.declare.call_order import order
    from alula.declare.conditionals import conditional, is_none
    from alula.declare.handlers import Failure
    from alula.declare.imperative import ImperativeWorkflow
    from alula.declare.launch_plans import LaunchPlan
    from alula.declare.map_options import Batch
    from alula.declare.maps import map_task
    from alula.declare.notices import Notify
    from alula.declare.options import Backoff, Cache, Resources, Retention, Retries, Secret, grow
    from alula.declare.pod_settings import Affinity, NodeRule, Pod, Toleration
    from alula.declare.repeats import repeat
    from alula.declare.schedules import Cron, Every
    from alula.declare.tasks import Task, task
    from alula.declare.triggers import After, Event, Release
    from alula.declare.workflows import Workflow, workflow
    from alula.errors import AlulaError, DefinitionError, LoadError, NonRecoverable, UserError, ValueMismatch
    from alula.local.api import run
    from alula.progress.reports import RunFailed
    from alula.types.files import Directory, File
    from alula.types.times import NaiveDatetime

__all__ = [
    "Affinity",
    "After",
    "AlulaError",
    "Backoff",
    "Batch",
    "Cache",
    "Cron",
    "DefinitionError",
    "Directory",
    "Event",
    "Every",
    "Failure",
    "File",
    "ImperativeWorkflow",
    "LaunchPlan",
    "LoadError",
    "NaiveDatetime",
    "NodeRule",
    "NonRecoverable",
    "Notify",
    "Pod",
    "Release",
    "Resources",
    "Retention",
    "Retries",
    "RunFailed",
    "Secret",
    "Task",
    "Toleration",
    "UserError",
    "ValueMismatch",
    "Workflow",
    "conditional",
    "grow",
    "is_none",
    "map_task",
    "order",
    "repeat",
    "run",
    "task",
    "workflow",
]

_HOMES = {
    "alula.declare.conditionals": ("conditional", "is_none"),
    "alula.declare.handlers": ("Failure",),
    "alula.declare.imperative": ("ImperativeWorkflow",),
    "alula.declare.launch_plans": ("LaunchPlan",),
    "alula.declare.map_options": ("Batch",),
    "alula.declare.maps": ("map_task",),
    "alula.declare.notices": ("Notify",),
    "alula.declare.options": ("Backoff", "Cache", "Resources", "Retention", "Retries", "Secret", "grow"),
    "alula.declare.call_order": ("order",),
    "alula.declare.pod_settings": ("Affinity", "NodeRule", "Pod", "Toleration"),
    "alula.declare.repeats": ("repeat",),
    "alula.declare.schedules": ("Cron", "Every"),
    "alula.declare.triggers": ("After", "Event", "Release"),
    "alula.declare.tasks": ("Task", "task"),
    "alula.declare.workflows": ("Workflow", "workflow"),
    "alula.errors": ("AlulaError", "DefinitionError", "LoadError", "NonRecoverable", "UserError", "ValueMismatch"),
    "alula.local.api": ("run",),
    "alula.progress.reports": ("RunFailed",),
    "alula.types.files": ("Directory", "File"),
    "alula.types.times": ("NaiveDatetime",),
}
_hooks.register(
    {
        _hooks.RUN_WORKFLOW: "alula.local.api:run_serially",
        _hooks.SHOW_ERROR: "alula.display.uncaught:show",
        _hooks.WATCH_RUN: "alula.display.progress:watcher",
    }
)
_HOME = {name: module for module, exported in _HOMES.items() for name in exported}


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use.

    Raises:
        ImportError: It is a name of Flyte's that is not here; the message says what to write instead.
        AttributeError: There is no such name.
    """
    import importlib

    module = _HOME.get(name)
    if module is None:
        if not name.startswith("_") and not _is_module(name):
            instead = importlib.import_module("alula.interfaces.flyte_names").sentence(name)
            if instead:  # an AttributeError would lose its text in `from alula import ...`
                raise ImportError(instead, name=__name__)
        raise AttributeError(f"module 'alula' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def _is_module(name: str) -> bool:
    """Whether `from alula import name` asks for a module of ours, for which Python looks after it has asked here."""
    import os.path

    place = os.path.join(__path__[0], name)  # noqa: PTH118 - pathlib is slow, and this runs at import
    return os.path.exists(place) or os.path.exists(f"{place}.py")  # noqa: PTH110


def __dir__() -> list[str]:
    return [*globals(), *__all__]
