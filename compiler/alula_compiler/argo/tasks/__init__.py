"""The kinds of tasks: one module each, which turns a task of its kind into an Argo template.

A kind is data in the resource (`kind: {name, config}`) and code here, in alula's own image: no tenant's code runs in
the controller. To add one, write a module that is a `Kind` and enter it in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from alula_api.contract.graphs.specs import TaskSpec
from alula_compiler.argo.model import Object, TaskTemplate
from alula_compiler.argo.tasks import container
from alula_compiler.engines import Engine
from alula_compiler.program import Program


class Kind(Protocol):
    """What a kind's module has."""

    def config_problem(self, config: str) -> str:
        """Return what is wrong with a configuration, JSON text, which may be empty; empty when the kind can use it."""
        ...

    def template(self, task: TaskSpec, form: TaskTemplate, program: Program, engine: Engine) -> Object:
        """Return the template that runs a task in a certain form of call.

        Args:
            task: The task, whose configuration has been found to have no problem.
            form: The template's name and the inputs that calls pass in parts.
            program: The workflow, for what its tasks share.
            engine: The installation.
        """
        ...


CONTAINER: Final = "container"
"""The kind of a task that names none: its function, run in a pod."""
KINDS: Final[Mapping[str, Kind]] = {CONTAINER: container}


def of(task: TaskSpec) -> Kind:
    """The kind of a task that has been found to have one."""
    return KINDS[task.kind.name if task.kind else CONTAINER]
