"""Whether a pod finds the tasks of a workflow again, each by its entrypoint.

Asked by the command line before what a file defines is run, registered or compiled, and by a local run whose attempts
import the code anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import twins
from alula.interfaces import callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.declare.tasks import Task


def problems(tasks: Iterable[Task[..., Any]]) -> Iterator[Diagnostic]:
    """Yield what is wrong with each task that a pod cannot find."""
    for task in tasks:
        if reason := obstacle(task):
            yield Diagnostic(Code.BAD_SOURCE, f"a pod cannot find this task: {reason}", str(task.source), task.subject)


def check(tasks: Iterable[Task[..., Any]]) -> None:
    """Refuse tasks that a pod cannot find.

    Raises:
        DefinitionError: Names each of them.
    """
    found = [*problems(tasks)]
    if found:
        raise errors.DefinitionError(found)


def obstacle(task: Task[..., Any]) -> str:
    """Why a process that imports the code does not find the task by its entrypoint; empty when it does."""
    if task.obstacle:
        return task.obstacle
    try:
        found = callee.find(task.entrypoint)
    except errors.LoadError as error:
        return error.diagnostics[0].message
    if found is task or (found.source == task.source and twins.alike(found.function, task.function)):
        return ""
    return f"{task.entrypoint} is another one now, made at {found.source}: give them names of their own"
