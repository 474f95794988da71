"""What the Domain says takes effect where a task says nothing, and what the installation says where the Domain does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from alula_api.contract.graphs.specs import Resources, Retry, TaskSpec
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Domain, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Choose the Secret of the store: the Domain's, else the installation's; fill the tasks' defaults."""
    domain = dataclasses.replace(program.domain, secret=program.domain.secret or engine.secret)
    tasks = tuple(_task(task, domain) for task in program.tasks)
    return dataclasses.replace(program, domain=domain, tasks=tasks)


def _task(task: TaskSpec, domain: Domain) -> TaskSpec:
    return dataclasses.replace(
        task,
        interruptible=domain.may_interrupt if task.interruptible is None else task.interruptible,
        retries=_retries(task.retries, domain.system_retries),
        resources=_resources(task.resources, domain.resources),
        timeout=task.timeout or domain.timeout,
    )


def _retries(own: Retry | None, system_retries: int | None) -> Retry | None:
    chosen = own or Retry()
    if system_retries is None or chosen.system is not None:
        return own
    return dataclasses.replace(chosen, system=system_retries)


def _resources(own: Resources | None, usual: Resources) -> Resources | None:
    """A default is both of a resource's numbers or none of them: a request of ours may exceed a limit of the task's."""
    if not usual.requests and not usual.limits:
        return own
    own = own or Resources()
    named = {*own.requests, *own.limits}

    def filled(given: Mapping[str, str], default: Mapping[str, str]) -> dict[str, str]:
        return {**{name: text for name, text in default.items() if name not in named}, **given}

    return Resources(filled(own.requests, usual.requests), filled(own.limits, usual.limits))
