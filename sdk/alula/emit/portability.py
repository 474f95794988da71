"""No value of a release may say where data lies on some machine: the same bytes go to every domain. Pure.

Called by `assembling`. The SDK refuses files in definitions already; this holds for whatever else makes a resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alula_api.contract import codes, diagnostics, references, schemas, values
from alula_api.contract.labels import SOURCE


def problems(resource: Mapping[str, Any], types: Mapping[str, Mapping[str, Any]]) -> Iterator[diagnostics.Diagnostic]:
    """One for each value of a Workflow or LaunchPlan that holds data of this machine or of one domain.

    Args:
        resource: As emitted.
        types: For a LaunchPlan, the types of its workflow's inputs.
    """
    for subject, schema, text in _values(resource["spec"], types):
        if not schemas.has_references(schema):
            continue
        for reference in references.walk(values.parse(text), schema):
            if why := _why(reference):
                yield diagnostics.Diagnostic(
                    codes.Code.BAD_VALUE,
                    f"a release cannot hold {why}: it is the same in every domain",
                    source=str(resource["metadata"].get("annotations", {}).get(SOURCE, "")),
                    subject=f"{resource['kind']} {resource['metadata']['name']}, {subject}",
                    hint="make it an input of the run, or let a task make it",
                )


def _why(reference: references.Reference) -> str:
    scheme, found, _ = reference.uri.partition("://")
    if reference.uri and scheme != "file" and found:
        return ""
    return f"the local path {reference.uri}" if reference.uri else f"the stored {reference.type} {reference.name!r}"


def _values(
    spec: Mapping[str, Any], types: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every value with its type: defaults, constants in graphs, the values of launch plans."""
    for each in spec.get("inputs") or ():
        if "default" in each:
            yield f"input {each['name']}", each["type"], each["default"]
    for part in ("inputs", "fixedInputs"):
        for each in spec.get(part) or ():
            if "value" in each:
                yield f"input {each['name']}", dict(types.get(each["name"], {})), each["value"]
    inputs = {task["name"]: _types(task) for task in spec.get("tasks") or ()}
    graphs = {graph["name"]: _types(graph) for graph in spec.get("graphs") or ()}
    for task in spec.get("tasks") or ():
        for each in task.get("inputs") or ():
            if "default" in each:
                yield f"task {task['name']}, input {each['name']}", each["type"], each["default"]
    for graph in spec.get("graphs") or ():
        for node in graph.get("nodes") or ():
            known = inputs.get(node.get("task"), {}) or graphs.get(node.get("graph"), {})
            for name, binding in (node.get("inputs") or {}).items():
                if "value" in binding:  # what stands in a list of bindings is a task's own, never a file
                    yield f"node {node['id']}, input {name}", known.get(name, {}), binding["value"]


def _types(part: Mapping[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["type"] for each in part.get("inputs") or ()}
