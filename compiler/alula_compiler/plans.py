"""The plan of a compiled template: what the controller needs to check a run's inputs and to find its cached nodes.

It is the graph as it was compiled (after splitting, so that Argo's node names follow from it), with every input of
every node bound. Called by `argo.build`; its stored form is the contract's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from alula_api.contract import events, names
from alula_api.contract.events import Condition, Event, Mapped
from alula_api.contract.graphs import calls, plans
from alula_api.contract.graphs.bindings import Constant
from alula_api.contract.graphs.comparables import Part
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, TaskSpec
from alula_compiler.argo.model import Names
from alula_compiler.program import LaunchPlan, Program


def plan(program: Program, templates: Names) -> plans.Plan:
    """Return the plan of the workflow's own template."""
    tasks = {task.name: task for task in program.tasks}
    return plans.Plan(
        graphs={graph.name: _graph(graph, _published(graph, program), tasks, templates) for graph in program.graphs},
        entrypoint=names.MAIN,
        tasks={name: _task(task, program.parts.get(name, ())) for name, task in tasks.items()},
        inputs=tuple(plans.Input(port.name, port.type, port.default) for port in program.main.inputs),
        outputs=tuple((output.name, output.type) for output in program.main.outputs),
        template=program.name,
        parts=program.input_parts,
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
    return dataclasses.replace(whole, inputs=inputs, template=template, event=event(launch_plan))


def event(launch_plan: LaunchPlan) -> Event | None:
    """Return what runs of a launch plan get of an event; `check_triggers` found nothing wrong with it."""
    given = launch_plan.trigger.event if launch_plan.trigger else None
    if given is None:
        return None
    return Event(
        given.name,
        tuple(Condition(each.path, tuple(map(events.wanted, each.values))) for each in given.where),
        tuple(Mapped(each.name, each.path) for each in given.inputs),
    )


def _task(task: TaskSpec, parts: tuple[Part, ...]) -> plans.Task:
    inputs = {port.name: port.type for port in task.inputs}
    outputs = {port.name: port.type for port in task.outputs}
    defaults = {port.name: port.default for port in task.inputs if port.default is not None}
    version = task.cache.version if task.cache else None
    return plans.Task(
        task.key, version, task.interface, inputs, outputs, task.environment, task.entrypoint, defaults, parts
    )


def _published(graph: GraphSpec, program: Program) -> tuple[str, ...]:
    """What `admit` publishes beside the inputs of a run, which is read as they are."""
    return tuple(part.name for part in program.input_parts) if graph.is_main else ()


def _graph(graph: GraphSpec, parts: tuple[str, ...], tasks: Mapping[str, TaskSpec], templates: Names) -> plans.Graph:
    return plans.Graph(
        inputs=(*(port.name for port in graph.inputs), *parts),
        steps=tuple(_step(node, tasks, templates) for node in graph.nodes),
        outputs=tuple((output.name, output.binding) for output in graph.outputs),
        template=named if (named := templates.graphs[graph.name]) != graph.name else "",
    )


def _step(node: NodeSpec, tasks: Mapping[str, TaskSpec], templates: Names) -> plans.Step:
    inputs = dict(node.inputs)
    for task in calls.tasks(node.call):
        for port in tasks[task].inputs:
            if port.default is not None:
                inputs.setdefault(port.name, Constant(port.default))
    item = templates.item(node)
    other = item if item != calls.name(node.call) else ""
    return plans.Step(node.id, node.call, tuple(inputs.items()), node.depends(), templates.of(node), other)
