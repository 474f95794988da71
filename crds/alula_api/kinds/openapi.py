"""The merge keys of our lists for kustomize: without them a patch of one task removes all others.

Written beside every release as `alula-openapi.json` and named by the `openapi:` field of a domain's kustomization (the
file must lie in or below that folder). Only the way to the lists with keys is in it: kustomize merges all else by
itself. What kustomize knows about Kubernetes' own kinds is lost when a file is named (seen with kustomize 5.8: a patch
of one container removed the others), so the keys of the kinds with pods are here too.
"""

from __future__ import annotations

import json
from typing import Any

from alula_api.kinds import definitions
from alula_api.kinds.fields import GROUP, VERSION
from alula_api.kinds.reading import KINDS

FILE_NAME = "alula-openapi.json"

Schema = dict[str, Any]


def document() -> Schema:
    """The OpenAPI document with the merge keys of all kinds."""
    ours: Schema = {}
    for name, kind in KINDS.items():
        spec = _reduced(definitions.schema(kind)["properties"]["spec"]) or {"type": "object"}
        ours[f"dev.alula.{VERSION}.{name}"] = _kind(GROUP, VERSION, name, {"spec": spec})
    return {"definitions": {**ours, **_kubernetes()}}


def text() -> str:
    """The document as the bytes of the file."""
    return json.dumps(document(), indent=1) + "\n"


def _reduced(schema: Schema) -> Schema | None:
    """The schema reduced to the lists with keys inside it, or None if there are none."""
    if schema["type"] == "array":
        keys = schema.get("x-kubernetes-list-map-keys")
        inner = _reduced(schema["items"])
        if keys:
            return _keyed(keys[0], inner)
        return {"type": "array", "items": inner} if inner else None
    found = {name: inner for name, field in schema.get("properties", {}).items() if (inner := _reduced(field))}
    return _object(found) if found else None


def _kubernetes() -> Schema:
    """Kubernetes' own kinds that somebody may keep beside a release and patch."""
    container = _object(
        {
            "env": _keyed("name"),
            "ports": _keyed("containerPort"),
            "volumeMounts": _keyed("mountPath"),
            "volumeDevices": _keyed("devicePath"),
        }
    )
    pod = _object(
        {
            **{name: _keyed("name", container) for name in ("containers", "initContainers", "ephemeralContainers")},
            **{name: _keyed("name") for name in ("volumes", "imagePullSecrets", "resourceClaims", "schedulingGates")},
            "hostAliases": _keyed("ip"),
            "topologySpreadConstraints": _keyed("topologyKey"),
        }
    )
    pod_reference = {"$ref": "#/definitions/io.k8s.api.core.v1.PodSpec"}
    template = _object({"template": _object({"spec": pod_reference})})
    found: Schema = {
        "io.k8s.api.core.v1.PodSpec": pod,
        "io.k8s.api.core.v1.Pod": _kind("", "v1", "Pod", {"spec": pod_reference}),
        "io.k8s.api.core.v1.Service": _kind("", "v1", "Service", {"spec": _object({"ports": _keyed("port")})}),
        "io.k8s.api.core.v1.ServiceAccount": _kind(
            "", "v1", "ServiceAccount", {"secrets": _keyed("name"), "imagePullSecrets": _keyed("name")}
        ),
        "io.k8s.api.batch.v1.Job": _kind("batch", "v1", "Job", {"spec": template}),
        "io.k8s.api.batch.v1.CronJob": _kind(
            "batch", "v1", "CronJob", {"spec": _object({"jobTemplate": _object({"spec": template})})}
        ),
    }
    for name in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        found[f"io.k8s.api.apps.v1.{name}"] = _kind("apps", "v1", name, {"spec": template})
    return found


def _kind(group: str, version: str, name: str, properties: Schema) -> Schema:
    identity = {"group": group, "version": version, "kind": name}
    return {**_object(properties), "x-kubernetes-group-version-kind": [identity]}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _keyed(key: str, items: Schema | None = None) -> Schema:
    return {
        "type": "array",
        "items": items or {"type": "object"},
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": key,
    }
