"""Argo Workflows in a cluster: its CRDs, its controller, and on request its server."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import re
import time
import urllib.error
import urllib.request
from typing import Any

from e2e.cluster import api, binaries, control_plane, errors, processes, users

NAMESPACE = "argo"
CONTROLLER, SERVER = "argo", "argo-server"  # their ServiceAccounts
EXECUTOR_IMAGE = "localhost/argoexec:e2e"  # made by `images` of whatever executor is at hand
SERVER_PORT = 2746

REQUEUE = "ALULA_E2E_REQUEUE"
"""The variable with Argo's requeue period; its own default is 10s."""

# Without a delay a worker of Argo's may take up a run before it is counted, and then treats it as one that its limits
# of parallelism make wait: a second later, and without the labels of its template (seen on 4.0.5).
_INITIAL_DELAY = "50ms"

# Argo's events of single nodes, which nothing reads: a third of all requests when many runs are under way.
_NO_NODE_EVENTS = "enabled: false\n"


def crds() -> list[pathlib.Path]:
    """The files of Argo's CRDs."""
    return sorted(binaries.manifests("argo-workflows").glob("argoproj.io_*.yaml"))


def install_crds(client: api.Api) -> None:
    """Creates Argo's full CRDs, which carry its validation, and waits until they are served.

    The files are megabytes of YAML; the server parses them faster than Python would, and creating
    costs it a third of applying.
    """
    files = crds()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: _create_crd(client, path), files))
    await_served(client)


def await_served(client: api.Api) -> None:
    """Waits until the API server serves all of Argo's kinds."""
    plurals = {path.stem.partition("_")[2] for path in crds()}
    deadline = time.monotonic() + 120
    while not plurals <= _served(client):
        if time.monotonic() > deadline:
            raise errors.ClusterError("Argo's CRDs are not served after 120 s")
        time.sleep(0.1)


def _create_crd(client: api.Api, path: pathlib.Path) -> None:
    url = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.request("POST", url, path.read_bytes(), "application/yaml")


def _served(client: api.Api) -> set[str]:
    """The kinds of Argo in discovery; asking for the CRDs themselves would be 20 MB each time."""
    try:
        resources = client.request("GET", "/apis/argoproj.io/v1alpha1")["resources"]
    except api.ApiError as error:
        if error.code not in (404, 503):
            raise
        return set()
    return {resource["name"] for resource in resources}


def install_configuration(client: api.Api, settings: dict[str, str]) -> None:
    """Argo's namespace and ConfigMap; nested settings must be YAML block text."""
    metadata = {"name": NAMESPACE}
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    client.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "workflow-controller-configmap", "namespace": NAMESPACE},
            "data": {"initialDelay": _INITIAL_DELAY, "nodeEvents": _NO_NODE_EVENTS, **settings},
        }
    )


def install_accounts(client: api.Api) -> None:
    """Identities of Argo's own, because policies tell Argo from everybody else; they may do all that Argo ever does."""
    for name in (CONTROLLER, SERVER):
        client.apply(users.account(name, NAMESPACE))
        subject = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
        client.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [subject],
            }
        )


def start_controller(
    supervisor: processes.Supervisor, kubeconfig: pathlib.Path, log: pathlib.Path
) -> processes.Process:
    """Starts Argo's workflow controller, with the shortest requeue period it allows unless `REQUEUE` says another."""
    requeue = os.environ.get(REQUEUE, "1s")
    own = {"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": requeue}
    environment = processes.clean_environment(processes.SERVER, own)
    command = [
        *binaries.find("workflow-controller"),
        *("--kubeconfig", str(kubeconfig)),
        *("--namespace", NAMESPACE),
        *("--executor-image", EXECUTOR_IMAGE),
        *("--qps", "100", "--burst", "200"),
    ]
    return supervisor.spawn("workflow-controller", command, environment, log)


def start_server(supervisor: processes.Supervisor, kubeconfig: pathlib.Path, log: pathlib.Path) -> processes.Process:
    """Starts Argo's server with its web UI, open to everyone inside the cluster's network."""
    command = [
        *binaries.find("argo"),
        *("server", "--auth-mode=server", "--secure=false"),
        *("--kubeconfig", str(kubeconfig)),
        *("--namespace", NAMESPACE),
        *("--port", str(SERVER_PORT)),
    ]
    # Greetings would cover the page in a new browser.
    greetings = ("FIRST_TIME_USER_MODAL", "FEEDBACK_MODAL", "NEW_VERSION_MODAL")
    environment = processes.clean_environment(dict.fromkeys(greetings, "false"))
    process = supervisor.spawn("argo-server", command, environment, log)
    control_plane.await_ready("argo server", [process], lambda: front_page() is not None, 60)
    return process


def front_page() -> str | None:
    """The page that a browser of Argo's server opens first; None while nothing is served."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{SERVER_PORT}/", timeout=5) as response:
            return str(response.read().decode())
    except (OSError, urllib.error.URLError):
        return None


def missing_ui(page: str) -> str | None:
    """The sentence by which a front page says that its server was built without the web UI."""
    said = re.search(r"[^<>.]*\bno web UI\b[^<>.]*", page)
    return said.group().strip() if said else None


def executor_role() -> list[dict[str, Any]]:
    """What Argo's own containers in a pod need to be allowed."""
    return [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtaskresults"],
            "verbs": ["create", "patch"],
        }
    ]
