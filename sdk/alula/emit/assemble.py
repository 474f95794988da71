"""One release from definitions: resources with their version, checked as the cluster will check them.

Called by the command line. Pure but for reading the definitions' source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from alula import errors
from alula.emit import discovery, portability, resources
from alula_api import kinds
from alula_api.contract import diagnostics, schemas, values

VERSION_DIGITS = 8


def assemble(found: discovery.Definitions, code: resources.Code, version: str = "") -> list[resources.Resource]:
    """The resources of one release, workflows first, each sorted by name.

    `version` names the release; left out, it is the digest of what is emitted, so that equal sources make equal bytes.

    Raises:
        alula.errors.DefinitionError: a resource does not have the form that the cluster accepts; all problems at once.
    """
    made = [resources.workflow(each, code) for each in found.workflows]
    made += [resources.launch_plan(each) for each in found.launch_plans]
    types = {
        plan.name: {each.name: each.type.schema for each in plan.workflow.interface.inputs}
        for plan in found.launch_plans
    }
    version = version or digest(made)
    for resource in made:
        spec = resource["spec"]
        assert isinstance(spec, dict)
        spec["version"] = version
    problems = [problem for resource in made for problem in _check(resource, types)]
    if problems:
        raise errors.DefinitionError(problems)
    return made


def version_of(made: Sequence[resources.Resource]) -> str:
    """The version that the resources of one release carry."""
    spec = made[0]["spec"]
    assert isinstance(spec, dict)
    return str(spec["version"])


def digest(made: Sequence[resources.Resource]) -> str:
    """The version of a release that nobody named: the first digits of the digest of its resources."""
    text = "\n".join(values.dumps(resource) for resource in made)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:VERSION_DIGITS]


def _check(
    resource: resources.Resource, types: Mapping[str, Mapping[str, schemas.Schema]]
) -> list[diagnostics.Diagnostic]:
    """What the cluster would refuse, and what no release may hold."""
    _, problems = kinds.read(kinds.KINDS[str(resource["kind"])], resource)
    metadata = resource["metadata"]
    assert isinstance(metadata, dict)
    of_plan = types.get(str(metadata["name"]), {}) if resource["kind"] == "LaunchPlan" else {}
    return [*problems, *(portability.problems(resource, of_plan) if not problems else ())]
