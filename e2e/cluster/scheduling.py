"""Binds pods to the cluster's one node while their requests fit: all the scheduling it needs.

A process inside a cluster with real pods, started by `e2e.cluster.nodes` as
`python -m e2e.cluster.scheduling KUBECONFIG`. With one node there is nothing to choose; what counts
is that pods beyond the node's size wait, as they do anywhere, instead of being refused by the kubelet.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
import urllib.parse
from typing import Any

from e2e.cluster import api
from e2e.cluster.pods import spec

Object = dict[str, Any]

RESOURCES = ("cpu", "memory")
_ENDED = ("Succeeded", "Failed")


def requests(pod: Object) -> dict[str, float]:
    """What a pod asks for: its containers together, or its largest init container if that is more."""
    spec = pod["spec"]
    total = {}
    for resource in RESOURCES:
        main = sum(_request(container, resource) for container in spec["containers"])
        initial = [_request(container, resource) for container in spec.get("initContainers", [])]
        total[resource] = max(main, *initial) if initial else main
    return total


def _request(container: Object, resource: str) -> float:
    return spec.amount(container.get("resources", {}).get("requests", {}).get(resource, "0"))


def fits(pod: Object, placed: list[Object], capacity: dict[str, float]) -> bool:
    """Whether the node has room for a pod beside those that are placed on it."""
    taken = [requests(other) for other in placed]
    wanted = requests(pod)
    return all(wanted[name] + sum(each[name] for each in taken) <= capacity[name] for name in RESOURCES)


def bind_waiting(client: api.Api, node: str) -> None:
    """Binds every waiting pod for which there is room, oldest first."""
    pods = client.list("v1", "Pod")
    placed = [p for p in pods if p["spec"].get("nodeName") and p["status"].get("phase") not in _ENDED]
    waiting = [p for p in pods if not p["spec"].get("nodeName") and not p["spec"].get("schedulingGates")]
    if not waiting:
        return
    allocatable = client.get("v1", "Node", node)["status"]["allocatable"]
    capacity = {name: spec.amount(allocatable[name]) for name in RESOURCES}
    for pod in sorted(waiting, key=lambda p: str(p["metadata"]["creationTimestamp"])):
        if not fits(pod, placed, capacity):
            continue
        placed.append(pod)
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        binding = {"target": {"apiVersion": "v1", "kind": "Node", "name": node}, "metadata": {"name": name}}
        with contextlib.suppress(api.ApiError):  # It may have been deleted meanwhile.
            client.request("POST", client.path("v1", "Pod", namespace, name) + "/binding", binding)


def main(kubeconfig: str, node: str) -> None:
    config = json.loads(pathlib.Path(kubeconfig).read_text())
    server = config["clusters"][0]["cluster"]
    address = urllib.parse.urlsplit(server["server"])
    token = config["users"][0]["user"]["token"]
    client = api.Api(str(address.hostname), address.port or 443, server["certificate-authority"], token)
    while True:
        # Any change of a pod may have made room or brought one that waits.
        with contextlib.suppress(OSError, api.ApiError):
            version = client.request("GET", "/api/v1/pods")["metadata"]["resourceVersion"]
            bind_waiting(client, node)
            for _ in client.watch("/api/v1/pods", 300, {"resourceVersion": version}):
                bind_waiting(client, node)


if __name__ == "__main__":
    main(*sys.argv[1:])
