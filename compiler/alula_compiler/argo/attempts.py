"""How often Argo runs an attempt of a task, how long its pod may live, and what its pod has that earlier ones had not.

The same for every kind of task. The two budgets of retries are counted by the runtime, which ends with exit code 90
when one of them is used up. Argo has one counter, so its limit is both together. What differs between attempts is a
patch that Argo renders for each of them, with the number of the attempt and the end of the one before.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence

from alula_api.contract import durations, exits, memory, pods, retries
from alula_api.contract.graphs.specs import NodeRule, Pod, TaskSpec
from alula_compiler.argo import pod_settings
from alula_compiler.argo.model import Object
from alula_compiler.program import Interruptible

DEADLINE_MARGIN = 300
"""The runtime ends an attempt at its timeout; the pod's clock, which includes pulling the image, is the backstop."""
_TOO_LATE = "longer than the specified deadline"
"""What the kubelet says of a pod that it ended by `activeDeadlineSeconds`."""
_KILLED = "main: OOMKilled"
"""How Argo's message of an attempt begins whose container was killed for lack of memory; what follows is the code, and
then what the container left, so no text of a user's can stand there."""


def of_batch(task: TaskSpec, nodes: Interruptible | None) -> Object:
    """Return the fields of a template of pods that run a batch of calls each: they count their attempts and their time
    themselves, and what else ends a pod is of the system."""
    found = fields(dataclasses.replace(task, timeout=None), nodes)
    return {**found, "retryStrategy": {**found["retryStrategy"], "limit": str(task.budget.system)}}


def fields(task: TaskSpec, nodes: Interruptible | None) -> Object:
    """Return the fields of a template that bound its attempts, and tell them apart."""
    deadline = {}
    if task.timeout:
        deadline = {"activeDeadlineSeconds": str(math.ceil(durations.seconds(task.timeout)) + DEADLINE_MARGIN)}
    patched = [*_memory(task.memory), *(_nodes(task, nodes) if is_moved(task, nodes) and nodes else ())]
    patch = {"podSpecPatch": "{" + ",".join(patched) + "}"} if patched else {}
    return {**deadline, "retryStrategy": _retry(task), **patch}


def is_moved(task: TaskSpec, nodes: Interruptible | None) -> bool:
    """Whether attempts of a task run on other nodes than its last one: it has some whose loss is forgiven."""
    return bool(task.interruptible and nodes is not None and task.budget.system)


def _retry(task: TaskSpec) -> Object:
    goes_on = " && ".join(f"lastRetry.exitCode != '{code}'" for code in exits.FINAL)
    if task.timeout:
        # An attempt that only the kubelet could end was the user's, but could not be counted as one.
        goes_on += f" && (asInt(retries) < {task.budget.user} || !(lastRetry.message contains '{_TOO_LATE}'))"
    steps = task.memory
    if steps and steps[-1].name == (task.on_oom.max if task.on_oom else ""):
        # With the most that it may have, another attempt would end the same.
        most = f"lastRetry.message contains '{pods.remark(steps[-1].name)}'"
        goes_on += f" && !(lastRetry.message startsWith '{_KILLED}' && {most})"
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


def _memory(steps: Sequence[memory.Step]) -> list[str]:
    """The container of an attempt: its memory, and the variable by which the pod says it in its message.

    The step of the attempt before stands there, and a kill goes one further. An attempt that left no message had at
    most the step of its number; so an amount never falls back, and grows without a kill after two such losses only.
    """
    if len(steps) < 2:
        return []
    last = len(steps) - 1
    before = "".join(
        f"lastRetry.message contains '{pods.remark(steps[step].name)}' ? {step} : " for step in range(last, -1, -1)
    )
    killed = f"(lastRetry.message startsWith '{_KILLED}' ? 1 : 0)"
    step = f"int(max(0, min({last}, ({before}asInt(retries) - 1) + {killed})))"

    def tag(texts: Sequence[str]) -> str:
        return "{{=[" + ",".join(f"'{text}'" for text in texts) + f"][{step}]" + "}}"

    sides = {"requests": [each.request for each in steps], "limits": [each.limit for each in steps]}
    resources = {side: {memory.MEMORY: tag(texts)} for side, texts in sides.items() if texts[0]}
    variable = {"name": pods.Env.MEMORY, "value": tag([each.name for each in steps])}
    container = {"name": "main", "env": [variable], "resources": resources}
    return ['"containers":' + json.dumps([container], separators=(",", ":"))]


def _nodes(task: TaskSpec, nodes: Interruptible) -> list[str]:
    """Where an attempt runs: on nodes that may be taken away while such a loss is forgiven, then on none of them."""
    pod = task.pod or Pod()
    own = [pod_settings.toleration(each) for each in pod.tolerations]
    others = [each for each in map(pod_settings.toleration, nodes.tolerations) if each not in own]
    selector = {key: value for key, value in nodes.selector.items() if key not in pod.node_selector}
    never = [[NodeRule(key, "NotIn", (value,))] for key, value in selector.items()]
    last = pod_settings.required(pod.affinity.nodes if pod.affinity else (), never)
    return [
        f'"nodeSelector":{_either(task, selector, {})}',
        f'"tolerations":{_either(task, [*own, *others], own)}',
        f'"affinity":{_either(task, {}, {"nodeAffinity": last} if last else {})}',
    ]


def _either(task: TaskSpec, before: object, last: object) -> str:
    texts = (
        json.dumps(each, separators=(",", ":")).replace("{", "\\u007b").replace("}", "\\u007d")
        for each in (before, last)
    )
    return f"{{{{=asInt(retries) < {task.budget.system} ? " + " : ".join(f"'{text}'" for text in texts) + "}}"
