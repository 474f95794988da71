"""etcd, kube-apiserver and kube-controller-manager, started inside a cluster's namespaces."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import secrets
import time
from collections.abc import Callable, Sequence

from e2e.cluster import api, binaries, certificates, errors, processes

# Addresses on the namespace's loopback. Pods reach the API server by its service address and
# everything else by the node's, so no service proxy is needed.
SERVICE_ADDRESS = "10.96.0.1"
NODE_ADDRESS = "10.89.0.1"

CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "resourcequota-controller",
)

# What Deployments need besides, where there is a node to run them.
NODE_CONTROLLERS = ("deployment-controller", "replicaset-controller")


@dataclasses.dataclass(frozen=True)
class ControlPlane:
    """A running API server: how to reach it, and as whom."""

    api: api.Api
    kubeconfig: pathlib.Path
    certificates: certificates.Certificates
    servers: dict[str, processes.Process]


def start(
    supervisor: processes.Supervisor,
    folder: pathlib.Path,
    commands: dict[str, list[str]],
    controllers: Sequence[str] = CONTROLLERS,
) -> ControlPlane:
    """Starts them and waits until the API server is ready; the caller is in their network."""
    logs = folder / "logs"
    tls = certificates.make(
        folder / "pki",
        ["127.0.0.1", SERVICE_ADDRESS, NODE_ADDRESS],
        ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
    )
    token = secrets.token_urlsafe(24)
    tokens = folder / "pki" / "tokens.csv"
    tokens.write_text(f"{token},e2e-admin,e2e-admin,system:masters\n")
    environment = processes.clean_environment()

    def spawn(name: str, *flags: str) -> processes.Process:
        log = logs / f"{name}.log"
        return supervisor.spawn(name, [*commands[name], *flags], environment, log)

    etcd = spawn(
        "etcd",
        f"--data-dir={folder / 'etcd'}",
        "--unsafe-no-fsync",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--log-level=warn",
    )
    apiserver = spawn(
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        "--secure-port=443",
        f"--advertise-address={NODE_ADDRESS}",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--tls-cert-file={tls.server}",
        f"--tls-private-key-file={tls.server_key}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={tls.token_key}",
        f"--service-account-key-file={tls.token_key}",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        # Nobody here would take the taint of a new node away again.
        "--disable-admission-plugins=TaintNodesByCondition",
        "--profiling=false",
    )
    client = api.Api("127.0.0.1", 443, str(tls.authority), token)
    await_ready("kube-apiserver", [etcd, apiserver], lambda: _is_ready(client), 90)
    kubeconfig = folder / "kubeconfig"
    write_kubeconfig(kubeconfig, tls.authority, token)
    manager = spawn(
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={tls.authority}",
        f"--service-account-private-key-file={tls.token_key}",
        "--use-service-account-credentials=false",
        "--leader-elect=false",
        "--resource-quota-sync-period=5s",
    )
    servers = {process.name: process for process in (etcd, apiserver, manager)}
    return ControlPlane(client, kubeconfig, tls, servers)


def find() -> dict[str, list[str]]:
    """The commands of the three servers; raises `Unavailable` for the first that is missing."""
    names = ("etcd", "kube-apiserver", "kube-controller-manager")
    return {name: binaries.find(name) for name in names}


def write_kubeconfig(path: pathlib.Path, authority: pathlib.Path, token: str, namespace: str = "default") -> None:
    """Writes a kubeconfig (JSON, which is YAML) for one token."""
    server = {"server": f"https://{SERVICE_ADDRESS}:443", "certificate-authority": str(authority)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "e2e", "cluster": server}],
        "users": [{"name": "e2e", "user": {"token": token}}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e", "namespace": namespace}}],
        "current-context": "e2e",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))


def await_ready(what: str, needed: list[processes.Process], is_ready: Callable[[], bool], timeout: float) -> None:
    """Waits for a server, failing at once with its log when a process it needs has died."""
    deadline = time.monotonic() + timeout
    while not is_ready():
        for process in needed:
            code = process.poll()
            if code is not None:
                raise errors.ClusterError(f"{process.name} ended with code {code}:\n{process.tail()}")
        if time.monotonic() > deadline:
            raise errors.ClusterError(f"{what} is not ready after {timeout:g} s:\n{needed[-1].tail()}")
        time.sleep(0.1)


def _is_ready(client: api.Api) -> bool:
    try:
        client.request("GET", "/readyz")
    except (OSError, api.ApiError):
        return False
    return True
