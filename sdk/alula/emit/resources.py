"""Traced definitions as resources: plain dicts in the declared order of the kinds' fields.

Called by `alula.emit.assemble`. Says what was declared and nothing more: no namespace, no domain, no location.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alula.code import places
from alula.declare import launch_plans, options, tasks, workflows
from alula.graph import nodes
from alula.interfaces import callee
from alula.interfaces.interface import Input, Output
from alula_api import kinds
from alula_api.contract import durations, labels, values
from alula_api.contract.graphs import bindings
from alula_api.contract.values import Json

API_VERSION = "alula.dev/v1alpha1"
MAIN = "main"
"""The graph that a run starts with; its inputs and outputs are the workflow's."""
RUNTIME = 1
"""The version of the pod's contract that this SDK speaks."""

_FIELDS = {callee.TASK: "task", callee.WORKFLOW: "graph"}
"""The field of a node that names what it calls, by the kind of that."""

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

    def to_json(self) -> dict[str, Json]:
        """As the `code` of a Workflow's file."""
        return {"image": self.repository, "runtime": RUNTIME}


def workflow(definition: workflows.Workflow[..., Any], code: Code) -> Resource:
    """The Workflow resource of a traced workflow, without its version."""
    closure = definition.closure
    spec: Resource = {"version": ""}
    if definition.interface.summary:
        spec["description"] = definition.interface.summary
    spec["code"] = code.to_json()
    if definition.interface.inputs:
        spec["inputs"] = [_input(each) for each in definition.interface.inputs]
    if definition.interface.outputs:
        spec["outputs"] = _outputs(definition)
    spec["tasks"] = [_task(each) for each in closure.tasks]
    spec["graphs"] = [_graph(definition, MAIN), *(_graph(each, each.name) for each in closure.workflows[1:])]
    return _resource("Workflow", definition.name, definition.source, spec)


def launch_plan(definition: launch_plans.LaunchPlan) -> Resource:
    """The LaunchPlan resource, without its version."""
    spec: Resource = {"version": "", "workflow": definition.workflow.name}
    if definition.description:
        spec["description"] = definition.description
    if definition.inputs:
        spec["inputs"] = _values(definition.inputs)
    if definition.fixed_inputs:
        spec["fixedInputs"] = _values(definition.fixed_inputs)
    if definition.schedule is not None:
        schedule: Resource = {"cron": list(definition.schedule.lines)}
        if definition.schedule.timezone:
            schedule["timezone"] = definition.schedule.timezone
        spec["schedule"] = schedule
    if definition.suspend:
        spec["suspend"] = True
    return _resource("LaunchPlan", definition.name, definition.source, spec)


def _values(given: Mapping[str, Json]) -> list[Json]:
    return [{"name": name, "value": _text(each)} for name, each in given.items()]


def _resource(kind: str, name: str, source: places.Source, spec: Resource) -> Resource:
    metadata: Resource = {"name": name, "annotations": {labels.SOURCE: str(source)}}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _input(declared: Input) -> Resource:
    entry: Resource = {"name": declared.name, "type": declared.type.schema}
    if not declared.required:
        entry["default"] = _text(declared.default)
    if declared.description:
        entry["description"] = declared.description
    return entry


def _output(declared: Output) -> Resource:
    entry: Resource = {"name": declared.name, "type": declared.type.schema}
    if declared.description:
        entry["description"] = declared.description
    return entry


def _task(task: tasks.Task[..., Any]) -> Resource:
    interface, chosen = task.interface, task.options
    entry: Resource = {"name": task.name, "entrypoint": task.entrypoint}
    if task.has_name:
        entry["key"] = task.key
    entry["source"] = str(task.source)
    if interface.summary:
        entry["description"] = interface.summary
    if interface.inputs:
        entry["inputs"] = [_input(each) for each in interface.inputs]
    if interface.outputs:
        entry["outputs"] = [_output(each) for each in interface.outputs]
    if task.version:
        entry["cache"] = {"version": task.version}
    if chosen.retries.limit or chosen.system_retries is not None:
        entry["retries"] = _retries(chosen)
    if chosen.timeout is not None:
        entry["timeout"] = durations.text(chosen.timeout.total_seconds())
    if chosen.resources is not None:
        sides = {"requests": chosen.resources.requests(), "limits": chosen.resources.limits()}
        entry["resources"] = {side: dict(quantities) for side, quantities in sides.items() if quantities}
    if chosen.image is not None:
        entry["image"] = chosen.image
    if chosen.environment:
        entry["env"] = [{"name": name, "value": text} for name, text in chosen.environment.items()]
    if chosen.secrets:
        entry["secrets"] = [{"name": each.name, "secret": each.secret, "key": each.key} for each in chosen.secrets]
    return entry


def _retries(chosen: options.TaskOptions) -> Resource:
    entry: Resource = {"limit": chosen.retries.limit}
    if chosen.system_retries is not None:
        entry["system"] = chosen.system_retries
    if chosen.retries.backoff is not None:
        backoff = chosen.retries.backoff.spelled()._asdict()
        entry["backoff"] = {name: value for name, value in backoff.items() if value is not None}
    return entry


def _graph(definition: workflows.Workflow[..., Any], name: str) -> Resource:
    graph = definition.graph
    entry: Resource = {"name": name, "source": str(graph.source)}
    if name != MAIN:
        entry["inputs"] = [_input(each) for each in definition.interface.inputs]
        entry["outputs"] = _outputs(definition)
    entry["nodes"] = [_node(node, graph.source.file) for node in graph.nodes]
    return entry


def _outputs(definition: workflows.Workflow[..., Any]) -> list[Json]:
    bound = dict(definition.graph.outputs)
    found: list[Json] = []
    for each in definition.interface.outputs:
        entry: Resource = {"name": each.name, "type": each.type.schema}
        entry["from"] = _binding(bound[each.name])
        if each.description:
            entry["description"] = each.description
        found.append(entry)
    return found


def _node(node: nodes.Node, file: str) -> Resource:
    field = _FIELDS.get(node.target.kind) or callee.refuse(node.target, "be written as a node of a resource")
    entry: Resource = {"id": node.id, field: node.target.name}
    if node.bindings:
        entry["inputs"] = {name: _binding(each) for name, each in node.bindings.items()}
    if node.after:
        entry["after"] = list(node.after)
    if node.source.file == file:
        entry["line"] = node.source.line
    return entry


def _binding(binding: bindings.Binding) -> Resource:
    return bindings.to_json(bindings.mapped(binding, _clean))


def _clean(leaf: bindings.Leaf) -> bindings.Leaf:
    return bindings.Constant(kinds.json_text(leaf.text)) if isinstance(leaf, bindings.Constant) else leaf


def _text(value: Json) -> str:
    """A wire value as it stands in a resource."""
    return kinds.json_text(values.dumps(value))
