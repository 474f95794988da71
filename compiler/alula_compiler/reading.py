"""From resources to the compiler's form: shape is the models' business, meaning is the passes'.

Called by `compile` only. Whatever it is given, it answers with diagnostics, never with an exception. Maps come back
from the API server with their keys sorted, so they are sorted here: a file and the cluster's copy compile alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from alula_api.contract import labels, names, queue
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import json_fields, specs
from alula_api.contract.retention import Retention
from alula_api.kinds import domains, launch_plans, reading, workflows
from alula_compiler.program import Domain, Interruptible, LaunchPlan, Program


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """What was read: the program without the launch plans that are wrong, None where the workflow or the domain is."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...] = ()
    of_plans: Mapping[str, tuple[Diagnostic, ...]] = dataclasses.field(default_factory=dict)


def read(workflow: object, plans: Sequence[object], domain: object | None) -> Read:
    """Return the program, and what is wrong with the resources' shape.

    Args:
        workflow: The Workflow, as JSON data.
        plans: Its LaunchPlans.
        domain: The namespace's Domain, if it has one.
    """
    found: list[Diagnostic] = []
    model, problems = reading.read(workflows.Workflow, workflow)
    found += problems
    plan_models = []
    of_plans = {}
    for index, plan in enumerate(plans):
        plan_model, problems = reading.read(launch_plans.LaunchPlan, plan)
        if plan_model is not None:
            plan_models.append(plan_model)
        else:
            of_plans[_name(plan) or f"number {index + 1}"] = tuple(problems)
    domain_model = None
    if domain is not None:
        domain_model, problems = reading.read(domains.Domain, domain)
        found += problems
    if model is not None and any(
        graph.name == names.MAIN and (graph.inputs or graph.outputs) for graph in model.spec.graphs
    ):
        found.append(_main_with_ports(model))
    if model is None or found:
        return Read(None, tuple(found), of_plans)
    return Read(program(model, plan_models, domain_model), (), of_plans)


def _name(plan: object) -> str:
    metadata = plan.get("metadata") if isinstance(plan, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


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
    read_domain = _domain(domain)
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
        plans=tuple(_plan(plan, read_domain.retention) for plan in plans),
        domain=read_domain,
        failure_policy=spec.failure_policy or "",
        handlers=spec.handlers,
        deadline=spec.deadline or "",
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


def _plan(model: launch_plans.LaunchPlan, retention: Retention) -> LaunchPlan:
    spec = model.spec
    kept = spec.retention or launch_plans.Retention()
    read = specs.LaunchPlanSpec.from_json(model.to_dict()["spec"])
    return LaunchPlan(
        name=model.metadata.name,
        workflow=spec.workflow,
        inputs=tuple((value.name, value.value) for value in spec.inputs),
        fixed=tuple((value.name, value.value) for value in spec.fixed_inputs),
        description=spec.description or "",
        schedule=read.schedule,
        trigger=read.trigger,
        notifications=read.notifications,
        suspend=bool(spec.suspend),
        terms=queue.Terms.of(
            spec.priority,
            spec.weight,
            spec.concurrency.limit if spec.concurrency else None,
            spec.queue_timeout,
            (spec.concurrency.policy or "") if spec.concurrency else "",
        ),
        deadline=spec.deadline or "",
        retention=retention.within(kept.succeeded, kept.failed),
        source=model.metadata.annotations.get(labels.SOURCE, ""),
        version=spec.version or "",
    )


def _domain(model: domains.Domain | None) -> Domain:
    if model is None:
        return Domain()
    spec = model.spec
    defaults = spec.task_defaults or domains.TaskDefaults()
    resources = defaults.resources or domains.DefaultResources()
    most = spec.task_limits or domains.TaskLimits()
    images = spec.images or domains.Images()
    kept = spec.retention or domains.Retention()
    return Domain(
        secret=(spec.storage.secret if spec.storage else None) or "",
        system_retries=defaults.retries.system if defaults.retries else None,
        resources=specs.Resources(resources.requests, resources.limits),
        timeout=defaults.timeout,
        may_interrupt=defaults.interruptible,
        interruptible=_interruptible(spec.interruptible),
        pod_templates={each.name: _pod(each) for each in spec.pod_templates},
        pod_template=defaults.pod_template,
        most=most.resources,
        forbidden=tuple(most.forbid),
        longest=most.timeout,
        images=tuple(images.allow),
        digests=images.digests == "Required",
        retention=Retention.of(kept.succeeded, kept.failed),
        pools=tuple(pool.name for pool in spec.pools),
        places={each.name: each.webhook.template if each.webhook else None for each in spec.notifications},
        trusted=None if spec.schedules == "Disabled" else tuple(spec.triggers.sources if spec.triggers else ()),
        fires=spec.schedules != "Disabled" and not spec.suspend,
        hard=spec.guards.quota if spec.guards else {},
    )


def _pod(model: domains.PodTemplate) -> specs.Pod:
    return json_fields.from_json(specs.Pod, model.model_dump(by_alias=True, exclude_defaults=True, exclude={"name"}))


def _interruptible(model: domains.Interruptible | None) -> Interruptible | None:
    if model is None:
        return None
    tolerated = (specs.Toleration(each.key, each.value, each.effect) for each in model.tolerations)
    return Interruptible(dict(sorted(model.node_selector.items())), tuple(tolerated))
