"""ServiceAccounts with rights and tokens, so that programs run as themselves and not as root."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

from e2e.cluster import control_plane

Object = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_TOKEN_SECONDS = 12 * 3600


@dataclasses.dataclass(frozen=True)
class User:
    """A logged-in ServiceAccount."""

    name: str
    token: str
    kubeconfig: pathlib.Path


def account(name: str, namespace: str) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def role(name: str, rules: list[Object], namespace: str, accounts: list[str]) -> list[Object]:
    """A Role and its binding to accounts of the same namespace."""
    return _grant("", name, rules, namespace, accounts)


def cluster_role(name: str, rules: list[Object], namespace: str, accounts: list[str]) -> list[Object]:
    """A ClusterRole and its binding to accounts of `namespace`."""
    return _grant("Cluster", name, rules, namespace, accounts)


def _grant(scope: str, name: str, rules: list[Object], namespace: str, accounts: list[str]) -> list[Object]:
    metadata = {"name": name} if scope else {"name": name, "namespace": namespace}
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": namespace} for account in accounts]
    return [
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": f"{scope}Role",
            "metadata": metadata,
            "rules": rules,
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": f"{scope}RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _RBAC, "kind": f"{scope}Role", "name": name},
            "subjects": subjects,
        },
    ]


def login(plane: control_plane.ControlPlane, folder: pathlib.Path, namespace: str, name: str) -> User:
    """Asks the API server for a token of a ServiceAccount and writes a kubeconfig with it."""
    path = plane.api.path("v1", "ServiceAccount", namespace, name) + "/token"
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    token = str(plane.api.request("POST", path, request)["status"]["token"])
    kubeconfig = folder / f"kubeconfig.{namespace}.{name}"
    control_plane.write_kubeconfig(kubeconfig, plane.certificates.authority, token, namespace)
    return User(name, token, kubeconfig)
