"""etcd, kube-apiserver and kube-controller-manager, started inside a cluster's namespaces."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import secrets
import time
from collections.abc import Callable, Sequence

from e2e.cluster import api, binaries, certificates, errors, processes, snapshots

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
    own: _Servers

    def restart_api(self, while_down: Callable[[], None] = lambda: None) -> None:
        """End the API server as a failure of its node would, and start it again; returns when it is ready.

        Args:
            while_down: what is done before it is started again.
        """
        self.servers["kube-apiserver"].kill()
        while_down()
        self.servers["kube-apiserver"] = self.own.start_apiserver(self.servers["etcd"])


Prepare = Callable[[api.Api], None]


def start(
    supervisor: processes.Supervisor,
    folder: pathlib.Path,
    controllers: Sequence[str],
    snapshot: pathlib.Path,
    prepare: Prepare,
) -> ControlPlane:
    """Starts them and waits until the API server is ready; the caller is in their network.

    Args:
        supervisor: of the cluster.
        folder: of the cluster.
        controllers: that kube-controller-manager shall run.
        snapshot: of etcd's data after `prepare`; made where it is missing.
        prepare: what to do to a fresh API server once.
    """
    tls = certificates.make(
        folder / "pki",
        ["127.0.0.1", SERVICE_ADDRESS, NODE_ADDRESS],
        ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
    )
    token = secrets.token_urlsafe(24)
    (folder / "pki" / "tokens.csv").write_text(f"{token},e2e-admin,e2e-admin,system:masters\n")
    client = api.Api("127.0.0.1", 443, str(tls.authority), token)
    kubeconfig = folder / "kubeconfig"
    write_kubeconfig(kubeconfig, tls.authority, token)
    servers = _Servers(supervisor, folder, tls, client)
    if not snapshots.restore(snapshot, folder / "etcd"):
        etcd, apiserver = servers.start_api()
        prepare(client)
        apiserver.kill()
        etcd.terminate()
        snapshots.save(folder / "etcd", snapshot)
    etcd, apiserver = servers.start_api()
    manager = servers.start_controllers(kubeconfig, controllers)
    running = {process.name: process for process in (etcd, apiserver, manager)}
    return ControlPlane(client, kubeconfig, tls, running, servers)


class _Servers:
    """How each server is started."""

    def __init__(
        self,
        supervisor: processes.Supervisor,
        folder: pathlib.Path,
        tls: certificates.Certificates,
        client: api.Api,
    ) -> None:
        self._supervisor = supervisor
        self._folder = folder
        self._tls = tls
        self._client = client

    def start_api(self) -> tuple[processes.Process, processes.Process]:
        """Starts etcd and kube-apiserver and waits until they are ready."""
        etcd = self._spawn(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            "--unsafe-no-fsync",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--log-level=warn",
        )
        return etcd, self.start_apiserver(etcd)

    def start_apiserver(self, etcd: processes.Process) -> processes.Process:
        """Starts kube-apiserver on a running etcd and waits until it is ready."""
        apiserver = self._spawn(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            "--bind-address=0.0.0.0",
            "--secure-port=443",
            f"--advertise-address={NODE_ADDRESS}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--tls-cert-file={self._tls.server}",
            f"--tls-private-key-file={self._tls.server_key}",
            f"--token-auth-file={self._folder / 'pki' / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={self._tls.token_key}",
            f"--service-account-key-file={self._tls.token_key}",
            "--kubelet-preferred-address-types=InternalIP",
            "--allow-privileged=true",
            # Nothing here would take the taint of a new node away again.
            "--disable-admission-plugins=TaintNodesByCondition",
            "--profiling=false",
        )
        await_ready("kube-apiserver", [etcd, apiserver], lambda: _is_ready(self._client), 90)
        return apiserver

    def start_controllers(self, kubeconfig: pathlib.Path, controllers: Sequence[str]) -> processes.Process:
        """Starts kube-controller-manager; it is not waited for."""
        return self._spawn(
            "kube-controller-manager",
            f"--kubeconfig={kubeconfig}",
            f"--controllers={','.join(controllers)}",
            f"--root-ca-file={self._tls.authority}",
            f"--service-account-private-key-file={self._tls.token_key}",
            "--use-service-account-credentials=false",
            "--leader-elect=false",
            "--resource-quota-sync-period=5s",
        )

    def _spawn(self, name: str, *flags: str) -> processes.Process:
        log = self._folder / "logs" / f"{name}.log"
        command = [*binaries.find(name), *flags]
        return self._supervisor.spawn(name, command, processes.clean_environment(processes.SERVER), log)


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
