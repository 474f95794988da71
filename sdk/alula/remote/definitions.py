"""The cluster's own definitions: are they there, are they compiled, and are they what the file says?

Called by the command line before a run is started: what runs is the cluster's definition, and the file says what its
user takes that to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alula.declare import launch_plans, workflows
from alula.remote import comparing, refusals
from alula.remote.connections import KINDS
from alula.remote.refusals import RemoteError, refusal
from alula_api.contract import codes, diagnostics, names, values
from alula_api.contract.graphs import specs

if TYPE_CHECKING:
    from alula.remote.connections import Connection

PATIENCE_SECONDS = 30.0
"""So long a definition may take from being applied to being compiled; a second is usual."""
PAUSE_SECONDS = 0.5
_SHOWN = 5

S = TypeVar("S", specs.WorkflowSpec, specs.LaunchPlanSpec)
Target = workflows.Workflow[..., Any] | launch_plans.LaunchPlan


@dataclass(frozen=True)
class Found:
    """What the cluster has of a target.

    Attributes:
        title: The name of the workflow or launch plan.
        spec: Of the Workflow.
        template: The name of the WorkflowTemplate that runs are started from.
        revision: Of the definition whose template that is.
        sources: Where nodes are called, by graph and node, when the file is known to say the same.
    """

    title: str
    spec: specs.WorkflowSpec
    template: str
    revision: str = ""
    sources: Mapping[tuple[str, str], str] = field(default_factory=dict)


def find(
    cluster: Connection,
    target: Target,
    root: Path,
    *,
    synced: bool,
    sleep: Callable[[float], None],
    say: Callable[[str], None],
) -> Found:
    """What the cluster has of `target`, ready to run.

    Args:
        cluster: The connection.
        target: The workflow or launch plan of the file.
        root: The project's folder.
        synced: Take what is there, even when the file says something else.
        sleep: Waits, while the cluster compiles what was applied a moment ago.
        say: Takes a line for people.

    Raises:
        RemoteError: it is not there, is not ready, or is not what the file says.
    """
    plan = target if isinstance(target, launch_plans.LaunchPlan) else None
    workflow = target.workflow if isinstance(target, launch_plans.LaunchPlan) else target
    found = _awaited(cluster, "workflows", workflow.name, sleep, say)
    spec = _read(specs.WorkflowSpec, workflow.name, found)
    sources: dict[tuple[str, str], str] = {}
    if not synced:
        _compare(workflow, root, found, spec)
        sources = _sources(workflow)
    if plan is None:
        return Found(workflow.name, spec, workflow.name, _revision(found), sources)
    planned = _awaited(cluster, "launchplans", plan.name, sleep, say)
    if not synced:
        _compare_plan(plan, planned)
    return Found(plan.name, spec, names.launch_plan_template(plan.name), _revision(planned), sources)


def _sources(workflow: workflows.Workflow[..., Any]) -> dict[tuple[str, str], str]:
    closure = workflow.closure
    graphs = zip((names.MAIN, *(each.name for each in closure.workflows[1:])), closure.graphs, strict=True)
    return {(name, node.id): str(node.source) for name, graph in graphs for node in graph.nodes}


def _awaited(
    cluster: Connection, plural: str, name: str, sleep: Callable[[float], None], say: Callable[[str], None]
) -> Mapping[str, Any]:
    """The definition once the controller has looked at its newest form."""
    waited = 0.0
    while True:
        found = refusals.patiently(lambda: cluster.definition(plural, name), refusals.SOON, sleep=sleep, say=say)
        if found is None:
            raise _missing(cluster, plural, name)
        verdict = _ready(found)
        if verdict is True:
            return found
        look = f"kubectl describe {plural}.alula.dev {name} -n {cluster.namespace}"
        if isinstance(verdict, str):
            raise refusal(f"{KINDS[plural]} {name} is not ready: {verdict}", look)
        if waited >= PATIENCE_SECONDS:
            message = f"{KINDS[plural]} {name} has not been compiled within {PATIENCE_SECONDS:.0f} s"
            said = _conditions(found).get("Ready", {}).get("message")
            raise refusal(f"{message}: {said}" if said else message, f"does the controller of alula run? See {look}")
        if not waited:
            say(f"waiting for the controller to compile {KINDS[plural]} {name}")
        sleep(PAUSE_SECONDS)
        waited += PAUSE_SECONDS


def _ready(found: Mapping[str, Any]) -> bool | str:
    """Whether it is compiled; why it never will be as it stands; False for not yet."""
    conditions = _conditions(found)
    ready = conditions.get("Ready", {})
    if ready.get("status") == "True":
        return True
    passing = conditions.get("Reconciling", {}).get("status") == "True"
    if ready.get("status") != "False" or passing:
        return False
    return str(ready.get("message") or ready.get("reason") or "it does not say why")


def _conditions(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By type, those that speak of the newest form."""
    current = found["metadata"].get("generation")
    conditions = (found.get("status") or {}).get("conditions") or ()
    return {str(each.get("type")): each for each in conditions if each.get("observedGeneration", current) == current}


