"""Argo Workflows in a cluster: its CRDs, its controller, and on request its server."""

from __future__ import annotations

import concurrent.futures
import pathlib
import time
import urllib.error
import urllib.request
from typing import Any

from e2e.cluster import api, binaries, control_plane, errors, processes

NAMESPACE = "argo"
EXECUTOR_IMAGE = "quay.io/argoproj/argoexec:v4.1.2"
SERVER_PORT = 2746


def install_crds(client: api.Api) -> None:
    """Applies Argo's full CRDs, which carry its validation, and waits until they are served.

    The files are megabytes of YAML; the server parses them faster than Python would.
    """
    folder = binaries.manifests() / "argo-workflows"
    files = sorted(path for path in folder.glob("argoproj.io_*.yaml"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda path: _apply_crd(client, path), files))
    deadline = time.monotonic() + 60
    while not _is_established(client, len(files)):
        if time.monotonic() > deadline:
            raise errors.ClusterError("Argo's CRDs are not established after 60 s")
        time.sleep(0.1)


def _apply_crd(client: api.Api, path: pathlib.Path) -> None:
    name = f"{path.stem.partition('_')[2]}.argoproj.io"
    url = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    options = {"fieldManager": "e2e", "force": "true"}
    client.request("PATCH", url, path.read_bytes(), api.APPLY, options)


def _is_established(client: api.Api, count: int) -> bool:
    url = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    served = set()
    for crd in client.request("GET", url)["items"]:
        conditions = crd.get("status", {}).get("conditions") or []
        if crd["spec"]["group"] == "argoproj.io" and any(
            c["type"] == "Established" and c["status"] == "True" for c in conditions
        ):
            served.add(crd["metadata"]["name"])
    return len(served) == count


def install_configuration(client: api.Api, settings: dict[str, str]) -> None:
    """Argo's namespace and ConfigMap; nested settings must be YAML block text."""
    metadata = {"name": NAMESPACE}
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    client.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "workflow-controller-configmap", "namespace": NAMESPACE},
            "data": settings,
        }
    )


def start_controller(
    supervisor: processes.Supervisor, plane: control_plane.ControlPlane, log: pathlib.Path
) -> processes.Process:
    """Starts Argo's workflow controller with the shortest requeue period it allows."""
    environment = processes.clean_environment({"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": "1s"})
    command = [
        *binaries.find("workflow-controller"),
        *("--kubeconfig", str(plane.kubeconfig)),
        *("--namespace", NAMESPACE),
        *("--executor-image", EXECUTOR_IMAGE),
        *("--qps", "100", "--burst", "200"),
    ]
    return supervisor.spawn("workflow-controller", command, environment, log)


def start_server(
    supervisor: processes.Supervisor, plane: control_plane.ControlPlane, log: pathlib.Path
) -> processes.Process:
    """Starts Argo's server with its web UI, open to everyone inside the cluster's network."""
    command = [
        *binaries.find("argo"),
        *("server", "--auth-mode=server", "--secure=false"),
        *("--kubeconfig", str(plane.kubeconfig)),
        *("--namespace", NAMESPACE),
        *("--port", str(SERVER_PORT)),
    ]
    # Greetings would cover the page in a new browser.
    greetings = ("FIRST_TIME_USER_MODAL", "FEEDBACK_MODAL", "NEW_VERSION_MODAL")
    environment = processes.clean_environment(dict.fromkeys(greetings, "false"))
    process = supervisor.spawn("argo-server", command, environment, log)
    control_plane.await_ready("argo server", [process], _serves_ui, 60)
    return process


def _serves_ui() -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{SERVER_PORT}/", timeout=5) as response:
            return int(response.status) == 200
    except (OSError, urllib.error.URLError):
        return False


def executor_role() -> list[dict[str, Any]]:
    """What Argo's own containers in a pod need to be allowed."""
    return [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtaskresults"],
            "verbs": ["create", "patch"],
        }
    ]
