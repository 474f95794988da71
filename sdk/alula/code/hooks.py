"""The three ways up: what modules call that lies on a floor above them, put in by `alula` itself.

Everything else is imported from below. What a hook leads to is imported when it is reached, so that `import alula`
stays light.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import types

RUN_WORKFLOW: Final = "run workflow"
"""`(workflow, arguments)`: the plain call of a workflow; returns what the workflow returns."""
SHOW_ERROR: Final = "show error"
"""`(error)`: prints an uncaught exception; False to leave it to Python."""
WATCH_RUN: Final = "watch run"
"""`(now, plain=...)`: the watcher that shows a local run while it runs."""

_targets: dict[str, str] = {}


def register(targets: dict[str, str]) -> None:
    """Say where hooks lead: `module:function` by name."""
    _targets.update(targets)


def reach(name: str) -> Callable[..., Any]:
    """The function behind a hook."""
    module, _, function = _targets[name].partition(":")
    found: Callable[..., Any] = vars(import_module(module))[function]
    return found


def install() -> None:
    """Show uncaught exceptions our way, where Python's own hook is still in place.

    Called by a script that defines tasks or calls a workflow. What does not pass through alula is shown as always.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show


def _show(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
    if not reach(SHOW_ERROR)(error):
        sys.__excepthook__(kind, error, traceback)
