"""How often Argo runs an attempt of a task, and how long the pod may live: the same for every kind of task.

The two budgets of retries are counted by the runtime, which ends with exit code 90 when one of them is used up. Argo
has one counter, so its limit is both together.
"""

from __future__ import annotations

import math

from alula_api.contract import durations, exits, retries
from alula_api.contract.graphs.specs import TaskSpec
from alula_compiler.argo.model import Object

DEADLINE_MARGIN = 300
"""The runtime ends an attempt at its timeout; the pod's clock, which includes pulling the image, is the backstop."""
_TOO_LATE = "longer than the specified deadline"
"""What the kubelet says of a pod that it ended by `activeDeadlineSeconds`."""


def fields(task: TaskSpec) -> Object:
    """Return the fields of a template that bound its attempts."""
    deadline = {}
    if task.timeout:
        deadline = {"activeDeadlineSeconds": str(math.ceil(durations.seconds(task.timeout)) + DEADLINE_MARGIN)}
    return {**deadline, "retryStrategy": _retry(task)}


def _retry(task: TaskSpec) -> Object:
    goes_on = " && ".join(f"lastRetry.exitCode != '{code}'" for code in exits.FINAL)
    if task.timeout:
        # An attempt that only the kubelet could end was the user's, but could not be counted as one.
        goes_on += f" && (asInt(retries) < {task.budget.user} || !(lastRetry.message contains '{_TOO_LATE}'))"
    chosen = (task.retries.backoff if task.retries else None) or retries.DEFAULT_BACKOFF
    # Argo refuses a backoff without duration, and ignores one without limit.
    backoff = {"duration": _argo_duration(chosen.duration)}
    if chosen.factor is not None:
        backoff["factor"] = str(chosen.factor)
    if chosen.cap is not None:
        backoff["cap"] = _argo_duration(chosen.cap)
    limit = str(task.budget.limit)
    return {"limit": limit, "retryPolicy": "Always", "expression": goes_on, "backoff": backoff}


def _argo_duration(text: str) -> str:
    return durations.text(durations.seconds(text))
