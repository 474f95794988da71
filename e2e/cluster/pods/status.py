"""Pod statuses and Argo task results as a kubelet and Argo's executor would write them; pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from e2e.cluster.pods import spec

Object = dict[str, Any]

# What the kubelet keeps of a termination message.
MESSAGE_BYTES = 4096


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a pod ended.

    `code` and `message` are the main container's. `wait_error` is what Argo's own container would
    have failed with, `wait_remark` what it would have said otherwise. `pod_reason` and
    `pod_message` stand on the pod itself (eviction, deadline), and then `code` may be missing.
    """

    code: int | None = 0
    message: str = ""
    reason: str = ""
    wait_error: str = ""
    wait_remark: str = ""
    pod_reason: str = ""
    pod_message: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    result: str | None = None

    @property
    def phase(self) -> str:
        clean = self.code == 0 and not self.wait_error and not self.pod_reason
        return "Succeeded" if clean else "Failed"


def running(pod: Object, now: str) -> Object:
    """All containers run."""
    state = {"running": {"startedAt": now}}
    return {
        "phase": "Running",
        "startTime": now,
        "hostIP": "10.89.0.1",
        "podIP": "10.89.0.1",
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": now}
            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ],
        "initContainerStatuses": _initial(pod, now),
        "containerStatuses": [_container(container, state, ready=True) for container in pod["spec"]["containers"]],
    }


def ended(pod: Object, outcome: Outcome, started: str, now: str) -> Object:
    """All containers have ended."""
    status: Object = {
        "phase": outcome.phase,
        "conditions": [
            {"type": kind, "status": "False", "lastTransitionTime": now, "reason": "PodCompleted"}
            for kind in ("ContainersReady", "Ready")
        ],
    }
    if outcome.pod_reason:
        status |= {"reason": outcome.pod_reason, "message": outcome.pod_message}
    if outcome.code is None:
        return status | {"containerStatuses": []}
    states = []
    for container in pod["spec"]["containers"]:
        code, message, reason = 0, "", ""
        if container["name"] == "main":
            code, message, reason = outcome.code, outcome.message, outcome.reason
        elif container["name"] == "wait" and outcome.wait_error:
            code, message = 1, outcome.wait_error
        elif container["name"] == "wait":
            message = outcome.wait_remark
        terminated: Object = {
            "exitCode": code,
            "reason": reason or ("Completed" if code == 0 else "Error"),
            "startedAt": started,
            "finishedAt": now,
        }
        if message:
            terminated["message"] = message
        states.append(_container(container, {"terminated": terminated}, ready=False))
    return status | {"containerStatuses": states}


def refused(pod: Object, reason: str, message: str) -> Object:
    """The main container cannot be made, as with a Secret that does not exist."""
    waiting = {"waiting": {"reason": reason, "message": message}}
    return {
        "phase": "Pending",
        "containerStatuses": [_container(container, waiting, ready=False) for container in pod["spec"]["containers"]],
    }


def task_result(pod: Object, outcome: Outcome) -> Object:
    """The message in which Argo's executor reports a pod's outputs."""
    outputs: Object = {}
    if outcome.parameters:
        outputs["parameters"] = [{"name": name, "value": value} for name, value in outcome.parameters]
    if outcome.result is not None:
        outputs["result"] = outcome.result
    metadata = pod["metadata"]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTaskResult",
        "metadata": {
            "name": metadata["annotations"][spec.NODE_ID],
            "namespace": metadata["namespace"],
            "labels": {
                spec.WORKFLOW: metadata["labels"][spec.WORKFLOW],
                "workflows.argoproj.io/report-outputs-completed": "true",
            },
            "ownerReferences": metadata.get("ownerReferences", []),
        },
        "outputs": outputs,
    }


def cut_message(text: bytes) -> str:
    return text[:MESSAGE_BYTES].decode(errors="replace")


def _initial(pod: Object, now: str) -> list[Object]:
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    return [_container(container, done, ready=True) for container in pod["spec"].get("initContainers", [])]


def _container(container: Object, state: Object, *, ready: bool) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"],
        "ready": ready,
        "started": ready,
        "restartCount": 0,
        "state": state,
    }
