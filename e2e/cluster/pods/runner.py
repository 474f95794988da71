"""Runs the pods of Argo's workflows as local processes: the fast stand-in for a kubelet.

Beside a real kubelet (`execute` false) it only keeps the record of what ran.

A process inside the cluster, started by `e2e.cluster.pods.control` as `python -m e2e.cluster.pods.runner
<config file>`, which also talks to it over a Unix socket. It watches pods that belong to a workflow,
runs each one's main container, posts what Argo's executor would post, and sets the pod's status.
Everything else about a run (its graph, retries, maps, holds) is Argo's own doing.
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
import pathlib
import socketserver
import sys
import threading
import time
import traceback
from typing import Any

from e2e.cluster import api, control_plane
from e2e.cluster.pods import kubelet, observe, process, spec

Object = dict[str, Any]

PARALLEL = 8


class Runner:
    """All pods there ever were, and what tests have asked to happen to them."""

    def __init__(self, client: api.Api, folder: pathlib.Path, base: dict[str, str], execute: bool) -> None:
        self.client = client
        self.folder = folder
        self.base = base
        self.execute = execute
        self.observed: dict[str, observe.ObservedPod] = {}
        self.slots = threading.Semaphore(PARALLEL)
        self.changed = threading.Condition()
        self.pods: dict[str, process.PodProcess] = {}
        self.holds: set[str] = set()
        self.images: dict[str, Object] = {}

    # From the API server

    def watch(self) -> None:
        """Follows the pods of all workflows, for ever."""
        if self.execute:
            self._register()
        selector = {"labelSelector": spec.WORKFLOW}
        while True:
            with contextlib.suppress(OSError, api.ApiError):
                # A dead API server is not to be hammered.
                time.sleep(0.1)
                listed = self.client.request("GET", "/api/v1/pods", parameters=selector)
                present = {item["metadata"]["uid"] for item in listed["items"]}
                for item in listed["items"]:
                    self.saw("ADDED", item)
                for uid, pod in list(self.pods.items()):
                    if uid not in present:
                        pod.delete(grace=0)
                version = listed["metadata"]["resourceVersion"]
                since = {**selector, "resourceVersion": version}
                for kind, item in self.client.watch("/api/v1/pods", 3600, since):
                    self.saw(kind, item)

    def saw(self, event: str, item: Object) -> None:
        uid = item["metadata"]["uid"]
        if not self.execute:
            observed = observe.ObservedPod(item, self.folder / "logs")
            self.observed.setdefault(uid, observed).saw(item)
            return
        pod = self.pods.get(uid)
        if pod is None:
            if event == "DELETED" or item.get("status", {}).get("phase") != "Pending":
                return
            pod = self.pods[uid] = process.PodProcess(item, self.client, self.folder)
            threading.Thread(target=self.run, args=[pod], daemon=True).start()
        if event == "DELETED" or "deletionTimestamp" in item["metadata"]:
            grace = 0 if event == "DELETED" else item["metadata"].get("deletionGracePeriodSeconds", 0)
            pod.delete(grace)
            with self.changed:
                self.changed.notify_all()

    def _register(self) -> None:
        """Makes the node that process pods are bound to, so that their logs can be asked for."""
        metadata = {"name": process.NODE}
        self.client.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        status = {
            "addresses": [{"type": "InternalIP", "address": control_plane.NODE_ADDRESS}],
            "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": ""}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.PORT}},
        }
        patch = {"status": status}
        self.client.patch("v1", "Node", process.NODE, None, patch, subresource="status")

    def find(self, namespace: str, name: str) -> process.PodProcess | None:
        """The newest pod of a name."""
        same = [pod for pod in self.pods.values() if (pod.namespace, pod.name) == (namespace, name)]
        return same[-1] if same else None

    def run(self, pod: process.PodProcess) -> None:
        try:
            with self.changed:
                self.changed.wait_for(lambda: pod.is_deleted or not self.is_held(pod))
            with self.slots:
                image = self.images.get(pod.image) or self.images.get("*") or {}
                pod.run(self.base, image.get("env", {}), image.get("cwd"))
        except Exception:  # A pod's trouble must reach the log, and never end the runner.
            traceback.print_exc()

    def is_held(self, pod: process.PodProcess) -> bool:
        return any(fnmatch.fnmatchcase(name, hold) for hold in self.holds for name in pod.names)

    # From tests

    def answer(self, request: Object) -> Any:
        """Carries out one request of `e2e.cluster.pods.control`."""
        match request["op"]:
            case "started":
                pods: list[process.PodProcess | observe.ObservedPod]
                pods = [*self.pods.values(), *self.observed.values()]
                of = request["of"]  # many ask again and again, and there may be a thousand pods
                return [pod.record() for pod in pods if of.items() <= observe.describe(pod.pod).items()]
            case "hold":
                self.holds.add(request["pattern"])
            case "release":
                with self.changed:
                    self.holds.discard(request["pattern"])
                    self.changed.notify_all()
            case "image":
                self.images[request["image"]] = {"env": request["env"], "cwd": request["cwd"]}
            case "kill":
                victims = [pod for pod in self.pods.values() if pod.matches(request["name"])]
                return [p.record() for p in victims if p.kill(request["reason"], request["message"])]
            case unknown:
                raise ValueError(f"no operation {unknown}")
        return None


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            try:
                reply = {"ok": RUNNERS[0].answer(json.loads(line))}
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            self.wfile.write(json.dumps(reply).encode() + b"\n")


RUNNERS: list[Runner] = []


def main(path: str) -> None:
    config = json.loads(pathlib.Path(path).read_text())
    client = api.Api(config["host"], config["port"], config["authority"], config["token"])
    folder = pathlib.Path(config["folder"])
    runner = Runner(client, folder, config["base"], config["execute"])
    RUNNERS.append(runner)
    if runner.execute:
        certificate, key = config["certificate"]
        kubelet.start(runner.find, control_plane.NODE_ADDRESS, certificate, key)
    server = socketserver.ThreadingUnixStreamServer(config["socket"], _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    runner.watch()


if __name__ == "__main__":
    main(sys.argv[1])
