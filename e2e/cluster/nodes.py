"""A node for real pods: containerd, kubelet and a scheduler inside a cluster's namespaces.

All that they mount or write outside the cluster's folder happens in the cluster's mount namespace,
over private copies of the folders they insist on, so it is gone with the cluster.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

from e2e.cluster import (
    api,
    binaries,
    cgroups,
    control_plane,
    errors,
    images,
    processes,
    syscalls,
)

NAME = "node"

_CNI_PLUGINS = (pathlib.Path("/usr/lib/cni"), pathlib.Path("/opt/cni/bin"))

# The kubelet would set these on the whole machine; it finds them set instead.
_TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

_CONTAINERD = """\
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE no process may lower its own OOM score.
  restrict_oom_score_adj = true
  sandbox_image = "{sandbox}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


class Node:
    """The cluster's one node."""

    def __init__(
        self,
        supervisor: processes.Supervisor,
        plane: control_plane.ControlPlane,
        folder: pathlib.Path,
    ) -> None:
        self._supervisor = supervisor
        self._plane = plane
        self._folder = folder
        self._socket = folder / "containerd.sock"
        self.servers: dict[str, processes.Process] = {}

    def start(self) -> None:
        """Starts it and waits until it is ready for pods."""
        for name in ("cni", "cni-data", "containerd", "kubelet", "images", "overlay"):
            (self._folder / name).mkdir()
        self._mount()
        (self._folder / "cni" / "10-bridge.conflist").write_text(json.dumps(self._network()))
        self._start_containerd()
        for archive in (images.busybox, images.argoexec):
            self.import_image(archive(self._folder / "images"))
        self._start_kubelet()
        self._start_scheduler()
        needed = [self.servers[name] for name in ("kube-scheduler", "kubelet")]
        control_plane.await_ready("node", needed, self._is_ready, 90)

    def import_image(self, archive: pathlib.Path) -> None:
        """Makes an image known to the node, under the names in its archive."""
        self._ctr("images", "import", str(archive))
        archive.unlink()

    def kill(self, container_id: str) -> None:
        """Kills a container's processes by SIGKILL, as the kernel would."""
        self._ctr("tasks", "kill", "--signal", "SIGKILL", container_id)

    def _ctr(self, *arguments: str) -> None:
        command = ["ctr", "--address", str(self._socket), "--namespace", "k8s.io", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise errors.ClusterError(f"ctr {arguments[0]}: {done.stderr.strip()}")

    def _mount(self) -> None:
        """Gives the cluster private copies of what the node's servers write to."""
        for target in ("/run", "/var/lib"):
            layers = {
                kind: self._folder / "overlay" / f"{target.strip('/').replace('/', '-')}-{kind}"
                for kind in ("upper", "work")
            }
            for layer in layers.values():
                layer.mkdir()
            options = f"lowerdir={target},upperdir={layers['upper']},workdir={layers['work']}"
            self._supervisor.mount("overlay", target, "overlay", 0, options)
        (self._folder / "logs" / "var").mkdir()
        bind = syscalls.MS_BIND
        self._supervisor.mount(str(self._folder / "logs" / "var"), "/var/log", "none", bind)
        for name, value in _TUNABLES.items():
            if pathlib.Path("/proc/sys", name).exists():
                pretended = self._folder / "overlay" / name.replace("/", ".")
                pretended.write_text(f"{value}\n")
                self._supervisor.mount(str(pretended), f"/proc/sys/{name}", "none", bind)

    def _start_containerd(self) -> None:
        config = self._folder / "containerd.toml"
        plugins = next((path for path in _CNI_PLUGINS if (path / "bridge").exists()), None)
        config.write_text(
            _CONTAINERD.format(folder=self._folder, socket=self._socket, sandbox=images.BUSYBOX, plugins=plugins)
        )
        process = self._spawn("containerd", "containerd", "--config", str(config))
        control_plane.await_ready("containerd", [process], self._answers, 30)

    def _answers(self) -> bool:
        try:
            self._ctr("version")
        except errors.ClusterError:
            return False
        return True

    def _start_kubelet(self) -> None:
        group = cgroups.create(self._folder.name)
        config = self._folder / "kubelet.json"
        config.write_text(json.dumps(self._kubelet_settings(group)))
        self._spawn(
            "kubelet",
            *binaries.find("kubelet"),
            f"--config={config}",
            f"--kubeconfig={self._plane.kubeconfig}",
            f"--hostname-override={NAME}",
            f"--node-ip={control_plane.NODE_ADDRESS}",
            f"--root-dir={self._folder / 'kubelet'}",
            f"--cert-dir={self._folder / 'kubelet' / 'pki'}",
        )

    def _start_scheduler(self) -> None:
        self._spawn(
            "kube-scheduler",
            *binaries.find("kube-scheduler"),
            f"--kubeconfig={self._plane.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
        )

    def _kubelet_settings(self, group: str) -> dict[str, object]:
        resolver = self._folder / "resolv.conf"
        resolver.write_text("options timeout:1 attempts:1\n")
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # Reached from inside the cluster's network only; this is how logs get out.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": group,
            "containerRuntimeEndpoint": f"unix://{self._socket}",
            "enforceNodeAllocatable": [],
            "evictionHard": {
                "memory.available": "50Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
            "makeIPTablesUtilChains": False,
            "oomScoreAdj": 0,
            "podLogsDir": str(self._folder / "logs" / "pods"),
            "resolvConf": str(resolver),
            "volumePluginDir": str(self._folder / "kubelet" / "volume-plugins"),
        }

    def _network(self) -> dict[str, object]:
        pool = {"subnet": "10.88.0.0/16"}
        addresses = {
            "type": "host-local",
            "ranges": [[pool]],
            "dataDir": str(self._folder / "cni-data"),
        }
        bridge = {
            "type": "bridge",
            "bridge": "alula0",
            "isGateway": True,
            "isDefaultGateway": True,
            "hairpinMode": True,
            "ipam": addresses,
        }
        return {"cniVersion": "0.4.0", "name": "alula", "plugins": [bridge]}

    def _is_ready(self) -> bool:
        try:
            node = self._plane.api.get("v1", "Node", NAME)
        except (api.ApiError, OSError):
            return False
        conditions = node.get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def _spawn(self, name: str, *command: str) -> processes.Process:
        environment = processes.clean_environment(processes.SERVER)
        log = self._folder / "logs" / f"{name}.log"
        self.servers[name] = self._supervisor.spawn(name, command, environment, log)
        return self.servers[name]


def require() -> None:
    """Checks what real pods need beyond what process pods do.

    Raises:
        Unavailable: with the first thing that is missing.
    """
    for name in ("kubelet", "kube-scheduler", "argoexec"):
        binaries.find(name)
    for name in ("containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox", "buildah"):
        if shutil.which(name) is None:
            raise errors.Unavailable(f"no `{name}` on PATH, which real pods need (run e2e/setup)")
    if not any((path / "bridge").exists() for path in _CNI_PLUGINS):
        raise errors.Unavailable("no CNI plugins in /usr/lib/cni, which real pods need (run e2e/setup)")
    if not pathlib.Path("/sys/fs/cgroup").is_mount():
        raise errors.Unavailable("no control groups in /sys/fs/cgroup, which real pods need")
