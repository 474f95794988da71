"""The plan of a compiled template: what the controller needs to check a run's inputs and to find its cached nodes.

It is the graph as it was compiled (after splitting, so that Argo's node names follow from it) in the words of the
resource, with every input of every node bound. It is stored with the compiled spec; runs are read against their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from alula_api.contract import keys, names
from alula_api.contract.graphs import bindings
from alula_compiler.argo.model import Names, Object
from alula_compiler.program import Graph, LaunchPlan, Node, Program, Task

VERSION = 1


def plan(program: Program, templates: Names, template: str, launch_plan: LaunchPlan | None = None) -> Object:
    """Return the plan of the template called `template`, as JSON data."""
    tasks = {task.name: task for task in program.tasks}
    return {
        "v": VERSION,
        "template": template,
        "entrypoint": names.MAIN,
        "inputs": _inputs(program, launch_plan),
        "outputs": [{"name": output.name, "type": output.type} for output in program.main.outputs],
        "tasks": {task.name: _task(task) for task in program.tasks},
        "dags": {templates.graphs[graph.name]: _dag(graph, tasks, templates) for graph in program.graphs},
    }


def _inputs(program: Program, launch_plan: LaunchPlan | None) -> list[Object]:
    given = dict(launch_plan.inputs) if launch_plan else {}
    fixed = dict(launch_plan.fixed) if launch_plan else {}
    inputs = []
    for port in program.main.inputs:
        found: Object = {"name": port.name, "type": port.type}
        default = given.get(port.name, port.default)
        if port.name in fixed:
            found["fixed"] = fixed[port.name]
        elif default is not None:
            found["default"] = default
        inputs.append(found)
    return inputs


def _task(task: Task) -> Object:
    inputs = [(port.name, port.type) for port in task.inputs]
    outputs = [(port.name, port.type) for port in task.outputs]
    found: Object = {"key": task.key}
    if task.cache is not None:
        found["version"] = task.cache
    return {
        **found,
        "interface": keys.interface_digest(inputs, outputs),
        "inputs": [{"name": name, "type": schema} for name, schema in inputs],
        "outputs": [{"name": name, "type": schema} for name, schema in outputs],
    }


def _dag(graph: Graph, tasks: Mapping[str, Task], templates: Names) -> Object:
    return {
        "inputs": [port.name for port in graph.inputs],
        "tasks": [_step(node, tasks, templates) for node in graph.nodes],
        "outputs": {output.name: bindings.to_json(output.binding) for output in graph.outputs},
    }


def _step(node: Node, tasks: Mapping[str, Task], templates: Names) -> Object:
    inputs = {name: bindings.to_json(binding) for name, binding in node.inputs}
    step: Object = {"name": node.id, "template": templates.of(node)}
    if node.task is not None:
        step["task"] = node.task
        for port in tasks[node.task].inputs:
            if port.name not in inputs and port.default is not None:
                inputs[port.name] = {"value": port.default}
    else:
        step["dag"] = step["template"]
    return {**step, "inputs": inputs, "depends": list(node.depends())}
