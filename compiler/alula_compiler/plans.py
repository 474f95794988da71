"""The plan of a compiled template: what the controller needs to check a run's inputs and to find its cached nodes.

It is the graph as it was compiled (after splitting, so that Argo's node names follow from it), with every input of
every node bound. Called by `argo.build`; its stored form is the contract's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from alula_api.contract import names
from alula_api.contract.graphs import plans
from alula_api.contract.graphs.bindings import Constant
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, TaskSpec
from alula_compiler.argo.model import Names
from alula_compiler.program import LaunchPlan, Program


def plan(program: Program, templates: Names) -> plans.Plan:
    """Return the plan of the workflow's own template."""
    tasks = {task.name: task for task in program.tasks}
    return plans.Plan(
        graphs={graph.name: _graph(graph, tasks, templates) for graph in program.graphs},
        entrypoint=names.MAIN,
        tasks={name: _task(task) for name, task in tasks.items()},
        inputs=tuple(plans.Input(port.name, port.type, port.default) for port in program.main.inputs),
        outputs=tuple((output.name, output.type) for output in program.main.outputs),
        template=program.name,
    )


def started_by(launch_plan: LaunchPlan, whole: plans.Plan, template: str) -> plans.Plan:
    """Return the plan of a launch plan's template: the workflow's, with other defaults, and inputs that are fixed."""
    given, fixed = dict(launch_plan.inputs), dict(launch_plan.fixed)
    inputs = tuple(
        plans.Input(each.name, each.type, fixed=fixed[each.name])
        if each.name in fixed
        else plans.Input(each.name, each.type, given.get(each.name, each.default))
        for each in whole.inputs
    )
    return dataclasses.replace(whole, inputs=inputs, template=template)


def _task(task: TaskSpec) -> plans.Task:
    inputs = {port.name: port.type for port in task.inputs}
    outputs = {port.name: port.type for port in task.outputs}
    version = task.cache.version if task.cache else None
    return plans.Task(task.key, version, task.interface, inputs, outputs, task.environment, task.entrypoint)


def _graph(graph: GraphSpec, tasks: Mapping[str, TaskSpec], templates: Names) -> plans.Graph:
    return plans.Graph(
        inputs=tuple(port.name for port in graph.inputs),
        steps=tuple(_step(node, tasks, templates) for node in graph.nodes),
        outputs=tuple((output.name, output.binding) for output in graph.outputs),
    )


def _step(node: NodeSpec, tasks: Mapping[str, TaskSpec], templates: Names) -> plans.Step:
    inputs = dict(node.inputs)
    call: plans.Call = plans.GraphCall(node.target)
    if node.task is not None:
        call = plans.TaskCall(node.task)
        for port in tasks[node.task].inputs:
            if port.default is not None:
                inputs.setdefault(port.name, Constant(port.default))
    return plans.Step(node.id, call, tuple(inputs.items()), node.depends(), templates.of(node))
