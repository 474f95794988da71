"""The kinds of objects that the controller reads and writes, and where the API server keeps them.

Everything that names a path of the API takes it from here, so that `permissions` can be compared with what is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from alula_api.contract import names
from alula_api.contract.values import Json

GROUP, _, VERSION = names.API_VERSION.partition("/")


@dataclass(frozen=True)
class Resource:
    """One kind of object in the API: where it is served and what it is called."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of one object, or of all in a namespace, or (both empty) of all in the cluster."""
        path = self.root
        if self.namespaced and namespace:
            path += f"/namespaces/{quote(namespace, safe='')}"
        path += f"/{self.plural}"
        if name:
            path += f"/{quote(name, safe='')}"
        return f"{path}/{subresource}" if subresource else path


WORKFLOWS = Resource(GROUP, VERSION, "workflows", "Workflow")
LAUNCH_PLANS = Resource(GROUP, VERSION, "launchplans", "LaunchPlan")
DOMAINS = Resource(GROUP, VERSION, "domains", "Domain")
DEFINITIONS = (WORKFLOWS, LAUNCH_PLANS, DOMAINS)
REVISIONS = Resource(GROUP, VERSION, "workflowrevisions", "WorkflowRevision")

TEMPLATES = Resource("argoproj.io", VERSION, "workflowtemplates", "WorkflowTemplate")
CRONS = Resource("argoproj.io", VERSION, "cronworkflows", "CronWorkflow")
BINDINGS = Resource("argoproj.io", VERSION, "workfloweventbindings", "WorkflowEventBinding")
RUNS = Resource("argoproj.io", VERSION, "workflows", "Workflow")
ARGO = (TEMPLATES, CRONS, BINDINGS, RUNS)

NEEDED = (*DEFINITIONS, REVISIONS, *ARGO)
"""What must be served before the controller can start."""

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Resource("", "v1", "events", "Event")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")

ALL = (*NEEDED, LEASES, EVENTS, NAMESPACES, PODS)
_RBAC = "rbac.authorization.k8s.io"
GUARDS = (
    Resource("", "v1", "serviceaccounts", "ServiceAccount"),
    Resource(_RBAC, "v1", "roles", "Role"),
    Resource(_RBAC, "v1", "rolebindings", "RoleBinding"),
    Resource("", "v1", "resourcequotas", "ResourceQuota"),
    Resource("", "v1", "limitranges", "LimitRange"),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    Resource("", "v1", "configmaps", "ConfigMap"),
)
"""What Kubernetes holds a domain to; read only, and only where the installation lets the controller."""

_BY_KIND = {(resource.api_version, resource.kind): resource for resource in ALL}


def run(
    namespace: str, name: str, spec: Mapping[str, Any], annotations: Mapping[str, str], labels: Mapping[str, str] = {}
) -> dict[str, Any]:
    """A run to create."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "annotations": dict(annotations)}
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": RUNS.api_version, "kind": RUNS.kind, "metadata": metadata, "spec": dict(spec)}


def of(body: dict[str, Json]) -> Resource:
    """The resource that an object with `apiVersion` and `kind` belongs to (KeyError if it is none of ours)."""
    return _BY_KIND[str(body["apiVersion"]), str(body["kind"])]
