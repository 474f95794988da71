"""Does the cluster run what the file says? Pure: compares two specs at the level that a domain's patches leave alone.

Called before a run is started from a file, so that last week's code is not taken for today's. The order of
lists with names says nothing: kustomize puts what it patched first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from alula_api.contract import type_spelling, values
from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.specs import (
    GraphSpec,
    InputValue,
    LaunchPlanSpec,
    NodeSpec,
    Output,
    Port,
    TaskSpec,
    WorkflowSpec,
)
from alula_api.contract.schemas import Schema

Meaning: TypeAlias = Mapping[str, Any]
Named: TypeAlias = Mapping[str, Meaning]


def differences(local: WorkflowSpec, cluster: WorkflowSpec) -> list[str]:
    """What the file has and the cluster has not, and the reverse, one short phrase each; empty when they agree.

    Args:
        local: What a Workflow is as the file makes it.
        cluster: What the API server says that it is.
    """
    parts = {"input": _inputs, "output": outputs, "task": _tasks, "graph": _graphs}
    return [each for what, of in parts.items() for each in _differences(what, of(local), of(cluster))]


def plan_differences(local: LaunchPlanSpec, cluster: LaunchPlanSpec) -> list[str]:
    """The same for a LaunchPlan: the workflow and the values; when and whether it runs by itself is the domain's."""
    found = [f"on the cluster it runs {cluster.workflow}"] if local.workflow != cluster.workflow else []
    found += _differences("value", _given(local.inputs), _given(cluster.inputs))
    found += _differences("fixed value", _given(local.fixed_inputs), _given(cluster.fixed_inputs))
    return found


def _differences(what: str, here: Named, there: Named) -> Iterator[str]:
    for name in [*here, *(name for name in there if name not in here)]:
        if name not in there:
            yield f"{what} {name} is only in the file"
        elif name not in here:
            yield f"{what} {name} is only on the cluster"
        elif here[name] != there[name]:
            yield f"{what} {name} differs{_where(here[name], there[name])}"


def _where(here: Meaning, there: Meaning) -> str:
    """` (default, type)`: the fields that differ. Another cache version means other code."""
    fields = [field for field in here if here[field] != there.get(field)]
    return f" ({', '.join('code' if field == 'cache' else field for field in fields)})" if fields else ""


def _inputs(owner: WorkflowSpec | TaskSpec | GraphSpec) -> Named:
    return _ports(owner.inputs)


def _ports(ports: Iterable[Port]) -> Named:
    return {port.name: {"type": _type(port.type), "default": _value(port.default)} for port in ports}


def outputs(owner: WorkflowSpec | GraphSpec) -> Named:
    """The outputs of a workflow or graph: the type of each, and where it comes from."""
    return {output.name: _output(output) for output in owner.outputs}


def _output(output: Output) -> Meaning:
    return {"type": _type(output.type), "from": _binding(output.binding)}


def _tasks(spec: WorkflowSpec) -> Named:
    return {task.name: _task(task) for task in spec.tasks}


def _task(task: TaskSpec) -> Meaning:
    """What a domain may not change."""
    identity = {"entrypoint": task.entrypoint, "key": task.key, "kind": task.kind, "cache": task.cache}
    return {**identity, "inputs": _inputs(task), "outputs": _ports(task.outputs)}


def _graphs(spec: WorkflowSpec) -> Named:
    return {
        graph.name: {
            "nodes": {each.id: node(each) for each in graph.nodes},
            "inputs": _inputs(graph),
            "outputs": outputs(graph),
        }
        for graph in spec.graphs
    }


def node(node: NodeSpec) -> Meaning:
    """What a node calls, with what, and what it waits for."""
    inputs = {name: _binding(binding) for name, binding in node.inputs}
    return {"call": node.call, "inputs": inputs, "after": sorted(node.after)}


def _given(values: Iterable[InputValue]) -> Named:
    return {each.name: {"value": _value(each.value)} for each in values}


def _type(schema: Schema) -> object:
    """One spelling, wherever its classes stand and whatever else the workflow has."""
    named, text = type_spelling.spelled([schema])
    return named, text(schema)


def _binding(binding: bindings.Binding) -> bindings.Binding:
    return bindings.mapped(binding, _leaf)


def _leaf(leaf: bindings.Leaf) -> bindings.Leaf:
    return bindings.Constant(str(_value(leaf.text))) if isinstance(leaf, bindings.Constant) else leaf


def _value(text: str | None) -> str | None:
    """One text for all texts of a value: escaped or not, with blanks or without."""
    try:
        return None if text is None else values.dumps(values.parse(text))
    except values.InvalidValue:
        return text
