"""A task's options are ones that its pods can have: a kind that is known, an image, an environment of its own."""

from __future__ import annotations

from collections import Counter

from alula_api.contract import pods, quantities
from alula_api.contract.codes import Code
from alula_api.contract.graphs.specs import TaskSpec
from alula_compiler import problems
from alula_compiler.argo import tasks, texts
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report what no pod could be made of."""
    of_store = {pods.Env.ACCESS_KEY, pods.Env.SECRET_KEY} if program.domain.secret else set()
    whole = problems.of_program(program)
    for task in program.tasks:
        subject = whole.at(f"task {task.name}")
        if texts.needs_brace(task.image or program.image):
            report.add(Code.BAD_OPTION, subject, "an image must not hold `{{`")
        _kind(task, subject, report)
        _resources(task, subject, report)
        _environment(task, of_store, subject, report)
    return program


def _kind(task: TaskSpec, subject: Subject, report: Report) -> None:
    if task.kind is None:
        return
    kind = tasks.KINDS.get(task.kind.name)
    if kind is None:
        hint = problems.did_you_mean(task.kind.name, list(tasks.KINDS))
        report.add(Code.BAD_OPTION, subject, f"there is no kind of task `{task.kind.name}`", hint=hint)
    elif wrong := kind.config_problem(task.kind.config):
        report.add(Code.BAD_OPTION, subject, f"the configuration of kind `{task.kind.name}`: {wrong}")


def _resources(task: TaskSpec, subject: Subject, report: Report) -> None:
    if task.resources is None:
        return
    for wrong in quantities.problems(task.resources.requests, task.resources.limits):
        message = f"the resource {wrong.name} cannot be {wrong.value}"
        report.add(Code.BAD_OPTION, subject, message, expected=wrong.expected, hint=wrong.hint)


def _environment(task: TaskSpec, of_store: set[str], subject: Subject, report: Report) -> None:
    written = [each.name for each in task.env] + [each.name for each in task.secrets]
    for name, count in Counter(written).items():
        if count > 1:
            report.add(Code.DUPLICATE_NAME, subject, f"the environment variable `{name}` is set more than once")
        if name.startswith(pods.RESERVED_ENV):
            message = f"the environment variable `{name}` must not begin with {' or '.join(pods.RESERVED_ENV)}"
            report.add(Code.BAD_NAME, subject, message)
        elif name in of_store:
            message = f"the environment variable `{name}` is set for the domain's store"
            report.add(Code.BAD_NAME, subject, message, hint="give the task's own key another name")
