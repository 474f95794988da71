"""What the Domain says takes effect where a task says nothing, and what the installation says where the Domain does."""

from __future__ import annotations

import dataclasses

from alula_api.contract.graphs.specs import Retry, TaskSpec
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Choose the Secret of the store: the Domain's, else the installation's; fill the tasks' defaults."""
    domain = dataclasses.replace(program.domain, secret=program.domain.secret or engine.secret)
    tasks = program.tasks
    if domain.system_retries is not None:
        tasks = tuple(_task(task, domain.system_retries) for task in tasks)
    return dataclasses.replace(program, domain=domain, tasks=tasks)


def _task(task: TaskSpec, system_retries: int) -> TaskSpec:
    chosen = task.retries or Retry()
    if chosen.system is not None:
        return task
    return dataclasses.replace(task, retries=dataclasses.replace(chosen, system=system_retries))
