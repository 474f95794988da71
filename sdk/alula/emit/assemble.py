"""The resources of one release from definitions, each with its version, checked as the cluster will check them.

Called by the command line. Pure but for reading the definitions' source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from alula import errors
from alula.emit import discovery, lines, portability, resources
from alula_api import kinds
from alula_api.contract import codes, diagnostics, type_spelling, values
from alula_api.contract.graphs import specs

VERSION_DIGITS = 8


def assemble(found: discovery.Definitions, code: resources.Code) -> list[resources.Resource]:
    """The resources of one release, workflows first, each sorted by name.

    The version of a workflow and of its launch plans is the user's name for it, or the digest of what is emitted of
    this workflow alone: a change of another one changes nothing here, and equal sources make equal bytes.

    Raises:
        alula.errors.DefinitionError: a resource does not have the form that the cluster accepts; all problems at once.
    """
    problems: list[diagnostics.Diagnostic] = []
    made: list[resources.Resource] = []
    versions: dict[str, str] = {}
    for workflow in found.workflows:
        spec = resources.workflow_spec(workflow, code)
        try:
            resource = resources.resource(workflow, spec.to_json())
        except values.InvalidValue:
            problems += _unspellable(workflow.name, workflow.source.file, spec)
            continue
        versions[workflow.name] = workflow.version or digest(resource)
        made.append(_versioned(resource, versions[workflow.name]))
        problems += kinds.read(kinds.Workflow, made[-1])[1]
        problems += portability.of_workflow(workflow.name, workflow.source.file, spec)
    for plan in found.launch_plans:
        of_plan = resources.plan_spec(plan)
        types = {each.name: each.type.schema for each in plan.workflow.interface.inputs}
        made.append(_versioned(resources.resource(plan, of_plan.to_json()), versions.get(plan.workflow.name, "0")))
        problems += kinds.read(kinds.LaunchPlan, made[-1])[1]
        problems += portability.of_plan(plan.name, plan.source.file, of_plan, types)
    if problems:
        raise errors.DefinitionError(lines.with_lines(problems, found))
    return made


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
