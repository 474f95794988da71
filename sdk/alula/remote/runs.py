"""`alula run --remote`: compares the file with the cluster, starts a run, follows it, prints its outputs.

Called by `alula.cli.run`. What runs is the cluster's own definition; the file says what its user takes that to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula import display
from alula.declare import launch_plans, workflows
from alula.remote import comparing, connections, following
from alula_api.contract import codes, diagnostics, names, values

if TYPE_CHECKING:
    from alula_api.contract.values import Json

POLL_SECONDS = 1.0

Target = workflows.Workflow[..., Any] | launch_plans.LaunchPlan


@dataclass(frozen=True)
class Options:
    """How to start and follow a run.

    Attributes:
        namespace: Where the definitions and runs of the project-domain live.
        context: The kubeconfig's context; empty for the current one.
        wait: Follow the run until it has ended; else print its name and return.
        synced: Start what the cluster has, even when the file says something else.
    """

    namespace: str
    context: str = ""
    wait: bool = True
    synced: bool = False


@dataclass(frozen=True)
class Result:
    """A run that was started: as last seen."""

    state: following.RunState
    namespace: str

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.state.phase == "Succeeded"

    def outputs(self) -> dict[str, Json]:
        """The outputs as JSON values, references as they are."""
        return {name: values.parse(text) for name, text in self.state.outputs.items()}


def start(
    target: Target, inputs: Mapping[str, Json], options: Options, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """Start a run of `target` with these inputs (JSON values) and, unless told otherwise, follow it to its end.

    Raises:
        alula.remote.connections.RemoteError: the cluster cannot be reached, or refuses.
        alula.errors.UserError: the definition is not there, is not ready, or is not what the file says.
    """
    cluster = connections.Connection(options.context, options.namespace)
    workflow = target.workflow if isinstance(target, launch_plans.LaunchPlan) else target
    there = _definition(cluster, "workflows", workflow.name)
    if isinstance(target, launch_plans.LaunchPlan):
        _definition(cluster, "launchplans", target.name)
    if not options.synced:
        _compare(workflow, there)
    template = names.launch_plan_template(target.name) if target is not workflow else workflow.name
    created = cluster.start(manifest(template, inputs, workflow))
    name = created["metadata"]["name"]
    display.note(f"started {name} in {options.namespace}")
    if not options.wait:
        return Result(following.state(created), options.namespace)
    return Result(_follow(cluster, name, sleep), options.namespace)


def manifest(template: str, inputs: Mapping[str, Json], workflow: workflows.Workflow[..., Any]) -> dict[str, Json]:
    """The Argo Workflow that starts a run: a template's name, and each given input as Argo-safe text."""
    types = {each.name: each.type.schema for each in workflow.interface.inputs}
    parameters: list[Json] = [
        {"name": name, "value": values.argo_safe(values.codec(types[name]).wire(value))}
        for name, value in inputs.items()
    ]
    return {
        "apiVersion": connections.ARGO,
        "kind": "Workflow",
        "metadata": {"generateName": f"{template}-"},
        "spec": {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}},
    }


def _definition(cluster: connections.Connection, plural: str, name: str) -> dict[str, Any]:
    found = cluster.definition(plural, name)
    kind = {"workflows": "workflow", "launchplans": "launch plan"}[plural]
    if found is None:
        code = codes.Code.UNKNOWN_WORKFLOW if plural == "workflows" else codes.Code.UNKNOWN_LAUNCH_PLAN
        near = diagnostics.closest(name, cluster.names(plural))
        hint = f"did you mean {near}?" if near else "register it and let it be synced; is this the right --domain?"
        raise connections.refusal(f"there is no {kind} {name} in namespace {cluster.namespace}", hint, code)
    for condition in found.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "False":
            message = f"{kind} {name} is not ready: {condition.get('message') or condition.get('reason')}"
            raise connections.refusal(message, f"kubectl describe {plural}.alula.dev {name} -n {cluster.namespace}")
    return found


def _compare(workflow: workflows.Workflow[..., Any], there: dict[str, Any]) -> None:
    """Raise unless the cluster has what the file says."""
    from alula.emit import resources

    here = resources.workflow(workflow, resources.Code(""))["spec"]
    assert isinstance(here, dict)
    found = comparing.differences(here, there["spec"])
    if not found:
        return
    shown = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
    message = f"the cluster's {workflow.name} ({there['spec'].get('version')}) is not what the file says: {shown}"
    hint = "register and sync the file, or start what the cluster has with --synced"
    raise connections.refusal(message, hint, codes.Code.OUT_OF_STEP)


def _follow(cluster: connections.Connection, name: str, sleep: Callable[[float], None]) -> following.RunState:
    before: following.RunState | None = None
    while True:
        run = cluster.run(name)
        if run is None:
            raise connections.refusal(f"run {name} was deleted while it was followed")
        now = following.state(run)
        for line in following.news(before, now):
            display.note(line)
        if now.finished:
            display.note(f"{name} {now.phase.lower()}" + (f": {now.message}" if now.message else ""))
            return now
        before = now
        sleep(POLL_SECONDS)
