"""The program becomes Argo objects, and for each template the plan by which the controller admits its runs."""

from __future__ import annotations

import dataclasses

from alula_compiler import engines, graph_calls, plans, problems
from alula_compiler import program as ir
from alula_compiler.argo import objects, pods, templates


def run(program: ir.Program, settings: engines.Engine, report: problems.Report) -> ir.Program:
    """Emit the workflow's template, then each launch plan's with its schedule."""
    common = {
        "serviceAccountName": settings.service_account,
        "podSpecPatch": pods.patch(program, settings, _nodes_in_run(program)),
        "volumes": list(templates.VOLUMES),
    }
    tasks = {task.name: task for task in program.tasks}
    made = [templates.admit(program.main.inputs)]
    made += [templates.dag(graph) for graph in sorted(program.graphs, key=lambda graph: graph.name != ir.MAIN)]
    made += [templates.task(template, tasks[template.task], settings) for template in program.templates]
    emitted: list[ir.Object] = []
    found: dict[str, ir.Object] = {}
    for launch_plan in (None, *program.plans):
        name = objects.template_name(program, launch_plan)
        spec = objects.spec(program, launch_plan, common, made)
        found[name] = plans.plan(program, name, launch_plan)
        emitted.append(objects.workflow_template(program, launch_plan, spec, objects.revision(name, found[name], spec)))
        if launch_plan is not None and launch_plan.crons:
            emitted.append(objects.cron_workflow(program, launch_plan))
    return dataclasses.replace(program, objects=tuple(emitted), plans_by_template=found)


def _nodes_in_run(program: ir.Program) -> int:
    called = graph_calls.between(program.graphs)
    graphs = {graph.name: graph for graph in program.graphs}
    return graph_calls.nodes_in_run(graphs, graph_calls.order(called))[ir.MAIN]
