"""Starts clusters: checks what they need, then brings up the servers in their order."""

from __future__ import annotations

import concurrent.futures
import os
import sys
from collections.abc import Mapping
from typing import TypeVar

from e2e.cluster import (
    argo,
    binaries,
    clusters,
    control_plane,
    errors,
    nodes,
    processes,
    s3,
    snapshots,
    states,
)
from e2e.cluster.pods import control

SERVERS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "workflow-controller",
    "argo",
    "versitygw",
)

SomeCluster = TypeVar("SomeCluster", bound=clusters.Cluster)


def start(name: str = "e2e", argo_settings: Mapping[str, str] | None = None) -> clusters.Cluster:
    """Starts a cluster whose pods are local processes.

    Args:
        name: for folders and messages; any number of clusters may share it.
        argo_settings: further keys of Argo's ConfigMap; nested values as YAML block text.

    Raises:
        Unavailable: this machine lacks something; the message says what.
        ClusterError: a server failed; its logs are kept and the message says where.
    """
    require()
    return _start(clusters.Cluster, name, argo_settings)


def start_real(name: str = "e2e-real", argo_settings: Mapping[str, str] | None = None) -> clusters.RealCluster:
    """Starts a cluster whose pods are containers on a node; otherwise as `start`."""
    require()
    nodes.require()
    return _start(clusters.RealCluster, name, argo_settings)


def require() -> None:
    """Checks all that a cluster with process pods needs of this machine.

    Raises:
        Unavailable: with the first thing that is missing.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        raise errors.Unavailable("network namespaces need Linux and root")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(binaries.find, SERVERS))
    binaries.manifests("argo-workflows")
    clusters.find_kubectl()


def _start(kind: type[SomeCluster], name: str, argo_settings: Mapping[str, str] | None) -> SomeCluster:
    states.remove_leftovers()
    folder = states.create(name)
    try:
        addresses = [control_plane.SERVICE_ADDRESS, control_plane.NODE_ADDRESS]
        supervisor = processes.Supervisor(folder / "logs" / "supervisor.log", addresses)
    except BaseException:
        states.remove(folder)
        raise
    cluster = kind(name, folder, supervisor)
    try:
        with cluster.entered():
            _start_servers(cluster, dict(argo_settings or {}))
    except BaseException as error:
        kept = cluster.stop(keep_logs=True)
        if isinstance(error, errors.ClusterError):
            raise errors.ClusterError(f"{error}\nlogs: {kept}") from error
        raise
    account = s3.Bucket("", s3.ENDPOINT, cluster.s3.access_key, cluster.s3.secret_key)
    facts = {
        "pid": supervisor.pid,
        "kubeconfig": str(cluster.kubeconfig),
        "environment": account.environment(),
    }
    states.publish(folder, facts)
    return cluster


def _start_servers(cluster: clusters.Cluster, argo_settings: dict[str, str]) -> None:
    supervisor, folder = cluster.supervisor, cluster.folder
    cluster.s3 = s3.S3(supervisor, folder)
    is_real = isinstance(cluster, clusters.RealCluster)
    controllers = control_plane.CONTROLLERS + (control_plane.NODE_CONTROLLERS if is_real else ())
    stores = [binaries.find(name) for name in ("etcd", "kube-apiserver")]
    snapshot = snapshots.path(stores, argo.crds())
    cluster.plane = control_plane.start(supervisor, folder, controllers, snapshot, argo.install_crds)
    cluster.servers = dict(cluster.plane.servers)
    argo.install_configuration(cluster.api, argo_settings)
    argo.install_accounts(cluster.api)
    kubeconfig = cluster.login(argo.NAMESPACE, argo.CONTROLLER).kubeconfig
    log = cluster.logs_dir / "workflow-controller.log"
    cluster.servers["workflow-controller"] = argo.start_controller(supervisor, kubeconfig, log)
    _start_pods(cluster)
    argo.await_served(cluster.api)
    cluster.s3.await_ready()


def _start_pods(cluster: clusters.Cluster) -> None:
    """Starts whatever will run the cluster's pods."""
    if not isinstance(cluster, clusters.RealCluster):
        cluster.pods = control.Pods(cluster.supervisor, cluster.plane, cluster.folder)
        return
    cluster.node = nodes.Node(cluster.supervisor, cluster.plane, cluster.folder)
    cluster.node.start()
    cluster.servers |= cluster.node.servers
    cluster.pods = control.RealPods(cluster.supervisor, cluster.plane, cluster.folder, cluster.node)
