"""Argo's templates but those of tasks: the hold at the beginning, and one DAG for each graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from alula_api.argo import outputs
from alula_api.contract import names
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import path_of
from alula_api.contract.graphs.calls import BranchCall
from alula_api.contract.graphs.comparables import Part
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Output, Port
from alula_compiler.argo import branches, expressions, maps
from alula_compiler.argo.model import Names, Object


def admit(inputs: Sequence[Port], parts: Sequence[Part]) -> Object:
    """Return the hold that begins every run: the controller publishes the run's inputs as its outputs."""
    published = [port.name for port in inputs] + [part.name for part in parts] or [names.ADMITTED]
    parameters = [{"name": name, "valueFrom": {"supplied": {}}} for name in published]
    return {"name": names.ADMIT, "suspend": {}, "outputs": {"parameters": parameters}}


def dag(graph: GraphSpec, templates: Names) -> Object:
    """Return the DAG of a graph. The nodes of `main` that wait for nothing else wait for `admit`."""
    made: Object = {"name": templates.graphs[graph.name]}
    if graph.inputs and not graph.is_main:
        made["inputs"] = {"parameters": [{"name": port.name} for port in graph.inputs]}
    if graph.outputs:
        made["outputs"] = {"parameters": [each for output in graph.outputs for each in _published(output, graph)]}
    tasks: list[Object] = [{"name": names.ADMIT, "template": names.ADMIT}] if graph.is_main else []
    optional = branches.optional(graph)
    tasks += [_task(node, graph, templates, optional) for node in graph.nodes]
    return {**made, "dag": {"tasks": tasks}}


def _published(output: Output, graph: GraphSpec) -> list[Object]:
    """The parameters of an output: the value, and for a part or a list what is meant of it."""
    found = [{"name": output.name, "valueFrom": expressions.output(output.binding, graph)}]
    paths = outputs.paths(output.binding)
    if paths is not None:
        found.append({"name": names.path_parameter(output.name), "valueFrom": expressions.written(paths)})
    return found


def _task(node: NodeSpec, graph: GraphSpec, templates: Names, optional: Collection[str]) -> Object:
    made: Object = {"name": node.id, "template": templates.of(node)}
    when = branches.taken(node, optional)
    if when:
        made["when"] = when
    depends = node.depends() or ((names.ADMIT,) if graph.is_main else ())
    if depends:
        # Always the predicate: a bare name is true for skipped tasks too.
        made["depends"] = " && ".join(f"{name}.Succeeded" for name in depends)
    parameters: list[Object] = []
    if isinstance(node.call, BranchCall):
        return {**made, "arguments": {"parameters": branches.arguments(node, node.call, graph)}}
    if calls.over(node.call) or calls.fed(node.call):
        return {**made, "arguments": {"parameters": maps.arguments(node, graph)}}
    for name, binding in node.inputs:
        parameters.append({"name": name, "value": expressions.argument(binding, graph)})
        if path_of(binding):  # of tasks only: graphs get whole values
            path = expressions.path(path_of(binding))
            parameters.append({"name": names.path_parameter(name), "value": path})
    if parameters:
        made["arguments"] = {"parameters": parameters}
    return made
