"""Functions that stand in for those of tasks in tests: set by `alula.testing.mock`, read by the local runner only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula.declare.tasks import Task

_active: dict[Task[..., Any], Callable[..., Any]] = {}


def of(task: Task[..., Any]) -> Callable[..., Any] | None:
    """What is called in place of the task's function, also where it has other options; None nearly always."""
    if not _active:
        return None
    return _active.get(task) or (_active.get(task.base) if task.base is not None else None)


@contextmanager
def active(task: Task[..., Any], function: Callable[..., Any]) -> Iterator[None]:
    """Let `function` stand in for that of `task`; an inner one hides an outer one."""
    before = _active.get(task)
    _active[task] = function
    try:
        yield
    finally:
        if before is None:
            del _active[task]
        else:
            _active[task] = before
