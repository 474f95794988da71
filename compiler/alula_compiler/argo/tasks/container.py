"""Tasks that are functions: a pod runs alula's runtime, which calls the function."""

from __future__ import annotations

from typing import Any

from alula_api.contract import durations, labels, names, pods
from alula_api.contract.graphs import specs
from alula_api.contract.graphs.specs import TaskSpec
from alula_api.contract.graphs.walks import Policy
from alula_compiler.argo import attempts, expressions, pod_settings, texts
from alula_compiler.argo.model import Object, TaskTemplate
from alula_compiler.engines import Engine
from alula_compiler.program import Program

VOLUME = "alula"
"""The pod's scratch folder, in which the runtime leaves outputs."""
COMMAND = ("python", "-m", "alula.runtime")
_WHOLE = "[]"
"""The path of a value that is passed whole."""


def config_problem(config: str) -> str:
    """Return what is wrong with a configuration: that there is one."""
    return "" if not config else "a function's task has no configuration"


def template(task: TaskSpec, form: TaskTemplate, program: Program, engine: Engine) -> Object:
    """Return the template that runs a task in a pod."""
    lists = {name for name, _ in form.items}
    made: Object = {"name": form.name, "metadata": {"labels": {labels.TASK: task.name}}}
    inputs = _inputs(task, form, lists)
    if inputs:
        made["inputs"] = {"parameters": inputs}
    written = _written(task, form, program)
    if written:
        outputs = [{"name": name, "valueFrom": {"path": f"{pods.OUT_DIR}/{name}"}} for name in written]
        made["outputs"] = {"parameters": outputs}
    pod = task.pod or specs.Pod()
    made["metadata"]["labels"] = {**dict(sorted(pod.labels.items())), **made["metadata"]["labels"]}
    if pod.annotations:
        made["metadata"]["annotations"] = dict(sorted(pod.annotations.items()))
    container = _container(task.image or program.image, _arguments(task, form, lists, program), task, engine)
    bounds = attempts.fields if form.batch is None else attempts.of_batch
    nodes = program.domain.interruptible
    return {**made, **_pool(task), **bounds(task, nodes), **pod_settings.fields(pod), "container": container}


def _written(task: TaskSpec, form: TaskTemplate, program: Program) -> list[str]:
    """The parameters that the pod writes."""
    if form.batch is not None:
        succeeded = [names.SUCCEEDED] if form.batch.is_tolerant else []
        return [*map(names.item_parameter, form.batch.outputs), *succeeded]
    parts = program.parts.get(task.name, ()) if task.outputs else ()
    return [*(port.name for port in task.outputs), *(part.name for part in parts)]


def _pool(task: TaskSpec) -> Object:
    """A place in a pool is held from the first attempt to the end of the last, also between two."""
    if not task.pool:
        return {}
    return {"synchronization": {"semaphores": [{"configMapKeyRef": {"name": names.POOLS, "key": task.pool}}]}}


def _inputs(task: TaskSpec, form: TaskTemplate, lists: set[str]) -> list[Object]:
    inputs: list[Object] = []
    for port in task.inputs:
        parameter: Object = {"name": port.name}
        over = form.batch.over if form.batch is not None else ()
        if port.default is not None and port.name not in lists and port.name not in over:
            parameter["default"] = expressions.constant(port.default)
        inputs.append(parameter)
    inputs += [{"name": names.path_parameter(name), "default": _WHOLE} for name in form.paths]
    return inputs


def _arguments(task: TaskSpec, form: TaskTemplate, lists: set[str], program: Program) -> list[str]:
    def passed(name: str) -> str:
        return "{{inputs.parameters." + name + "}}"

    inputs = [port.name for port in task.inputs]
    call = pods.Call(
        entrypoint=texts.exact(task.entrypoint),
        task=texts.exact(task.key),
        interface=task.interface,
        cache=texts.exact(task.cache.version if task.cache else ""),
        environment=task.environment if task.cache else "",
        retries=task.budget.user,
        system_retries=task.budget.system,
        inputs=tuple((name, passed(name)) for name in inputs if name not in lists),
        items=tuple((name, passed(name)) for name in inputs if name in lists),
        paths={f"{name}.{index}": path for name, paths in form.items for index, path in enumerate(paths) if path},
        outputs=tuple(port.name for port in task.outputs),
        **_published(task, form, program),
    )
    arguments = pods.argv(call)
    for name in form.paths:
        arguments += ["--path", name, passed(names.path_parameter(name))]
    return arguments


def _published(task: TaskSpec, form: TaskTemplate, program: Program) -> dict[str, Any]:
    """The fields of a call that say what is published beside the outputs, and of a batch how it is run."""
    batch = form.batch
    if batch is None:
        parts = program.parts.get(task.name, ())
        return {
            "parts": tuple((p.name, p.source, p.path, p.form) for p in parts if p.form != "batches" and not p.each),
            "batches": tuple((p.name, p.source, p.path, p.size) for p in parts if p.form == "batches" and not p.each),
            "each": tuple((p.name, p.source, (p.path, *p.each), p.form, p.size) for p in parts if p.each),
        }
    goes_on = pods.GO_ON if program.failure_policy == Policy.CONTINUE else pods.STOP
    backoff = task.retries.backoff if task.retries else None
    return {
        "parts": tuple((names.item_parameter(name), name, (), "item") for name in batch.outputs),
        "over": batch.over,
        "parallel": batch.parallel,
        "failing": pods.TOLERATE if batch.is_tolerant else goes_on,
        **({"backoff": tuple("" if each is None else str(each) for each in backoff)} if backoff else {}),
    }


def _container(image: str, arguments: list[str], task: TaskSpec, engine: Engine) -> Object:
    env: list[Object] = [
        {"name": pods.Env.NODE, "value": texts.NODE},
        {"name": pods.Env.ATTEMPT, "value": texts.ATTEMPT},
    ]
    variables = _environment(task)
    written = [*arguments, *(variable.get("value", "") for variable in variables)]
    if any(f"$({texts.BRACE_NAME})" in text for text in written):
        env.append(texts.BRACE)
    container: Object = {"image": image}
    if engine.image_pull_policy:
        container["imagePullPolicy"] = engine.image_pull_policy
    container["command"] = list(COMMAND)
    container["args"] = arguments
    container["env"] = [*env, *variables]
    if task.resources:
        sides = (("requests", task.resources.requests), ("limits", task.resources.limits))
        container["resources"] = {side: dict(sorted(quantities.items())) for side, quantities in sides if quantities}
    own = {"name": VOLUME, "mountPath": pods.WORK_DIR}
    container["volumeMounts"] = [own, *(place for _, place in pod_settings.mounts(task.pod or specs.Pod()))]
    return container


def _environment(task: TaskSpec) -> list[Object]:
    """The task's own variables, exact to the byte in the process whatever they hold."""
    variables: list[Object] = []
    if task.timeout:
        variables.append({"name": pods.Env.TIMEOUT, "value": f"{durations.seconds(task.timeout):g}"})
    variables += [{"name": each.name, "value": texts.exact(each.value)} for each in task.env]
    variables += [
        {"name": each.name, "valueFrom": {"secretKeyRef": {"name": each.secret, "key": each.key}}}
        for each in task.secrets
    ]
    return variables