def _missing(cluster: Connection, plural: str, name: str) -> RemoteError:
    kind = KINDS[plural]
    code = codes.Code.UNKNOWN_WORKFLOW if plural == "workflows" else codes.Code.UNKNOWN_LAUNCH_PLAN
    there = cluster.names(plural)
    message = f"there is no {kind} {name} in namespace {cluster.namespace}"
    if there is None:
        return refusal(f"the cluster at {cluster.server} does not know alula's {kind}s", "is alula installed there?")
    if hint := diagnostics.did_you_mean(name, there, shown=str):
        return refusal(message, hint, code)
    if not there:
        return refusal(message, f"no {kind} is there at all: check --project, --domain and --context", code)
    return refusal(message, "register the file, commit and sync it; or check --project and --domain", code)


def _compare(
    workflow: workflows.Workflow[..., Any], root: Path, there: Mapping[str, Any], spec: specs.WorkflowSpec
) -> None:
    """Raise unless the cluster has what the file says."""
    from alula.emit import resources

    here = resources.workflow_spec(workflow, resources.Code(""))
    found = comparing.differences(here, spec)
    bundle = spec.code.bundle
    if bundle is not None and not found:
        # Functions without a cache leave no trace of their code in the resource; the bundle has all of it.
        from alula_data import bundles

        if bundles.digest(bundles.files(root)) != bundle.digest:
            found = [f"the project's files are not those of its code bundle {bundle.digest[:12]}"]
    _refuse(workflow.name, there, found)


def _compare_plan(plan: launch_plans.LaunchPlan, there: Mapping[str, Any]) -> None:
    from alula.emit import resources

    cluster = _read(specs.LaunchPlanSpec, plan.name, there)
    _refuse(plan.name, there, comparing.plan_differences(resources.plan_spec(plan), cluster))


def _read(cls: type[S], name: str, there: Mapping[str, Any]) -> S:
    """The spec of what the cluster has."""
    try:
        return cls.from_json(there["spec"])
    except values.InvalidValue as error:
        message = f"the cluster's {name} cannot be read: spec{error.problems[0].path[1:]} {error.problems[0].message}"
        hint = "is another version of alula installed there? Register the file again, commit and sync it"
        raise refusal(message, hint, codes.Code.OUT_OF_STEP) from None


def _refuse(name: str, there: Mapping[str, Any], found: list[str]) -> None:
    if not found:
        return
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    version = there["spec"].get("version")
    shown = f" (version {version})" if version else ""
    message = f"the cluster's {name}{shown} is not what the file says: {'; '.join(found[:_SHOWN])}{more}"
    hint = "register the file, commit and sync it; or start what the cluster has with --synced"
    raise refusal(message, hint, codes.Code.OUT_OF_STEP)


def _revision(found: Mapping[str, Any]) -> str:
    return str((found.get("status") or {}).get("revision") or "")
