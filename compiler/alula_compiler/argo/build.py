"""A program becomes Argo objects, and for each template the plan by which the controller admits its runs.

Called by `compile`, after all passes: nothing is wrong with the program any more, and nothing is reported here.
"""

from __future__ import annotations

from alula_api.contract import names
from alula_api.contract.graphs.plans import to_json
from alula_compiler import graph_calls, plans
from alula_compiler.argo import objects, pods, tasks, template_names, templates
from alula_compiler.argo.model import ArgoProgram, Names, Object
from alula_compiler.engines import Engine
from alula_compiler.program import Program

VOLUMES = ({"name": tasks.container.VOLUME, "emptyDir": {}},)


def build(program: Program, engine: Engine) -> ArgoProgram:
    """Return the workflow's template, then each launch plan's with its schedule, and their plans."""
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
        if launch_plan is not None and launch_plan.crons:
            made.append(objects.cron_workflow(program, launch_plan))
    return ArgoProgram(found, common, tuple(shared), tuple(made), by_name)


def _templates(program: Program, found: Names, engine: Engine) -> list[Object]:
    by_name = {task.name: task for task in program.tasks}
    made = [templates.admit(program.main.inputs)]
    made += [templates.dag(graph, found) for graph in sorted(program.graphs, key=lambda graph: not graph.is_main)]
    for form in found.tasks.values():
        task = by_name[form.task]
        made.append(tasks.of(task).template(task, form, program, engine))
    return made


def _nodes_in_run(program: Program) -> int:
    graphs = {graph.name: graph for graph in program.graphs}
    return graph_calls.nodes_in_run(graphs, graph_calls.order(graph_calls.between(program.graphs)))[names.MAIN]
