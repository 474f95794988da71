"""One cluster: what it consists of, what tests do with it, and how it ends.

Everything a test or a person touches is a member of `Cluster`; `e2e.cluster.starting` makes one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from e2e.cluster import (
    api,
    argo,
    binaries,
    control_plane,
    errors,
    images,
    nodes,
    processes,
    s3,
    states,
    users,
)
from e2e.cluster.pods import control

Object = dict[str, Any]

_FINISHED = ("Succeeded", "Failed", "Error")


class Cluster:
    """A running cluster. Use its members from inside its network: see `entered`."""

    def __init__(self, name: str, folder: pathlib.Path, supervisor: processes.Supervisor) -> None:
        self.name = name
        self.folder = folder
        self.logs_dir = folder / "logs"
        self.supervisor = supervisor
        self.plane: control_plane.ControlPlane
        self.s3: s3.S3
        self.pods: control.Pods
        self.servers: dict[str, processes.Process] = {}

    # Reaching it

    @property
    def api(self) -> api.Api:
        """The API server as an administrator."""
        return self.plane.api

    @property
    def kubeconfig(self) -> pathlib.Path:
        """An administrator's kubeconfig."""
        return self.plane.kubeconfig

    @property
    def address(self) -> str:
        return f"https://{control_plane.SERVICE_ADDRESS}:443"

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Runs the body inside the cluster's network: this thread, and what it starts meanwhile."""
        with processes.in_network(self.supervisor.network):
            yield

    def environment(self, *layers: Mapping[str, str]) -> dict[str, str]:
        """Variables for a client of the cluster: the machine's, made harmless, and KUBECONFIG."""
        return processes.clean_environment({"KUBECONFIG": str(self.kubeconfig)}, *layers)

    def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        input: str | None = None,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a client command with the cluster's environment.

        Raises:
            ClusterError: it failed, and `check` is true; the message has what it printed.
        """
        done = subprocess.run(
            argv,
            input=input,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=self.environment(env or {}),
        )
        if check and done.returncode != 0:
            command = " ".join(str(word) for word in argv)
            raise errors.ClusterError(f"{command}: {done.stderr.strip()} {done.stdout.strip()}")
        return done

    def kubectl(
        self, *arguments: str, input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl as an administrator."""
        return self.run([find_kubectl(), *arguments], input=input, check=check)

    def argo(self, *arguments: str, input: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs Argo's command line as an administrator."""
        return self.run([*binaries.find("argo"), *arguments], input=input, check=check)

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: pathlib.Path | None = None,
    ) -> processes.Process:
        """Starts a server of the test's own inside the cluster; its log is `<logs>/<name>.log`.

        It ends with the cluster at the latest. Started again under the same name, it appends to
        the same log.
        """
        log = self.logs_dir / f"{name}.log"
        return self.supervisor.spawn(name, argv, self.environment(env or {}), log, cwd)

    # Objects

    def apply(self, items: Iterable[Object] | Object, namespace: str | None = None) -> list[Object]:
        """Server-side apply of one object or several, in order."""
        several: Iterable[Object] = [items] if isinstance(items, dict) else items
        return [self.api.apply(item, namespace) for item in several]

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """Makes a namespace in which Argo's pods can run as its `default` ServiceAccount."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self.apply(users.role("argo-executor", argo.executor_role(), name, ["default"]))
        # Pods are refused until the namespace's account exists.
        control_plane.await_ready(f"namespace {name}", [], lambda: self._has("ServiceAccount", "default", name), 30)
        return name

    def await_crds(self, *names: str) -> None:
        """Waits until the API server serves what these CRDs define."""
        for name in names:
            control_plane.await_ready(f"CRD {name}", [], functools.partial(self._is_established, name), 60)

    def user(self, name: str, rules: list[Object], namespace: str | None = None) -> users.User:
        """Makes a ServiceAccount with these rights, in one namespace or in all, and logs it in."""
        where = namespace or "kube-system"
        self.apply(users.account(name, where))
        binding = users.role if namespace else users.cluster_role
        self.apply(binding(name, rules, where, [name]))
        return self.login(where, name)

    def login(self, namespace: str, account: str) -> users.User:
        """A kubeconfig and a token for an existing ServiceAccount."""
        return users.login(self.plane, self.folder, namespace, account)

    def await_workflow(self, namespace: str, name: str, timeout: float = 120) -> Object:
        """Waits until an Argo workflow has ended, in whatever phase, and returns it.

        Raises:
            TimeoutError: it still runs; the message has its nodes' phases.
        """
        began = time.monotonic()
        deadline = began + timeout
        while True:
            workflow = self.api.get("argoproj.io/v1alpha1", "Workflow", name, namespace)
            status = workflow.get("status", {})
            if status.get("phase") in _FINISHED:
                return workflow
            if time.monotonic() > deadline:
                nodes = {n["displayName"]: n["phase"] for n in status.get("nodes", {}).values()}
                raise TimeoutError(f"workflow {name} is {status.get('phase')} after {timeout:g} s: {nodes}")
            # To read a run of a hundred nodes is work for the API server, which the run itself waits for.
            time.sleep(min(1.0, 0.2 + (time.monotonic() - began) / 20))

    def restart_argo(self) -> None:
        """Kills Argo's controller, as the loss of its node would, and starts it again."""
        self.servers["workflow-controller"].kill()
        self.servers["workflow-controller"].wait(10)
        kubeconfig = self.login(argo.NAMESPACE, argo.CONTROLLER).kubeconfig
        log = self.logs_dir / "workflow-controller.log"
        self.servers["workflow-controller"] = argo.start_controller(self.supervisor, kubeconfig, log)

    def _is_established(self, crd: str) -> bool:
        # Its conditions are absent at first, which `kubectl wait` takes for an error.
        found = self.api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd)
        conditions = found.get("status", {}).get("conditions") or []
        return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)

    def _has(self, kind: str, name: str, namespace: str) -> bool:
        try:
            self.api.get("v1", kind, name, namespace)
        except api.ApiError as error:
            if error.code != 404:
                raise
            return False
        return True

    # More servers, and the end

    def argo_server(self) -> str:
        """The address of Argo's web UI, started on first use; reachable from inside only."""
        if "argo-server" not in self.servers:
            log = self.logs_dir / "argo-server.log"
            kubeconfig = self.login(argo.NAMESPACE, argo.SERVER).kubeconfig
            self.servers["argo-server"] = argo.start_server(self.supervisor, kubeconfig, log)
        return f"http://127.0.0.1:{argo.SERVER_PORT}"

    def web_ui(self) -> str:
        """As `argo_server`, where that server has the web UI.

        Raises:
            Unavailable: it was built without; the message is what its front page says.
        """
        address = self.argo_server()
        missing = argo.missing_ui(argo.front_page() or "")
        if missing is not None:
            raise errors.Unavailable(f"Argo's server says: {missing}")
        return address

    def stop(self, *, keep_logs: bool = False) -> pathlib.Path | None:
        """Ends everything and removes the cluster's folder; returns where kept logs are."""
        if hasattr(self, "plane"):
            self.api.close()
        self.supervisor.close()
        kept = states.keep_logs(self.folder) if keep_logs else None
        states.remove(self.folder)
        return kept


