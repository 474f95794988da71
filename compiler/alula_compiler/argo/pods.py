"""The one `podSpecPatch` of a compiled template: what every pod of a run has in common.

Part of it is the same for all installations: what hardened namespaces demand of Argo's own containers, a token that
only those can read, and a file system that can be written in mounted folders only. The rest tells the task's container
where data and code lie. Argo substitutes only the run's own variables here; what differs between nodes and attempts
stands in the task templates.
"""

from __future__ import annotations

import json

from alula_api.contract import pods
from alula_compiler.argo import texts
from alula_compiler.argo.model import Object
from alula_compiler.engines import Engine
from alula_compiler.program import Program

_TOKEN = "alula-token"  # noqa: S105
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105
_TOKEN_SECONDS = 3600
_READABLE = 0o444

_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_CONTAINER = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
# Argo's executor image names no user, and a kubelet does not start such an image as another user by itself.
_EXECUTOR_USER = 8737
EXECUTOR = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}
"""Of each of Argo's containers: a ResourceQuota refuses a pod with a container that says nothing."""


def patch(program: Program, engine: Engine, nodes: int) -> str:
    """Return the patch as JSON text.

    Args:
        program: The workflow, after the passes.
        engine: The installation.
        nodes: How many calls a run makes; it decides up to which size values travel inline.
    """
    mount = {"name": _TOKEN, "mountPath": _TOKEN_PATH, "readOnly": True}
    context = {"runAsUser": _EXECUTOR_USER, **_CONTAINER}
    executor = {"securityContext": context, "resources": EXECUTOR, "volumeMounts": [mount]}
    spec = {
        "automountServiceAccountToken": False,
        "securityContext": _POD,
        "volumes": [_token()],
        "initContainers": [{"name": "init", **executor}],
        "containers": [
            {"name": "wait", **executor},
            {"name": "main", "securityContext": _CONTAINER, "env": _environment(program, engine, nodes)},
        ],
    }
    return json.dumps(spec, separators=(",", ":"))


def _token() -> Object:
    """The API server's token, its certificate and the namespace, as Kubernetes itself mounts them, but where we say."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": _TOKEN_SECONDS}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": _TOKEN, "projected": {"defaultMode": _READABLE, "sources": sources}}


def _environment(program: Program, engine: Engine, nodes: int) -> list[Object]:
    written = {
        pods.Env.STORE: engine.store,
        pods.Env.RELEASES: engine.releases,
        pods.Env.STORE_ENDPOINT: engine.endpoint,
        pods.Env.BUNDLE: program.bundle,
        pods.Env.LOG_FORMAT: engine.log_format,
        pods.Env.INLINE_LIMIT: str(pods.inline_limit(nodes)),
    }
    variables: list[Object] = [
        {"name": pods.Env.RUN, "value": texts.RUN},
        {"name": pods.Env.RUN_UID, "value": texts.RUN_UID},
    ]
    if any(texts.needs_brace(value) for value in written.values()):
        variables.append(texts.BRACE)
    variables += [{"name": name, "value": texts.exact(value)} for name, value in written.items() if value]
    if program.domain.secret:
        for key in (pods.Env.ACCESS_KEY, pods.Env.SECRET_KEY):
            reference = {"name": program.domain.secret, "key": key}
            variables.append({"name": key, "valueFrom": {"secretKeyRef": reference}})
    return variables
