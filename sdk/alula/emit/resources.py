"""Traced definitions as specs, and as the resources that stand in git.

Called by `alula.emit.assemble`, and where a file is compared with a cluster. Says what was declared and nothing more:
no namespace, no domain, no location, and no line of the source, so that a comment above a function changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from alula.declare import launch_plans, options, tasks, workflows
from alula.graph import nodes
from alula.interfaces import callee
from alula.interfaces.interface import Input, Output
from alula_api.contract import durations, jsontext, labels, names, pods, values
from alula_api.contract.graphs import bindings, specs
from alula_api.contract.values import Json

Resource = dict[str, Json]


@dataclass(frozen=True)
class Code:
    """What the pods run: an image, and a bundle of files that is unpacked over it (digest and size, or neither)."""

    image: str
    bundle_digest: str = ""
    bundle_size: int = 0

    @property
    def repository(self) -> str:
        """The image without tag and digest, which change with every commit and stand in the block of digests."""
        folder, slash, name = self.image.partition("@")[0].rpartition("/")
        return f"{folder}{slash}{name.partition(':')[0]}"


def workflow(definition: workflows.Workflow[..., Any], code: Code) -> Resource:
    """The Workflow resource of a traced workflow, without its version.

    Raises:
        InvalidValue: A type is longer or deeper as text than a resource may hold.
    """
    return resource(definition, workflow_spec(definition, code).to_json())


def workflow_spec(definition: workflows.Workflow[..., Any], code: Code) -> specs.WorkflowSpec:
    """What a traced workflow says, without its version."""
    closure, interface = definition.closure, definition.interface
    return specs.WorkflowSpec(
        version="",
        description=interface.description,
        code=specs.Code(code.repository, pods.VERSION),
        inputs=tuple(map(_input, interface.inputs)),
        outputs=_bound_outputs(definition),
        tasks=tuple(map(_task, closure.tasks)),
        graphs=(_nodes(definition, names.MAIN), *map(_graph, closure.workflows[1:])),
    )


def launch_plan(definition: launch_plans.LaunchPlan) -> Resource:
    """The LaunchPlan resource, without its version."""
    return resource(definition, plan_spec(definition).to_json())


def plan_spec(definition: launch_plans.LaunchPlan) -> specs.LaunchPlanSpec:
    """What a launch plan says, without its version."""
    schedule = definition.schedule
    return specs.LaunchPlanSpec(
        workflow=definition.workflow.name,
        description=definition.description,
        inputs=_values(definition.inputs),
        fixed_inputs=_values(definition.fixed_inputs),
        schedule=specs.Schedule(tuple(schedule.lines), schedule.timezone or None) if schedule is not None else None,
        suspend=definition.suspend or None,
    )


def _values(given: Mapping[str, Json]) -> tuple[specs.InputValue, ...]:
    return tuple(specs.InputValue(name, _text(each)) for name, each in given.items())


def resource(definition: workflows.Workflow[..., Any] | launch_plans.LaunchPlan, spec: Resource) -> Resource:
    """The resource of a definition with a spec."""
    kind = "LaunchPlan" if isinstance(definition, launch_plans.LaunchPlan) else "Workflow"
    metadata: Resource = {"name": definition.name, "annotations": {labels.SOURCE: definition.source.file}}
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _input(declared: Input) -> specs.Port:
    default = None if declared.required else _text(declared.default)
    return specs.Port(declared.name, declared.type.schema, default, declared.description)


def _output(declared: Output) -> specs.Port:
    return specs.Port(declared.name, declared.type.schema, description=declared.description)


def _task(task: tasks.Task[..., Any]) -> specs.TaskSpec:
    interface, chosen = task.interface, task.options
    resources = chosen.resources
    return specs.TaskSpec(
        name=task.name,
        entrypoint=str(task.entrypoint),
        key=task.key if task.has_name else "",
        description=interface.description,
        inputs=tuple(map(_input, interface.inputs)),
        outputs=tuple(map(_output, interface.outputs)),
        cache=specs.Cache(task.version) if task.version else None,
        retries=_retries(chosen),
        timeout=durations.text(chosen.timeout.total_seconds()) if chosen.timeout is not None else None,
        resources=specs.Resources(resources.requests(), resources.limits()) if resources is not None else None,
        image=chosen.image,
        env=tuple(specs.EnvVar(name, text) for name, text in chosen.environment.items()),
        secrets=tuple(specs.SecretVar(each.name, each.secret, each.key) for each in chosen.secrets),
    )


def _retries(chosen: options.TaskOptions) -> specs.Retry | None:
    backoff = chosen.retries.backoff.spelled() if chosen.retries.backoff is not None else None
    found = specs.Retry(chosen.retries.limit, chosen.system_retries, backoff)
    return found if found.limit or found.system is not None else None


def _graph(definition: workflows.Workflow[..., Any]) -> specs.GraphSpec:
    """A sub-workflow; `main` has its inputs and outputs in the spec itself."""
    inputs = tuple(map(_input, definition.interface.inputs))
    return replace(_nodes(definition, definition.name), inputs=inputs, outputs=_bound_outputs(definition))


def _nodes(definition: workflows.Workflow[..., Any], name: str) -> specs.GraphSpec:
    return specs.GraphSpec(name, nodes=tuple(map(_node, definition.graph.nodes)))


def _bound_outputs(definition: workflows.Workflow[..., Any]) -> tuple[specs.Output, ...]:
    sources = dict(definition.graph.outputs)
    return tuple(
        specs.Output(each.name, each.type.schema, _binding(sources[each.name]), each.description)
        for each in definition.interface.outputs
    )


def _node(node: nodes.Node) -> specs.NodeSpec:
    kind = node.target.kind
    if kind not in (callee.TASK, callee.WORKFLOW):
        callee.refuse(node.target, "be written as a node of a resource")
    return specs.NodeSpec(
        id=node.id,
        task=node.target.name if kind == callee.TASK else None,
        graph=node.target.name if kind == callee.WORKFLOW else None,
        inputs=tuple((name, _binding(each)) for name, each in node.bindings.items()),
        after=node.after,
    )


def _binding(binding: bindings.Binding) -> bindings.Binding:
    return bindings.mapped(binding, _clean)


def _clean(leaf: bindings.Leaf) -> bindings.Leaf:
    return bindings.Constant(jsontext.resource_safe(leaf.text)) if isinstance(leaf, bindings.Constant) else leaf


def _text(value: Json) -> str:
    """A wire value as it stands in a resource."""
    return jsontext.resource_safe(values.dumps(value))