class RealCluster(Cluster):
    """A cluster with a node: containerd and kubelet run its pods, in real containers."""

    node: nodes.Node

    def require_base_image(self) -> None:
        """Checks that images can be built on `images.PYTHON`.

        Raises:
            Unavailable: the base cannot be had.
        """
        images.pull_base(self.folder / "images")

    def build_image(
        self,
        context: str | os.PathLike[str],
        reference: str,
        *,
        dockerfile: str | os.PathLike[str] | None = None,
        arguments: Mapping[str, str] | None = None,
    ) -> str:
        """Builds an image from a folder's Dockerfile and makes it known to the node.

        The build happens outside the cluster's network and can reach the package index. The base
        `images.PYTHON` is at hand.

        Args:
            context: the folder.
            reference: the image's name, such as `localhost/alula:e2e`; not with tag `latest`,
                which the kubelet would want to pull.
            dockerfile: where it is not `Dockerfile` in the folder.
            arguments: build arguments.

        Returns:
            The reference.
        """
        archive = images.build(self.folder / "images", context, reference, dockerfile, arguments)
        self.node.import_image(archive)
        return reference


def find_kubectl() -> str:
    """The path of kubectl: the one installed beside this Python, else the one on PATH."""
    beside = str(pathlib.Path(sys.executable).with_name("kubectl"))
    found = beside if os.access(beside, os.X_OK) else shutil.which("kubectl")
    if found is None:
        raise errors.Unavailable("no `kubectl` beside this Python or on PATH")
    return found


def describe(cluster: Cluster) -> str:
    """What a person needs to use a cluster by hand."""
    lines = {
        "kubeconfig": cluster.kubeconfig,
        "API server": cluster.address,
        "S3": f"{s3.ENDPOINT} (root account {cluster.s3.access_key})",
        "logs": cluster.logs_dir,
        "enter": f"python -m e2e.cluster exec {cluster.name} -- COMMAND...",
    }
    return "\n".join(f"{key}: {value}" for key, value in lines.items())
