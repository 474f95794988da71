"""What Kubernetes itself holds a domain to: the objects that follow from its Domain and its place.

Written into git by `alula domain render`, so that a review sees a changed quota, and compared with what is there by
what checks a domain. Pure; the controller never makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alula_api.contract import labels, names
from alula_api.kinds.domains import DefaultResources, Domain, DomainSpec, Egress, Guards

ACCOUNT = "alula-task"
QUOTA, CONTAINERS, NETWORK = "alula-quota", "alula-containers", "alula-pods"
_RBAC = "rbac.authorization.k8s.io"
_DNS = 53

Object = dict[str, Any]


def render(domain: Domain, project: str, name: str, namespace: str) -> list[Object]:
    """The namespace with its labels, then what lies in it, the Domain last."""
    spec = domain.spec
    guards = spec.guards or Guards()
    made = [
        _namespace(project, name, namespace, strict=guards.policies == "Strict"),
        _object("v1", "ServiceAccount", ACCOUNT, namespace, annotations=guards.account_annotations),
        *_rights(namespace),
        *_quota(guards.quota, namespace),
        *_containers(guards.containers, namespace),
        _network(guards.egress, namespace),
        *_pools(spec, namespace),
        {**domain.to_dict(), "metadata": {"name": "domain", "namespace": namespace}},
    ]
    made[-1].pop("status", None)
    return made


def _object(
    api_version: str, kind: str, name: str, namespace: str, annotations: Mapping[str, str] | None = None
) -> Object:
    metadata: Object = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _namespace(project: str, name: str, namespace: str, *, strict: bool) -> Object:
    marks = {
        labels.PROJECT: project,
        labels.DOMAIN: name,
        labels.POLICIES: "strict" if strict else "open",
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": marks}}


def _rights(namespace: str) -> list[Object]:
    """Pods of tasks report their results to Argo, and may do nothing else."""
    rule = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    reference = {"apiGroup": _RBAC, "kind": "Role", "name": ACCOUNT}
    role = _object(f"{_RBAC}/v1", "Role", ACCOUNT, namespace)
    binding = _object(f"{_RBAC}/v1", "RoleBinding", ACCOUNT, namespace)
    return [{**role, "rules": [rule]}, {**binding, "roleRef": reference, "subjects": [account]}]


def _quota(hard: Mapping[str, str], namespace: str) -> list[Object]:
    if not hard:
        return []
    return [{**_object("v1", "ResourceQuota", QUOTA, namespace), "spec": {"hard": dict(sorted(hard.items()))}}]


def _containers(found: DefaultResources | None, namespace: str) -> list[Object]:
    if found is None:
        return []
    sides = (("defaultRequest", found.requests), ("default", found.limits))
    limit = {"type": "Container", **{side: dict(sorted(each.items())) for side, each in sides if each}}
    return [{**_object("v1", "LimitRange", CONTAINERS, namespace), "spec": {"limits": [limit]}}]


def _network(egress: Sequence[Egress], namespace: str) -> Object:
    """Nothing connects to pods; they connect to the cluster's DNS and to what is named, or everywhere."""
    spec: Object = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    dns = {"ports": [{"port": _DNS, "protocol": protocol} for protocol in ("UDP", "TCP")]}
    spec["egress"] = [dns, *map(_way_out, egress)] if egress else [{}]
    return {**_object("networking.k8s.io/v1", "NetworkPolicy", NETWORK, namespace), "spec": spec}


def _way_out(place: Egress) -> Object:
    way: Object = {"to": [{"ipBlock": {"cidr": place.cidr}}]}
    if place.ports:
        way["ports"] = [{"port": port, "protocol": "TCP"} for port in place.ports]
    return way


def _pools(spec: DomainSpec, namespace: str) -> list[Object]:
    """The limits that Argo's semaphores read; one that is gone for a moment blocks its pool for ever."""
    if not spec.pools:
        return []
    kept = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
    made = _object("v1", "ConfigMap", names.POOLS, namespace, annotations=kept)
    return [{**made, "data": {pool.name: str(pool.limit) for pool in sorted(spec.pools, key=lambda pool: pool.name)}}]
