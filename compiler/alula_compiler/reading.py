"""From resources to the compiler's form: shape is the models' business, meaning is the passes'.

Called by `compile` only. Whatever it is given, it answers with diagnostics, never with an exception. Maps come back
from the API server with their keys sorted, so they are sorted here: a file and the cluster's copy compile alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from alula_api.contract import labels, names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import specs
from alula_api.kinds import domains, launch_plans, reading, workflows
from alula_compiler.program import Domain, LaunchPlan, Program


def read(
    workflow: object, plans: Sequence[object], domain: object | None
) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """Return the program, or None and what is wrong with the resources' shape.

    Args:
        workflow: The Workflow, as JSON data.
        plans: Its LaunchPlans.
        domain: The namespace's Domain, if it has one.
    """
    found: list[Diagnostic] = []
    model, problems = reading.read(workflows.Workflow, workflow)
    found += problems
    plan_models = []
    for plan in plans:
        plan_model, problems = reading.read(launch_plans.LaunchPlan, plan)
        found += problems
        if plan_model is not None:
            plan_models.append(plan_model)
    domain_model = None
    if domain is not None:
        domain_model, problems = reading.read(domains.Domain, domain)
        found += problems
    if model is not None and any(
        graph.name == names.MAIN and (graph.inputs or graph.outputs) for graph in model.spec.graphs
    ):
        found.append(_main_with_ports(model))
    if model is None or found:
        return None, tuple(found)
    return program(model, plan_models, domain_model), ()


def _main_with_ports(model: workflows.Workflow) -> Diagnostic:
    return Diagnostic(
        Code.BAD_RESOURCE,
        "graph `main` must not have inputs or outputs of its own: they are `spec.inputs` and `spec.outputs`",
        model.metadata.annotations.get(labels.SOURCE, ""),
        f"workflow {model.metadata.name}",
    )


def program(
    workflow: workflows.Workflow,
    plans: Sequence[launch_plans.LaunchPlan] = (),
    domain: domains.Domain | None = None,
) -> Program:
    """Return the program that well-formed resources describe."""
    spec = specs.WorkflowSpec.from_json(workflow.to_dict()["spec"])
    return Program(
        name=workflow.metadata.name,
        version=spec.version,
        image=spec.code.image,
        runtime=spec.code.runtime,
        description=spec.description,
        source=workflow.metadata.annotations.get(labels.SOURCE, ""),
        bundle=spec.code.bundle.digest if spec.code.bundle else "",
        tasks=tuple(_task(task) for task in spec.tasks),
        graphs=tuple(_graph(spec, graph) for graph in spec.graphs),
        plans=tuple(_plan(plan) for plan in plans),
        domain=_domain(domain),
    )


def _task(task: specs.TaskSpec) -> specs.TaskSpec:
    """A task whose name in the cache key stands there."""
    return dataclasses.replace(task, key=task.key or task.entrypoint)


def _graph(spec: specs.WorkflowSpec, graph: specs.GraphSpec) -> specs.GraphSpec:
    """A graph with its nodes' inputs sorted; `main` has the workflow's own inputs and outputs."""
    nodes = tuple(dataclasses.replace(node, inputs=tuple(sorted(node.inputs))) for node in graph.nodes)
    if graph.is_main:
        return specs.GraphSpec(graph.name, spec.inputs, spec.outputs, nodes)
    return dataclasses.replace(graph, nodes=nodes)


def _plan(model: launch_plans.LaunchPlan) -> LaunchPlan:
    spec = model.spec
    return LaunchPlan(
        name=model.metadata.name,
        workflow=spec.workflow,
        inputs=tuple((value.name, value.value) for value in spec.inputs),
        fixed=tuple((value.name, value.value) for value in spec.fixed_inputs),
        description=spec.description or "",
        crons=tuple(spec.schedule.cron) if spec.schedule else (),
        timezone=spec.schedule.timezone if spec.schedule else None,
        suspend=bool(spec.suspend),
        source=model.metadata.annotations.get(labels.SOURCE, ""),
        version=spec.version or "",
    )


def _domain(model: domains.Domain | None) -> Domain:
    if model is None:
        return Domain()
    storage, defaults = model.spec.storage, model.spec.task_defaults
    retries = defaults.retries if defaults else None
    return Domain((storage.secret if storage else None) or "", retries.system if retries else None)
