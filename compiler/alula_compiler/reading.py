"""From resources to the compiler's form: shape is the models' business, meaning is the passes'.

Called by `compile` only. Whatever it is given, it answers with diagnostics, never with an exception. Maps come back
from the API server with their keys sorted, so they are sorted here: a file and the cluster's copy compile alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode, Items, Leaf
from alula_api.contract.retries import Backoff
from alula_api.kinds import bindings, domains, launch_plans, reading, workflows
from alula_compiler.program import Domain, Graph, LaunchPlan, Node, Output, Port, Program, Task

SOURCE = "alula.dev/source"


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
        model.metadata.annotations.get(SOURCE, ""),
        f"workflow {model.metadata.name}",
    )


def program(
    workflow: workflows.Workflow,
    plans: Sequence[launch_plans.LaunchPlan] = (),
    domain: domains.Domain | None = None,
) -> Program:
    """Return the program that well-formed resources describe."""
    spec = workflow.spec
    source = workflow.metadata.annotations.get(SOURCE, "")
    return Program(
        name=workflow.metadata.name,
        version=spec.version,
        image=spec.code.image,
        runtime=spec.code.runtime,
        description=spec.description or "",
        source=source,
        bundle=spec.code.bundle.digest if spec.code.bundle else "",
        tasks=tuple(_task(task) for task in spec.tasks),
        graphs=tuple(_graph(spec, graph, source) for graph in spec.graphs),
        plans=tuple(_plan(plan) for plan in plans),
        domain=_domain(domain),
    )


def binding(model: bindings.Leaf) -> Binding:
    """Return where a value comes from."""
    if isinstance(model, bindings.Binding) and model.items is not None:
        return Items(tuple(_leaf(leaf) for leaf in model.items))
    return _leaf(model)


def _leaf(model: bindings.Leaf) -> Leaf:
    if model.value is not None:
        return Constant(model.value)
    if model.input is not None:
        return FromInput(model.input, tuple(model.path))
    return FromNode(model.node or "", model.output or "", tuple(model.path))


def _port(model: workflows.Input | workflows.Output) -> Port:
    default = model.default if isinstance(model, workflows.Input) else None
    return Port(model.name, model.type, default, model.description or "")


def _output(model: workflows.BoundOutput) -> Output:
    return Output(model.name, model.type, binding(model.binding), model.description or "")


def _task(model: workflows.Task) -> Task:
    retries, backoff = model.retries, None
    if retries and retries.backoff:
        backoff = Backoff(retries.backoff.duration, retries.backoff.factor, retries.backoff.cap)
    resources = {}
    if model.resources:
        parts = {"requests": model.resources.requests, "limits": model.resources.limits}
        resources = {name: dict(sorted(part.items())) for name, part in parts.items() if part}
    return Task(
        name=model.name,
        entrypoint=model.entrypoint,
        key=model.key or model.entrypoint,
        source=model.source or "",
        description=model.description or "",
        inputs=tuple(_port(port) for port in model.inputs),
        outputs=tuple(_port(port) for port in model.outputs),
        cache=model.cache.version if model.cache else None,
        retries=retries.limit if retries else 0,
        system_retries=retries.system if retries else None,
        backoff=backoff,
        timeout=model.timeout,
        image=model.image,
        resources=resources,
        env=tuple((variable.name, variable.value) for variable in model.env),
        secrets=tuple((variable.name, variable.secret, variable.key) for variable in model.secrets),
    )


def _graph(spec: workflows.WorkflowSpec, model: workflows.Graph, workflow_source: str) -> Graph:
    """A graph; `main` has the workflow's own inputs and outputs."""
    is_main = model.name == names.MAIN
    source = model.source or (workflow_source if is_main else "")
    inputs, outputs = (spec.inputs, spec.outputs) if is_main else (model.inputs, model.outputs)
    return Graph(
        name=model.name,
        inputs=tuple(_port(port) for port in inputs),
        outputs=tuple(_output(output) for output in outputs),
        nodes=tuple(_node(node, source) for node in model.nodes),
        source=source,
    )


def _node(model: workflows.Node, source: str) -> Node:
    """A node; its line stands in the file of its graph."""
    file, colon, line = source.rpartition(":")
    if not (colon and line.isdigit()):
        file = source
    return Node(
        id=model.id,
        task=model.task,
        graph=model.graph,
        inputs=tuple((name, binding(value)) for name, value in sorted(model.inputs.items())),
        after=tuple(model.after),
        source=f"{file}:{model.line}" if file and model.line is not None else source,
    )


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
        source=model.metadata.annotations.get(SOURCE, ""),
        version=spec.version or "",
    )


def _domain(model: domains.Domain | None) -> Domain:
    if model is None:
        return Domain()
    storage, defaults = model.spec.storage, model.spec.task_defaults
    retries = defaults.retries if defaults else None
    return Domain((storage.secret if storage else None) or "", retries.system if retries else None)
