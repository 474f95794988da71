"""Argo's templates: the hold at the beginning, one for each task, one DAG for each graph."""

from __future__ import annotations

from collections.abc import Sequence

from alula_api.contract import keys, labels, pods
from alula_compiler import engines
from alula_compiler import program as ir
from alula_compiler.argo import expressions, texts

VOLUME = "alula"
"""The pod's scratch folder, in which the runtime leaves outputs."""
VOLUMES = ({"name": VOLUME, "emptyDir": {}},)
COMMAND = ("python", "-m", "alula.runtime")
NO_INPUTS = "admitted"
"""The output of `admit` in a workflow without inputs: a hold without an open output could be resumed by hand."""
_WHOLE = "[]"
"""The path of a value that is passed whole."""


def admit(inputs: Sequence[ir.Port]) -> ir.Object:
    """Return the hold that begins every run: the controller publishes the run's inputs as its outputs."""
    names = [port.name for port in inputs] or [NO_INPUTS]
    parameters = [{"name": name, "valueFrom": {"supplied": {}}} for name in names]
    return {"name": ir.ADMIT, "suspend": {}, "outputs": {"parameters": parameters}}


def task(template: ir.TaskTemplate, source: ir.Task, settings: engines.Engine) -> ir.Object:
    """Return the template that runs a task in a pod."""
    pod = source.pod
    assert pod is not None, "`lower_tasks` has given every task its pod"
    lists = {name for name, _ in template.items}
    arguments = _arguments(template, source, lists)
    made: ir.Object = {"name": template.name, "metadata": {"labels": {labels.TASK: source.name}}}
    inputs = _inputs(template, source, lists)
    if inputs:
        made["inputs"] = {"parameters": inputs}
    if source.outputs:
        outputs = [{"name": port.name, "valueFrom": {"path": f"{pods.OUT_DIR}/{port.name}"}} for port in source.outputs]
        made["outputs"] = {"parameters": outputs}
    if pod.deadline is not None:
        made["activeDeadlineSeconds"] = str(pod.deadline)
    made["retryStrategy"] = pod.retry
    made["container"] = _container(pod, arguments, settings)
    return made


def _inputs(template: ir.TaskTemplate, source: ir.Task, lists: set[str]) -> list[ir.Object]:
    inputs: list[ir.Object] = []
    for port in source.inputs:
        parameter: ir.Object = {"name": port.name}
        if port.default is not None and port.name not in lists:
            parameter["default"] = expressions.constant(port.default)
        inputs.append(parameter)
    inputs += [{"name": path_of(name), "default": _WHOLE} for name in template.paths]
    return inputs


def path_of(name: str) -> str:
    """Return the parameter that carries the attribute path in an input."""
    return f"{name}--path"


def _arguments(template: ir.TaskTemplate, source: ir.Task, lists: set[str]) -> list[str]:
    def passed(name: str) -> str:
        return "{{inputs.parameters." + name + "}}"

    interface = keys.interface_digest(
        [(port.name, port.type) for port in source.inputs], [(port.name, port.type) for port in source.outputs]
    )
    names = [port.name for port in source.inputs]
    call = pods.Call(
        entrypoint=texts.exact(source.entrypoint),
        task=texts.exact(source.key),
        interface=interface,
        cache=texts.exact(source.cache or ""),
        retries=source.retries,
        inputs=tuple((name, passed(name)) for name in names if name not in lists),
        items=tuple((name, passed(name)) for name in names if name in lists),
        paths={f"{name}.{index}": path for name, paths in template.items for index, path in enumerate(paths) if path},
        outputs=tuple(port.name for port in source.outputs),
    )
    arguments = pods.argv(call)
    for name in template.paths:
        arguments += ["--path", name, passed(path_of(name))]
    return arguments


def _container(pod: ir.Pod, arguments: list[str], settings: engines.Engine) -> ir.Object:
    env: list[ir.Object] = [
        {"name": pods.Env.NODE, "value": texts.NODE},
        {"name": pods.Env.ATTEMPT, "value": texts.ATTEMPT},
    ]
    written = [*arguments, *(variable.get("value", "") for variable in pod.env)]
    if any(f"$({texts.BRACE_NAME})" in text for text in written):
        env.append(texts.BRACE)
    container: ir.Object = {"image": pod.image}
    if settings.image_pull_policy:
        container["imagePullPolicy"] = settings.image_pull_policy
    container["command"] = list(COMMAND)
    container["args"] = arguments
    container["env"] = [*env, *pod.env]
    if pod.resources:
        container["resources"] = pod.resources
    container["volumeMounts"] = [{"name": VOLUME, "mountPath": pods.WORK_DIR}]
    return container


def dag(graph: ir.Graph) -> ir.Object:
    """Return the DAG of a graph. The nodes of `main` that wait for nothing else wait for `admit`."""
    is_main = graph.name == ir.MAIN
    made: ir.Object = {"name": graph.template}
    if graph.inputs and not is_main:
        made["inputs"] = {"parameters": [{"name": port.name} for port in graph.inputs]}
    if graph.outputs:
        outputs = [
            {"name": output.name, "valueFrom": expressions.output(output.binding, graph)} for output in graph.outputs
        ]
        made["outputs"] = {"parameters": outputs}
    tasks: list[ir.Object] = [{"name": ir.ADMIT, "template": ir.ADMIT}] if is_main else []
    tasks += [_node(node, graph, is_main) for node in graph.nodes]
    made["dag"] = {"tasks": tasks}
    return made


def _node(node: ir.Node, graph: ir.Graph, is_main: bool) -> ir.Object:
    made: ir.Object = {"name": node.id, "template": node.template}
    depends = node.depends() or ((ir.ADMIT,) if is_main else ())
    if depends:
        # Always the predicate: a bare name is true for skipped tasks too.
        made["depends"] = " && ".join(f"{name}.Succeeded" for name in depends)
    parameters: list[ir.Object] = []
    for name, binding in node.inputs:
        parameters.append({"name": name, "value": expressions.argument(binding, graph)})
        if node.task is not None and isinstance(binding, ir.FromInput | ir.FromNode) and binding.path:
            parameters.append({"name": path_of(name), "value": expressions.path(binding.path)})
    if parameters:
        made["arguments"] = {"parameters": parameters}
    return made
