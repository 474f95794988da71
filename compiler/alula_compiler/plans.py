"""The plan of a compiled template: what the controller needs to check a run's inputs and to find its cached nodes.

It is the graph as it was compiled (after chunking, so that Argo's node names follow from it) in the words of the
resource, with every input of every node bound. It is stored with the compiled spec; runs are read against their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from alula_api.contract import keys
from alula_compiler import program as ir

VERSION = 1


def plan(program: ir.Program, template: str, launch_plan: ir.LaunchPlan | None = None) -> ir.Object:
    """Return the plan of the template called `template`, as JSON data."""
    tasks = {task.name: task for task in program.tasks}
    return {
        "v": VERSION,
        "template": template,
        "entrypoint": ir.MAIN,
        "inputs": _inputs(program, launch_plan),
        "outputs": [{"name": output.name, "type": output.type} for output in program.main.outputs],
        "tasks": {task.name: _task(task) for task in program.tasks},
        "dags": {graph.template: _dag(graph, tasks) for graph in program.graphs},
    }


def _inputs(program: ir.Program, launch_plan: ir.LaunchPlan | None) -> list[ir.Object]:
    given = dict(launch_plan.inputs) if launch_plan else {}
    fixed = dict(launch_plan.fixed) if launch_plan else {}
    inputs = []
    for port in program.main.inputs:
        found: ir.Object = {"name": port.name, "type": port.type}
        default = given.get(port.name, port.default)
        if port.name in fixed:
            found["fixed"] = fixed[port.name]
        elif default is not None:
            found["default"] = default
        inputs.append(found)
    return inputs


def _task(task: ir.Task) -> ir.Object:
    inputs = [(port.name, port.type) for port in task.inputs]
    outputs = [(port.name, port.type) for port in task.outputs]
    found: ir.Object = {"key": task.key}
    if task.cache is not None:
        found["version"] = task.cache
    return {
        **found,
        "interface": keys.interface_digest(inputs, outputs),
        "inputs": [{"name": name, "type": schema} for name, schema in inputs],
        "outputs": [{"name": name, "type": schema} for name, schema in outputs],
    }


def _dag(graph: ir.Graph, tasks: Mapping[str, ir.Task]) -> ir.Object:
    return {
        "inputs": [port.name for port in graph.inputs],
        "tasks": [_step(node, tasks) for node in graph.nodes],
        "outputs": {output.name: bound(output.binding) for output in graph.outputs},
    }


def _step(node: ir.Node, tasks: Mapping[str, ir.Task]) -> ir.Object:
    inputs = {name: bound(binding) for name, binding in node.inputs}
    step: ir.Object = {"name": node.id, "template": node.template}
    if node.task is not None:
        step["task"] = node.task
        for port in tasks[node.task].inputs:
            if port.name not in inputs and port.default is not None:
                inputs[port.name] = {"value": port.default}
    else:
        step["dag"] = node.template
    return {**step, "inputs": inputs, "depends": list(node.depends())}


def bound(binding: ir.Binding) -> ir.Object:
    """Return a binding in the form of the resource."""
    if isinstance(binding, ir.Items):
        return {"items": [bound(leaf) for leaf in binding.leaves]}
    if isinstance(binding, ir.Constant):
        return {"value": binding.text}
    found: ir.Object = {"input": binding.input} if isinstance(binding, ir.FromInput) else {"node": binding.node}
    if isinstance(binding, ir.FromNode):
        found["output"] = binding.output
    if binding.path:
        found["path"] = list(binding.path)
    return found
