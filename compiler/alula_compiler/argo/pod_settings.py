"""Where a task's pod runs and what stands in it, in the words of Kubernetes; all that PodSecurity `restricted` allows.

A pod's template of the domain has been merged into it before (`passes.pod_templates`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alula_api.contract import pods
from alula_api.contract.graphs.specs import Affinity, Mount, NodeRule, Peers, Pod, Toleration
from alula_compiler.argo.model import Object

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = 100
HOST = "kubernetes.io/hostname"
"""The label by which each node is a place of its own."""


def fields(pod: Pod) -> Object:
    """Return the settings of the pod, as Argo has them in a template."""
    found: Object = {
        "nodeSelector": dict(sorted(pod.node_selector.items())),
        "tolerations": [toleration(each) for each in pod.tolerations],
        "affinity": _affinity(pod.affinity) if pod.affinity else {},
        "priorityClassName": pod.priority_class,
        "serviceAccountName": pod.service_account,
        "volumes": [volume for volume, _ in mounts(pod)],
    }
    return {name: value for name, value in found.items() if value}


def toleration(each: Toleration) -> Object:
    """Return a toleration; one without a value takes any."""
    match = {"operator": "Exists"} if each.value is None else {"operator": "Equal", "value": each.value}
    return {"key": each.key, **match, **({"effect": each.effect} if each.effect else {})}


def mounts(pod: Pod) -> list[tuple[Object, Object]]:
    """Return the volumes of a pod, each with its place in the container."""
    found: list[tuple[Object, Object]] = []
    if pod.shared_memory:
        memory = {"medium": "Memory", "sizeLimit": pod.shared_memory}
        found.append(({"name": "shared-memory", "emptyDir": memory}, {"mountPath": pods.SHARED_MEMORY}))
    for number, mount in enumerate(pod.mounts):
        place = {"mountPath": mount.path, **({"readOnly": True} if mount.is_fixed else {})}
        found.append(({"name": f"mount-{number}", **_source(mount)}, place))
    return [(volume, {"name": volume["name"], **place}) for volume, place in found]


def _source(mount: Mount) -> Object:
    if mount.secret:
        return {"secret": {"secretName": mount.secret}}
    if mount.config_map:
        return {"configMap": {"name": mount.config_map}}
    return {"persistentVolumeClaim": {"claimName": mount.claim}}


def required(rules: Iterable[NodeRule], either: Sequence[Iterable[NodeRule]] = ()) -> Object:
    """Return the affinity to nodes for which all of `rules` hold, and one of `either` where there are any."""
    own = [_rule(each) for each in rules]
    terms = [[*own, *map(_rule, more)] for more in either] or ([own] if own else [])
    return {_REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}} if terms else {}


def _affinity(found: Affinity) -> Object:
    key = found.topology_key or HOST
    preferred = [
        {"weight": _WEIGHT, "preference": {"matchExpressions": [_rule(each)]}} for each in found.preferred_nodes
    ]
    rather = [{"weight": _WEIGHT, "podAffinityTerm": _peers(each, key)} for each in found.preferred_apart_from]
    never = [_peers(each, key) for each in found.apart_from]
    nodes = {**required(found.nodes), **({_PREFERRED: preferred} if preferred else {})}
    others = {**({_REQUIRED: never} if never else {}), **({_PREFERRED: rather} if rather else {})}
    sides = {"nodeAffinity": nodes, "podAntiAffinity": others}
    return {side: value for side, value in sides.items() if value}


def _rule(rule: NodeRule) -> Object:
    values = {"values": list(rule.values)} if rule.values else {}
    return {"key": rule.key, "operator": rule.operator, **values}


def _peers(peers: Peers, key: str) -> Object:
    return {"labelSelector": {"matchLabels": dict(sorted(peers.labels.items()))}, "topologyKey": key}
