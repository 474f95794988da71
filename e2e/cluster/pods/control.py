"""The owner's side of process pods: what ran, and switches to hold, kill and evict."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

from e2e.cluster import control_plane, errors, nodes, processes


@dataclasses.dataclass(frozen=True)
class Pod:
    """A pod that exists or existed. `node` is Argo's name of it, such as `run-x7k2p.train`."""

    name: str
    namespace: str
    node: str
    workflow: str
    image: str
    argv: list[str]
    seen: str
    started: str
    ended: str
    exit_code: int | None
    log: str

    def output(self) -> str:
        """What its process has printed so far."""
        path = pathlib.Path(self.log)
        return path.read_text(errors="replace") if path.exists() else ""


class Pods:
    """The pods of all workflows, run as local processes."""

    def __init__(
        self,
        supervisor: processes.Supervisor,
        plane: control_plane.ControlPlane,
        folder: pathlib.Path,
        *,
        execute: bool = True,
    ) -> None:
        self._socket = str(folder / "pods.sock")
        token = json.loads(plane.kubeconfig.read_text())["users"][0]["user"]["token"]
        config = {
            "host": "127.0.0.1",
            "port": 443,
            "authority": str(plane.certificates.authority),
            "token": token,
            "folder": str(folder),
            "socket": self._socket,
            "base": _base_environment(),
            "execute": execute,
            "certificate": [str(plane.certificates.server), str(plane.certificates.server_key)],
        }
        path = folder / "runner.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        command = [sys.executable, "-m", "e2e.cluster.pods.runner", str(path)]
        log = folder / "logs" / "runner.log"
        environment = processes.clean_environment({"PYTHONUNBUFFERED": "1"})
        self.process = supervisor.spawn("podrunner", command, environment, log)
        control_plane.await_ready("podrunner", [self.process], pathlib.Path(self._socket).exists, 30)

    def started(self, workflow: str | None = None, namespace: str | None = None) -> list[Pod]:
        """Every pod that ever existed, oldest first, of one run or namespace or of all."""
        wanted = {"workflow": workflow, "namespace": namespace}
        of = {key: name for key, name in wanted.items() if name is not None}
        return [Pod(**record) for record in self._ask({"op": "started", "of": of})]

    def image(self, image: str, env: Mapping[str, str], cwd: str | os.PathLike[str] | None = None) -> None:
        """Says what is "in the image": variables (such as PYTHONPATH) and a working folder.

        Applies to containers of exactly this image, or with `"*"` to those of any other, that
        start from now on.
        """
        folder = None if cwd is None else os.fspath(cwd)
        self._ask({"op": "image", "image": image, "env": dict(env), "cwd": folder})

    def hold(self, pattern: str) -> None:
        """Keeps pods from starting whose name or node matches the glob, until released."""
        self._ask({"op": "hold", "pattern": pattern})

    def release(self, pattern: str) -> None:
        """Ends a hold; the pattern must be the one it was made with."""
        self._ask({"op": "release", "pattern": pattern})

    def kill(self, name: str, reason: str = "Error") -> None:
        """Kills a running pod's process by SIGKILL: exit code 137.

        Args:
            name: of the pod, or of its Argo node.
            reason: of the container's end; `OOMKilled` is what the kernel's out-of-memory kill
                looks like.
        """
        self._end(name, reason, "")

    def evict(self, name: str, message: str = "The node was low on resource: memory.") -> None:
        """Ends a running pod as an eviction by its node does: no exit code, a message on the pod."""
        self._end(name, "Evicted", message)

    def await_running(self, name: str, timeout: float = 60) -> Pod:
        """Waits until a pod (by its name or its Argo node) runs, and returns it.

        Raises:
            TimeoutError: it did not start, or has ended before it was seen running.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for pod in self.started():
                if name in (pod.name, pod.node) and pod.started and not pod.ended:
                    return pod
            time.sleep(0.1)
        raise TimeoutError(f"no running pod {name} after {timeout:g} s")

    def _end(self, name: str, reason: str, message: str) -> None:
        request = {"op": "kill", "name": name, "reason": reason, "message": message}
        if not self._ask(request):
            raise errors.ClusterError(f"no pod {name} is running")

    def _ask(self, request: dict[str, Any]) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._socket)
            connection.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(connection.makefile("rb").readline())
        if "error" in reply:
            raise errors.ClusterError(reply["error"])
        return reply["ok"]


class RealPods(Pods):
    """The pods of all workflows on a real node: watched, and killed through containerd."""

    def __init__(
        self,
        supervisor: processes.Supervisor,
        plane: control_plane.ControlPlane,
        folder: pathlib.Path,
        node: nodes.Node,
    ) -> None:
        super().__init__(supervisor, plane, folder, execute=False)
        self._api = plane.api
        self._node = node

    def kill(self, name: str, reason: str = "Error") -> None:
        """Kills the main container of a running pod by SIGKILL; the kubelet finds the reason."""
        pod = self.await_running(name)
        status = self._api.get("v1", "Pod", pod.name, pod.namespace)["status"]
        main = next(s for s in status["containerStatuses"] if s["name"] == "main")
        self._node.kill(main["containerID"].removeprefix("containerd://"))

    def _ask(self, request: dict[str, Any]) -> Any:
        if request["op"] != "started":
            raise errors.ClusterError(f"real pods have no `{request['op']}`")
        return super()._ask(request)


def _base_environment() -> dict[str, str]:
    """What a container of a Python image starts with; `python` is the one that runs the tests."""
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "PATH": f"{pathlib.Path(sys.executable).parent}:{system}",
        "LANG": "C.UTF-8",
        "KUBERNETES_SERVICE_HOST": control_plane.SERVICE_ADDRESS,
        "KUBERNETES_SERVICE_PORT": "443",
    }
