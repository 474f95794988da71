"""A task's options become what Argo and the kubelet understand: retries, deadline, resources, environment, Secrets.

`retries` counts failures of the user's code, which the runtime counts by its own records and ends with exit code 90
when they are used up. Argo has one counter, so its limit is `retries` and the system's own attempts together.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

from alula_api.contract import durations, exits, pods
from alula_api.contract.codes import Code
from alula_compiler import engines, problems
from alula_compiler import program as ir
from alula_compiler.argo import texts

SYSTEM_ATTEMPTS = 3
"""Preemption, eviction, loss of a node, an unreachable store: attempts repeated for what is nobody's fault."""
DEFAULT_BACKOFF = ir.Backoff("5s", 2, "1m")
"""A store that is away for half a minute must not use up all attempts."""
DEADLINE_MARGIN = 300
"""The runtime ends an attempt at its timeout; the pod's clock, which includes pulling the image, is the backstop."""
_TOO_LATE = "longer than the specified deadline"
"""What the kubelet says of a pod that it ended by `activeDeadlineSeconds`."""
_RESERVED = ("ALULA_", "ARGO_")


def run(program: ir.Program, settings: engines.Engine, report: problems.Report) -> ir.Program:
    """Give every task its `pod`."""
    tasks = tuple(dataclasses.replace(task, pod=_pod(program, task, report)) for task in program.tasks)
    return dataclasses.replace(program, tasks=tasks)


def _pod(program: ir.Program, task: ir.Task, report: problems.Report) -> ir.Pod:
    place = problems.of_program(program).at(f"task {task.name}", task.source)
    image = task.image or program.image
    if texts.needs_brace(image):
        report.add(Code.BAD_OPTION, place, "an image must not hold `{{`")
    return ir.Pod(
        image=image,
        env=_environment(program, task, place, report),
        retry=_retry(task),
        deadline=_deadline(task),
        resources=task.resources,
    )


def _retry(task: ir.Task) -> ir.Object:
    goes_on = f"lastRetry.exitCode != '{exits.FATAL}'"
    if task.timeout:
        # An attempt that only the kubelet could end was the user's, but could not be counted as one.
        goes_on += f" && (asInt(retries) < {task.retries} || !(lastRetry.message contains '{_TOO_LATE}'))"
    retry: ir.Object = {
        "limit": str(task.retries + SYSTEM_ATTEMPTS),
        "retryPolicy": "Always",
        "expression": goes_on,
    }
    chosen = task.backoff or DEFAULT_BACKOFF
    # Argo refuses a backoff without duration, and ignores one without limit.
    backoff = {"duration": _argo_duration(chosen.duration)}
    if chosen.factor is not None:
        backoff["factor"] = str(chosen.factor)
    if chosen.cap is not None:
        backoff["cap"] = _argo_duration(chosen.cap)
    return {**retry, "backoff": backoff}


def _argo_duration(text: str) -> str:
    return durations.text(durations.seconds(text))


def _deadline(task: ir.Task) -> int | None:
    return math.ceil(durations.seconds(task.timeout)) + DEADLINE_MARGIN if task.timeout else None


def _environment(
    program: ir.Program, task: ir.Task, place: problems.Place, report: problems.Report
) -> tuple[ir.Object, ...]:
    """The task's own variables, exact to the byte in the process whatever they hold."""
    names = [name for name, _ in task.env] + [name for name, _, _ in task.secrets]
    taken = {pods.Env.ACCESS_KEY, pods.Env.SECRET_KEY} if program.storage and program.storage.secret else set()
    for name, count in Counter(names).items():
        if count > 1:
            report.add(Code.DUPLICATE_NAME, place, f"the environment variable `{name}` is set more than once")
        if name.startswith(_RESERVED):
            message = f"the environment variable `{name}` must not begin with {' or '.join(_RESERVED)}"
            report.add(Code.BAD_NAME, place, message)
        elif name in taken:
            message = f"the environment variable `{name}` is set for the domain's store"
            report.add(Code.BAD_NAME, place, message, hint="give the task's own key another name")
    variables: list[ir.Object] = []
    if task.timeout:
        variables.append({"name": pods.Env.TIMEOUT, "value": f"{durations.seconds(task.timeout):g}"})
    variables += [{"name": name, "value": texts.exact(value)} for name, value in task.env]
    variables += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, secret, key in task.secrets
    ]
    return tuple(variables)
