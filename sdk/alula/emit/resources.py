"""Traced definitions as specs, and as the resources that stand in git.

Called by `alula.emit.assemble`, and where a file is compared with a cluster. Says what was declared and nothing more:
no namespace, no domain, no location, and no line of the source, so that a comment above a function changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from alula.declare import handlers as declared
from alula.declare import launch_plans, notices, options, schedules, tasks, triggers, workflows
from alula.graph import nodes
from alula.interfaces.interface import Input, Output
from alula_api.contract import durations, jsontext, labels, names, values
from alula_api.contract.graphs import bindings, handlers, pod_versions, specs
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
    graphs = (_nodes(definition, names.MAIN), *map(_graph, closure.workflows[1:]))
    return specs.WorkflowSpec(
        version="",
        description=interface.description,
        code=specs.Code(code.repository, pod_versions.needed(graphs)),
        inputs=tuple(map(_input, interface.inputs)),
        outputs=_bound_outputs(definition),
        tasks=tuple(map(_task, closure.tasks)),
        failure_policy=definition.failure_policy.capitalize() if definition.failure_policy != "drain" else None,
        deadline=durations.text(definition.deadline) if definition.deadline is not None else None,
        handlers=tuple(map(_handler, definition.handlers)),
        graphs=graphs,
    )


def _handler(handler: declared.Handler) -> handlers.Handler:
    given = tuple(item.name for item in handler.interface.inputs if item.name != handler.failure)
    return handlers.Handler(str(declared.EVENTS[handler.event]), handler.name, given, handler.failure or None)


def launch_plan(definition: launch_plans.LaunchPlan) -> Resource:
    """The LaunchPlan resource, without its version."""
    return resource(definition, plan_spec(definition).to_json())


def plan_spec(definition: launch_plans.LaunchPlan) -> specs.LaunchPlanSpec:
    """What a launch plan says, without its version."""
    waits = definition.queue_timeout
    return specs.LaunchPlanSpec(
        workflow=definition.workflow.name,
        description=definition.description,
        inputs=_values(definition.inputs),
        fixed_inputs=_values(definition.fixed_inputs),
        schedule=_schedule(definition.schedule) if definition.schedule is not None else None,
        suspend=definition.suspend or None,
        trigger=_trigger(definition.trigger, definition.name) if definition.trigger is not None else None,
        concurrency=_concurrency(definition),
        priority=definition.priority or None,
        weight=definition.weight if definition.weight != 1 else None,
        queue_timeout=durations.text(options.seconds(waits)) if waits is not None else None,
        deadline=durations.text(definition.deadline) if definition.deadline is not None else None,
        retention=_retention(definition.retention),
        notifications=tuple(map(_notification, definition.notifications)),
    )


def _trigger(given: triggers.After | triggers.Event | triggers.Release, plan: str) -> specs.Trigger:
    if isinstance(given, triggers.Release):
        return specs.Trigger(release=True)
    if isinstance(given, triggers.Event):
        return specs.Trigger(event=_event(given, plan))
    inputs = tuple(specs.TriggerInput(name, output) for name, output in (given.inputs or {}).items())
    of_plan = isinstance(given.runs, launch_plans.LaunchPlan)
    return specs.Trigger(
        launch_plan=given.runs.name if of_plan else None,
        workflow=None if of_plan else given.runs.name,
        domain=given.domain,
        when=triggers.WHEN[given.when],
        inputs=inputs,
    )


def _notification(given: notices.Notify) -> specs.Notification:
    late, queued = (
        None if each is None else durations.text(options.seconds(each)) for each in (given.late_after, given.queued_for)
    )
    return specs.Notification(given.place, tuple(notices.WHEN[each] for each in given.events), late, queued)


def _event(given: triggers.Event, plan: str) -> specs.TriggerEvent:
    return specs.TriggerEvent(
        name=given.name or plan,
        where=tuple(
            specs.EventCondition(path, tuple(map(jsontext.dumps, wanted)))
            for path, wanted in triggers.conditions(given)
        ),
        inputs=tuple(specs.EventInput(name, path) for name, path in (given.inputs or {}).items()),
        delivery=given.delivery,
        delivery_header=given.delivery_header,
    )


def _retention(given: options.Retention | None) -> specs.Retention | None:
    if given is None:
        return None
    texts = (
        None if each is None else durations.text(options.seconds(each)) for each in (given.succeeded, given.failed)
    )
    return specs.Retention(*texts)


def _concurrency(definition: launch_plans.LaunchPlan) -> specs.Concurrency | None:
    if definition.concurrency is None:
        return None
    policy = None if definition.beyond == "queue" else definition.beyond.capitalize()
    return specs.Concurrency(definition.concurrency, policy)


def _schedule(given: schedules.Cron | schedules.Every) -> specs.Schedule:
    cron = given if isinstance(given, schedules.Cron) else None
    return specs.Schedule(
        cron=cron.lines if cron else (),
        every=durations.text(options.seconds(given.interval)) if isinstance(given, schedules.Every) else None,
        timezone=cron.timezone if cron else None,
        starts=schedules.instant(given.starts) if given.starts is not None else None,
        ends=schedules.instant(given.ends) if given.ends is not None else None,
        jitter=durations.text(options.seconds(given.jitter)) if given.jitter is not None else None,
        input=given.input,
        catch_up=schedules.CATCH_UP[given.catch_up],
        within=durations.text(options.seconds(given.within)) if given.within is not None else None,
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
        on_oom=chosen.on_oom.spelled() if chosen.on_oom is not None else None,
        interruptible=chosen.interruptible,
        image=chosen.image,
        pool=chosen.pool,
        env=tuple(specs.EnvVar(name, text) for name, text in chosen.environment.items()),
        secrets=tuple(specs.SecretVar(each.name, each.secret, each.key) for each in chosen.secrets),
        pod=chosen.pod.spelled() if chosen.pod is not None else None,
    )


def _retries(chosen: options.TaskOptions) -> specs.Retry | None:
    backoff = chosen.retries.backoff.spelled() if chosen.retries.backoff is not None else None
    found = specs.Retry(chosen.retries.limit, chosen.system_retries, backoff)
    return found if found != specs.Retry() else None


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
    return specs.NodeSpec(
        id=node.id,
        call=node.call,
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
