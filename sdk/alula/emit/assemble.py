"""The resources of one release from definitions, each with its version, checked as the cluster will check them.

Called by the command line. Pure but for reading the definitions' source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from alula import errors
from alula.declare import launch_plans
from alula.emit import discovery, lines, portability, resources
from alula_api.contract import codes, diagnostics, type_spelling, values
from alula_api.contract.graphs import specs

if TYPE_CHECKING:
    from alula.declare import workflows

VERSION_DIGITS = 8


class Made(NamedTuple):
    """A definition with what it says and the resource that says it; None where its types cannot be spelled."""

    definition: workflows.Workflow[..., Any] | launch_plans.LaunchPlan
    spec: specs.WorkflowSpec | specs.LaunchPlanSpec
    resource: resources.Resource | None


def assemble(found: discovery.Definitions, code: resources.Code) -> list[resources.Resource]:
    """The resources of one release, workflows first, each sorted by name.

    Raises:
        alula.errors.DefinitionError: a resource does not have the form that the cluster accepts; all problems at once.
    """
    made = [*make(found, code)]
    problems = [problem for each in made for problem in _problems(each)]
    if problems:
        raise errors.DefinitionError(lines.with_lines(problems, found))
    return [each.resource for each in made if each.resource is not None]


def make(found: discovery.Definitions, code: resources.Code) -> Iterator[Made]:
    """Yield each definition's resource as it is, unchecked.

    The version of a workflow and of its launch plans is the user's name for it, or the digest of what is emitted of
    this workflow alone: a change of another one changes nothing here, and equal sources make equal bytes.
    """
    versions: dict[str, str] = {}
    for workflow in found.workflows:
        spec = resources.workflow_spec(workflow, code)
        try:
            resource = resources.resource(workflow, spec.to_json())
        except values.InvalidValue:
            yield Made(workflow, spec, None)
            continue
        versions[workflow.name] = workflow.version or digest(resource)
        yield Made(workflow, spec, _versioned(resource, versions[workflow.name]))
    for plan in found.launch_plans:
        of_plan = resources.plan_spec(plan)
        resource = resources.resource(plan, of_plan.to_json())
        yield Made(plan, of_plan, _versioned(resource, versions.get(plan.workflow.name, "0")))


def _problems(made: Made) -> Iterator[diagnostics.Diagnostic]:
    from alula_api import kinds

    definition, spec = made.definition, made.spec
    name, file = definition.name, definition.source.file
    if isinstance(spec, specs.LaunchPlanSpec):
        assert isinstance(definition, launch_plans.LaunchPlan)
        types = {each.name: each.type.schema for each in definition.workflow.interface.inputs}
        yield from kinds.read(kinds.LaunchPlan, made.resource)[1]
        yield from portability.of_plan(name, file, spec, types)
    elif made.resource is None:
        yield from _unspellable(name, file, spec)
    else:
        yield from kinds.read(kinds.Workflow, made.resource)[1]
        yield from portability.of_workflow(name, file, spec)


def digest(resource: resources.Resource) -> str:
    """The first digits of the digest of a resource."""
    return hashlib.sha256(values.dumps(resource).encode("utf-8")).hexdigest()[:VERSION_DIGITS]


def _versioned(resource: resources.Resource, version: str) -> resources.Resource:
    spec = resource["spec"]
    assert isinstance(spec, dict)
    return {**resource, "spec": {**spec, "version": version}}


def _unspellable(name: str, source: str, spec: specs.WorkflowSpec) -> Iterator[diagnostics.Diagnostic]:
    """Types that are longer or deeper as text than a resource may hold, each with what has them."""
    for subject, port in _ports(spec):
        try:
            type_spelling.spelled([port.type])[1](port.type)
        except values.InvalidValue as error:
            message = f"the type {error.problems[0].message}"
            yield diagnostics.Diagnostic(
                codes.Code.UNSUPPORTED_TYPE, message, source, f"workflow {name}, {subject}{port.name}"
            )


def _ports(spec: specs.WorkflowSpec) -> Iterator[tuple[str, specs.Port | specs.Output]]:
    yield from (("input ", port) for port in spec.inputs)
    yield from (("output ", port) for port in spec.outputs)
    for task in spec.tasks:
        yield from ((f"task {task.name}, input ", port) for port in task.inputs)
        yield from ((f"task {task.name}, output ", port) for port in task.outputs)
