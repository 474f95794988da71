"""A program becomes Argo objects, and for each template the plan by which the controller admits its runs.

Called by `compile`, after all passes: nothing is wrong with the program any more, and nothing is reported here.
"""

from __future__ import annotations

from alula_api.contract import lists, names
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.calls import MapCall, RepeatCall
from alula_api.contract.graphs.plans import to_json
from alula_api.contract.graphs.specs import NodeSpec
from alula_compiler import graph_calls, plans
from alula_compiler.argo import branches, event_bindings, maps, objects, pods, repeats, tasks, template_names, templates
from alula_compiler.argo.model import ArgoProgram, Names, Object, map_key, repeat_key
from alula_compiler.engines import Engine
from alula_compiler.program import Program

VOLUMES = ({"name": tasks.container.VOLUME, "emptyDir": {}},)


def build(program: Program, engine: Engine) -> ArgoProgram:
    """Return the workflow's template, then each launch plan's, and their plans."""
    found = template_names.names_of(program)
    common = {
        "serviceAccountName": engine.service_account,
        "podSpecPatch": pods.patch(program, engine, _nodes_in_run(program)),
        "volumes": list(VOLUMES),
    }
    shared = _templates(program, found, engine)
    made: list[Object] = []
    by_name: dict[str, Object] = {}
    whole = plans.plan(program, found)
    for launch_plan in (None, *program.plans):
        name = objects.template_name(program, launch_plan)
        spec = objects.spec(program, launch_plan, common, shared)
        by_name[name] = to_json(plans.started_by(launch_plan, whole, name) if launch_plan else whole)
        made.append(objects.workflow_template(program, launch_plan, spec, objects.revision(name, by_name[name], spec)))
        event = launch_plan.trigger.event if launch_plan and launch_plan.trigger else None
        if launch_plan and event and program.domain.fires and not launch_plan.suspend:
            made.append(event_bindings.binding(program, launch_plan, event))
    return ArgoProgram(found, common, tuple(shared), tuple(made), by_name)


def _templates(program: Program, found: Names, engine: Engine) -> list[Object]:
    by_name = {task.name: task for task in program.tasks}
    made = [templates.admit(program.main.inputs, program.input_parts)]
    ordered = sorted(program.graphs, key=lambda graph: not graph.is_main)
    made += [templates.dag(graph, found) for graph in ordered if graph.nodes or graph.is_main]
    made += branches.dags(ordered, found)
    mapped = {map_key(node, call): (node, call) for node, call in _maps(program)}
    made += [each for node, call in mapped.values() for each in maps.templates(node, call, found)]
    if any(call.is_tolerant for _, call in mapped.values()) and branches.NOTHING not in made:
        made.append(branches.NOTHING)
    repeated = {
        repeat_key(node, node.call): repeats.template(node, node.call, found)
        for graph in program.graphs
        for node in graph.nodes
        if isinstance(node.call, RepeatCall)
    }
    made += repeated.values()
    for form in (*found.tasks.values(), *found.batches.values()):
        task = by_name[form.task]
        made.append(tasks.of(task).template(task, form, program, engine))
    return made


def _maps(program: Program) -> list[tuple[NodeSpec, MapCall]]:
    return [(node, node.call) for graph in program.graphs for node in graph.nodes if isinstance(node.call, MapCall)]


def _nodes_in_run(program: Program) -> int:
    """What the run is counted as where its values' sizes are bounded; of a map each item that it may have."""
    graphs = {graph.name: graph for graph in program.graphs}
    sizes = graph_calls.nodes_in_run(graphs, graph_calls.order(graph_calls.between(program.graphs)))
    items = (sum(sizes[graph] for graph in calls.graphs(call)) or 1 for _, call in _maps(program))
    return sizes[names.MAIN] + lists.MAX_ITEMS * 2 * sum(items)
