"""No value of a release may say where data lies on some machine: the same bytes go to every domain. Pure.

Called by `assemble`. The SDK refuses files in definitions already; this holds for whatever else makes a spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alula_api.contract import codes, diagnostics, references, schemas, values
from alula_api.contract.graphs import bindings, specs
from alula_api.contract.graphs.interfaces import Interfaces
from alula_api.contract.schemas import Schema

_Value = tuple[str, Schema, str]
"""What holds it, its type and its text."""


def of_workflow(name: str, source: str, spec: specs.WorkflowSpec) -> Iterator[diagnostics.Diagnostic]:
    """One for each value of a Workflow that holds data of this machine or of one domain; `source` is its file."""
    yield from _problems(f"Workflow {name}", source, _values(spec))


def of_plan(
    name: str, source: str, spec: specs.LaunchPlanSpec, types: Mapping[str, Schema]
) -> Iterator[diagnostics.Diagnostic]:
    """The same for a LaunchPlan, whose workflow has inputs of these types."""
    given = (*spec.inputs, *spec.fixed_inputs)
    found = ((f"input {each.name}", types.get(each.name, {}), each.value) for each in given)
    yield from _problems(f"LaunchPlan {name}", source, found)


def _problems(subject: str, source: str, found: Iterator[_Value]) -> Iterator[diagnostics.Diagnostic]:
    for part, schema, text in found:
        if not schemas.has_references(schema):
            continue
        for reference in references.walk(values.parse(text), schema):
            if why := _why(reference):
                yield diagnostics.Diagnostic(
                    codes.Code.BAD_VALUE,
                    f"a release cannot hold {why}: it is the same in every domain",
                    source=source,
                    subject=f"{subject}, {part}",
                    hint="make it an input of the run, or let a task make it",
                )


def _why(reference: references.Reference) -> str:
    scheme, found, _ = reference.uri.partition("://")
    if reference.uri and scheme != "file" and found:
        return ""
    return f"the local path {reference.uri}" if reference.uri else f"the stored {reference.type} {reference.name!r}"


def _values(spec: specs.WorkflowSpec) -> Iterator[_Value]:
    """Every value with its type: defaults, and constants in graphs."""
    yield from _defaults("", spec.inputs)
    for task in spec.tasks:
        yield from _defaults(f"task {task.name}, ", task.inputs)
    interfaces = Interfaces(spec.tasks, spec.graphs)
    for graph in spec.graphs:
        for node in graph.nodes:
            interface = interfaces.of(node.call)
            types = {name: port.type for name, port in interface.inputs.items()} if interface else {}
            for name, binding in node.inputs:
                if isinstance(binding, bindings.Constant):  # in a list of bindings it is a task's own, never a file
                    yield f"node {node.id}, input {name}", types.get(name, {}), binding.text


def _defaults(owner: str, ports: tuple[specs.Port, ...]) -> Iterator[_Value]:
    for port in ports:
        if port.default is not None:
            yield f"{owner}input {port.name}", port.type, port.default
