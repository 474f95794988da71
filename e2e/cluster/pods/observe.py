"""A real pod as `e2e.cluster.pods.runner` sees it: only watched, so that tests can ask what ran."""

from __future__ import annotations

import datetime
import pathlib
from typing import Any

from e2e.cluster.pods import spec

Object = dict[str, Any]


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(pod: Object) -> Object:
    """What tests are told of any pod, however it runs: names, run, image."""
    metadata = pod["metadata"]
    containers = pod["spec"]["containers"]
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "node": metadata.get("annotations", {}).get(spec.NODE_NAME, ""),
        "workflow": metadata.get("labels", {}).get(spec.WORKFLOW, ""),
        "image": next((str(c["image"]) for c in containers if c["name"] == "main"), ""),
    }


class ObservedPod:
    """A pod that a kubelet runs."""

    def __init__(self, pod: Object, logs: pathlib.Path) -> None:
        self.pod = pod
        self._seen = now()
        metadata = pod["metadata"]
        folder = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        self._log = logs / "pods" / folder / "main" / "0.log"

    def saw(self, pod: Object) -> None:
        self.pod = pod

    def record(self) -> Object:
        statuses = self.pod.get("status", {}).get("containerStatuses", [])
        state: Object = next((s["state"] for s in statuses if s["name"] == "main"), {})
        ended: Object = state.get("terminated", {})
        running: Object = state.get("running", ended)
        return {
            **describe(self.pod),
            "argv": [],
            "seen": self._seen,
            "started": running.get("startedAt") or "",
            "ended": ended.get("finishedAt") or "",
            "exit_code": ended.get("exitCode"),
            "log": str(self._log),
        }
