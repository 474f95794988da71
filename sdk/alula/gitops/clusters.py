"""What a cluster has of a domain, beside what git says: synced, compiled, run, drifted.

`read` asks the cluster; everything else is pure. Called by `alula status`, and by promotion where it is to require that
the source domain is healthy or that a run of the very release has succeeded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alula.emit import manifests
from alula.gitops import build_checks, snapshots
from alula.gitops.changes import leaves
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository
from alula.gitops.snapshots import Snapshot, part
from alula.remote import connections
from alula.remote.refusals import RemoteError
from alula_api.argo import runs
from alula_api.contract import labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.names import API_VERSION

PLURALS = {"Workflow": "workflows", "LaunchPlan": "launchplans"}
MAX_DRIFT = 3
"""Fields that are named of a definition that differs."""

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Identity = tuple[str, str]


@dataclass(frozen=True)
class ClusterState:
    """What there is.

    Attributes:
        definitions: By kind and name.
        runs: Metadata of runs, newest first.
        application: Argo CD's Application; None where there is none, or it may not be read.
        domain: The Domain; None where there is none, or this user may not read it.
    """

    definitions: Mapping[Identity, Mapping[str, Any]] = field(default_factory=dict)
    runs: Sequence[Mapping[str, Any]] = ()
    application: Mapping[str, Any] | None = None
    domain: Mapping[str, Any] | None = None

    def last_run(self, identity: Identity) -> Mapping[str, Any] | None:
        """The newest run of a definition."""
        kind, name = identity
        for run in self.runs:
            found = part(run, "metadata").get("labels") or {}
            plan = found.get(labels.LAUNCH_PLAN)
            if (plan == name) if kind == "LaunchPlan" else (found.get(labels.WORKFLOW) == name and plan is None):
                return run
        return None


def read(context: str, place: Place, argocd: str) -> ClusterState:
    """Ask the cluster of a kubeconfig's context.

    Args:
        context: The context; the current one when empty.
        place: The domain.
        argocd: The namespace of Argo CD.

    Raises:
        alula.remote.refusals.RemoteError: it does not answer, or refuses.
    """
    cluster = connections.Connection(context, place.namespace)
    try:
        found = {
            (kind, each["metadata"]["name"]): each
            for kind, plural in PLURALS.items()
            for each in cluster.definitions(plural)
        }
        listed = sorted(cluster.runs(), key=lambda each: str(part(each, "metadata").get("creationTimestamp")))
        application = cluster.application(argocd, place.namespace)
        return ClusterState(found, listed[::-1], application, _domain(cluster))
    finally:
        cluster.close()


def _domain(cluster: connections.Connection) -> Mapping[str, Any] | None:
    try:
        return cluster.domain()
    except RemoteError:
        return None


def snapshot(state: ClusterState, place: Place, folder: Path) -> Snapshot:
    """What a cluster has of a domain, in the form of what git has: definitions and the Domain as they were applied.

    Args:
        state: What `read` found.
        place: The domain.
        folder: Its folder in git.
    """
    built = [_applied(kind, each) for (kind, _), each in state.definitions.items()]
    domain = _applied("Domain", state.domain) if state.domain is not None else None
    return Snapshot(place, folder, built=tuple(built), domain=domain, live=True)


def _applied(kind: str, live: Mapping[str, Any]) -> manifests.Found:
    """A live object without what the cluster and its controllers wrote."""
    metadata = part(live, "metadata")
    kept: dict[str, Any] = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    annotations = part(metadata, "annotations")
    own = {key: value for key, value in annotations.items() if not _is_of_the_cluster(key)}
    kept |= {"annotations": own} if own else {}
    resource = {"apiVersion": API_VERSION, "kind": kind, "metadata": kept, "spec": live.get("spec") or {}}
    return manifests.Found(resource, f"{kind} {metadata.get('name')} on the cluster")


def _is_of_the_cluster(annotation: str) -> bool:
    return annotation in labels.OF_THE_CLUSTER or annotation in build_checks.OF_ARGO_CD or annotation == _APPLIED


def drift(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The fields of a definition's spec that are not as git has them, those that git lacks too."""
    return [path for path, _, _ in leaves(wanted.get("spec") or {}, found.get("spec") or {})]


def compiled(found: Mapping[str, Any]) -> str:
    """Why a definition is not compiled as it stands; empty when it is."""
    status = part(found, "status")
    if status.get("observedGeneration") != part(found, "metadata").get("generation"):
        return "the controller has not looked at it yet"
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    ready = conditions.get("Ready") or {}
    return "" if ready.get("status") == "True" else str(ready.get("message") or "it is not ready")


def unhealthy(state: ClusterState, snapshot: Snapshot, repository: Repository, commit: str) -> Iterator[Diagnostic]:
    """Why a domain is not known to be Synced and Healthy with what a commit has."""
    name = snapshot.place.namespace
    hint = "wait for the sync, or promote without --require-healthy"
    if state.application is None:
        message = f"Argo CD has no Application {name} that you may read"
        yield Diagnostic(Code.NOT_PROMOTABLE, message, hint="check --context and --argocd")
        return
    status = part(state.application, "status")
    sync, health = part(status, "sync"), part(status, "health")
    if (sync.get("status"), health.get("status")) != ("Synced", "Healthy"):
        message = f"{name} is {sync.get('status') or 'Unknown'} and {health.get('status') or 'Unknown'}"
        yield Diagnostic(Code.NOT_PROMOTABLE, message, hint=hint)
    path = repository.path(str(snapshot.place))
    revision = str(sync.get("revision") or "")
    if not revision or repository.tree(revision, path) != repository.tree(commit, path):
        message = f"Argo CD has synced {name} at {revision[:12] or 'no commit'}, where {path} is another one"
        yield Diagnostic(Code.NOT_PROMOTABLE, message, hint=hint)


def succeeded(state: ClusterState, snapshot: Snapshot, plan: str) -> tuple[str, list[Diagnostic]]:
    """The run of a launch plan that succeeded with exactly what git has, or why there is none."""
    wanted = {(str(each.resource["kind"]), snapshots.name(each)): each.resource for each in snapshot.built}
    identity = ("LaunchPlan", plan)
    if identity not in wanted:
        return "", [Diagnostic(Code.UNKNOWN_LAUNCH_PLAN, f"{snapshot.place} has no launch plan {plan}")]
    workflow = ("Workflow", str(part(wanted[identity], "spec").get("workflow")))
    for each in (identity, workflow):
        live = state.definitions.get(each)
        if live is None or drift(wanted[each], live) or compiled(live):
            message = f"{snapshot.place.namespace} does not run the {each[0]} {each[1]} that git has"
            return "", [Diagnostic(Code.NOT_PROMOTABLE, message, hint="`alula status --cluster` shows what differs")]
    revision = part(state.definitions[identity], "status").get("revision")
    for run in state.runs:
        found = part(run, "metadata").get("labels") or {}
        of_it = found.get(labels.LAUNCH_PLAN) == plan and found.get(labels.REVISION) == revision
        if of_it and found.get(runs.PHASE_LABEL) == "Succeeded":
            return f"{snapshot.place.namespace}/{run['metadata']['name']}", []
    message = f"no run of launch plan {plan} has succeeded in {snapshot.place} with this release"
    hint = f"start one: `argo submit --from workflowtemplate/lp-{plan} -n {snapshot.place.namespace}`"
    return "", [Diagnostic(Code.NOT_PROMOTABLE, message, hint=hint)]
