"""Exactly the verbs that the controller uses: `kustomize/base` grants these and no others, and a test compares the two.

A second test compares them with what `cluster` is called with. `update` and `patch` on a Lease are bound to its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from alula_api.contract import names
from alula_api.kinds import guards
from alula_controller.cluster import resources
from alula_controller.cluster.resources import Resource


@dataclass(frozen=True)
class Rule:
    """Verbs on one resource (with its subresource), and why."""

    resource: Resource
    verbs: tuple[str, ...]
    why: str
    subresource: str = ""
    names: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """As RBAC writes it: `workflows/status`."""
        return self.resource.plural + (f"/{self.subresource}" if self.subresource else "")


GUARD_NAMES = {
    **dict.fromkeys(("ServiceAccount", "Role", "RoleBinding"), (guards.ACCOUNT,)),
    "ResourceQuota": (guards.QUOTA,),
    "LimitRange": (guards.CONTAINERS,),
    "NetworkPolicy": (guards.NETWORK,),
    "ConfigMap": (names.POOLS,),
}
"""The controller may read these objects of a domain and no others of their kinds."""

#: In every namespace that is served (a ClusterRole; bound by one ClusterRoleBinding or by RoleBindings).
SERVED = (
    Rule(resources.WORKFLOWS, ("get", "list", "watch"), "definitions are read, never written"),
    Rule(resources.WORKFLOWS, ("patch",), "conditions", "status"),
    Rule(resources.LAUNCH_PLANS, ("get", "list", "watch"), "definitions are read, never written"),
    Rule(resources.LAUNCH_PLANS, ("patch",), "conditions", "status"),
    Rule(resources.DOMAINS, ("get", "list", "watch"), "definitions are read, never written"),
    Rule(resources.DOMAINS, ("patch",), "conditions", "status"),
    Rule(
        resources.TEMPLATES,
        ("get", "list", "watch", "create", "patch", "delete"),
        "compiled; server-side apply of a new object needs create and patch",
    ),
    Rule(
        resources.BINDINGS, ("get", "list", "watch", "create", "patch", "delete"), "compiled, where events start runs"
    ),
    Rule(resources.CRONS, ("get", "list", "watch", "delete"), "schedules of an earlier version, which are taken over"),
    Rule(
        resources.RUNS,
        ("get", "list", "watch", "create", "patch"),
        "admission; runs that are scheduled, asked for, or whose data was lost",
    ),
    Rule(
        resources.REVISIONS,
        ("get", "list", "watch", "create", "patch", "delete"),
        "the plan and spec of each revision",
    ),
    Rule(resources.EVENTS, ("create",), "transitions, told to people"),
    Rule(resources.PODS, ("list",), "their metadata: whether those of a run that is replaced are gone"),
)

#: Cluster-wide in any installation that serves all namespaces; `get` of the served ones suffices for the others.
NAMESPACES = (Rule(resources.NAMESPACES, ("get", "list", "watch"), "the labels that say project and domain"),)

#: In the controller's own namespace. `create` cannot be bound to a name.
OWN = (
    Rule(resources.LEASES, ("create",), "the Lease of the replica that acts"),
    Rule(resources.LEASES, ("get", "update"), "the Lease of the replica that acts", names=("alula-controller",)),
)

#: With `kustomize/components/guard-rights` only: without them `GuardsInSync` is Unknown.
GUARDS = tuple(
    Rule(each, ("get",), "whether a domain's guards follow from its Domain", names=GUARD_NAMES.get(each.kind, ()))
    for each in resources.GUARDS
)

ALL = (*SERVED, *NAMESPACES, *OWN)
