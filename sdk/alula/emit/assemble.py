"""The resources of one release from definitions, each with its version, checked as the cluster will check them.

Called by the command line. Pure but for reading the definitions' source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from alula import errors
from alula.emit import discovery, portability, resources
from alula_api import kinds
from alula_api.contract import diagnostics, schemas, values

VERSION_DIGITS = 8


def assemble(found: discovery.Definitions, code: resources.Code) -> list[resources.Resource]:
    """The resources of one release, workflows first, each sorted by name.

    The version of a workflow and of its launch plans is the user's name for it, or the digest of what is emitted of
    this workflow alone: a change of another one changes nothing here, and equal sources make equal bytes.

    Raises:
        alula.errors.DefinitionError: a resource does not have the form that the cluster accepts; all problems at once.
    """
    made = {each.name: resources.workflow(each, code) for each in found.workflows}
    versions = {each.name: each.version or digest(made[each.name]) for each in found.workflows}
    plans = [(each, resources.launch_plan(each)) for each in found.launch_plans]
    types = {plan.name: {each.name: each.type.schema for each in plan.workflow.interface.inputs} for plan, _ in plans}
    versioned = [
        *(_versioned(resource, versions[name]) for name, resource in made.items()),
        *(_versioned(resource, versions[plan.workflow.name]) for plan, resource in plans),
    ]
    problems = [problem for resource in versioned for problem in _check(resource, types)]
    if problems:
        raise errors.DefinitionError(problems)
    return versioned


def digest(resource: resources.Resource) -> str:
    """The first digits of the digest of a resource."""
    return hashlib.sha256(values.dumps(resource).encode("utf-8")).hexdigest()[:VERSION_DIGITS]


def _versioned(resource: resources.Resource, version: str) -> resources.Resource:
    spec = resource["spec"]
    assert isinstance(spec, dict)
    return {**resource, "spec": {**spec, "version": version}}


def _check(
    resource: resources.Resource, types: Mapping[str, Mapping[str, schemas.Schema]]
) -> list[diagnostics.Diagnostic]:
    """What the cluster would refuse, and what no release may hold."""
    _, problems = kinds.read(kinds.KINDS[str(resource["kind"])], resource)
    metadata = resource["metadata"]
    assert isinstance(metadata, dict)
    of_plan = types.get(str(metadata["name"]), {}) if resource["kind"] == "LaunchPlan" else {}
    return [*problems, *(portability.problems(resource, of_plan) if not problems else ())]
