"""One process pod from its first sight to its end; used by `e2e.cluster.pods.runner`."""

from __future__ import annotations

import contextlib
import pathlib
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

from e2e.cluster import api
from e2e.cluster.pods import observe, sandbox, spec, status

Object = dict[str, Any]

NODE = "process-pods"

_GRACE_SECONDS = 30.0
_SCRIPT_OUTPUT_BYTES = 256 * 1024
_POD_OVERDUE = "Pod was active on the node longer than the specified deadline"
_STEP_OVERDUE = "Step exceeded its deadline"


class PodProcess:
    """A pod, its process, and what was done to it."""

    def __init__(self, pod: Object, client: api.Api, folder: pathlib.Path) -> None:
        metadata = pod["metadata"]
        self.pod = pod
        self.name: str = metadata["name"]
        self.namespace: str = metadata["namespace"]
        described = observe.describe(pod)
        self.image: str = described["image"]
        self.names = (self.name, described["node"])
        self.is_deleted = False
        self._client = client
        self._log = folder / "logs" / "pods" / f"{self.namespace}.{self.name}.log"
        self._sandbox = sandbox.Sandbox(folder / "pods" / metadata["uid"], self._log)
        self._lock = threading.Lock()
        self._is_over = False
        self._verdict: tuple[str, str] | None = None
        self._seen = observe.now()
        self._started = ""
        self._ended = ""
        self._outcome: status.Outcome | None = None
        self._launch: spec.Launch | None = None

    def matches(self, name: str) -> bool:
        return name in self.names

    @property
    def is_over(self) -> bool:
        return self._is_over

    def output(self) -> bytes:
        """What its main container has printed."""
        return self._sandbox.output()

    def record(self) -> Object:
        """What tests are told about it."""
        return {
            **observe.describe(self.pod),
            "argv": self._launch.argv if self._launch else [],
            "seen": self._seen,
            "started": self._started if self._sandbox.is_started else "",
            "ended": self._ended,
            "exit_code": self._outcome.code if self._outcome else None,
            "log": str(self._log),
        }

    # What others do to it

    def delete(self, grace: float) -> None:
        """Ends it as the kubelet does: asks, waits, insists, and then lets the API server forget it."""
        with self._lock:
            if self.is_deleted and grace > 0:
                return
            self.is_deleted = True
            is_over = self._is_over
        if is_over:
            self._forget()
        self.end(grace)

    def end(self, grace: float) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds."""
        self._sandbox.signal(signal.SIGTERM if grace > 0 else signal.SIGKILL)
        if grace > 0:
            insist = threading.Timer(grace, self._sandbox.signal, [signal.SIGKILL])
            insist.daemon = True
            insist.start()

    def signal(self, code: int) -> None:
        """What Argo does to a step that must stop: a signal to its main container."""
        if self._outcome is None:
            self._sandbox.signal(code)

    def kill(self, reason: str, message: str) -> bool:
        """Ends its process as the kernel or the node would; False when it does not run."""
        if not self._sandbox.is_started or self._outcome is not None:
            return False
        self._verdict = (reason, message)
        self._sandbox.signal(signal.SIGKILL)
        return True

    # Its life

    def run(self, base: Mapping[str, str], extra: Mapping[str, str], cwd: str | None) -> None:
        """Runs it from its binding to the node to its last status."""
        try:
            if not self.is_deleted:
                self._bind()
                self._run(base, extra, cwd)
        except api.ApiError as error:
            # The pod, its run or the whole namespace may have been deleted meanwhile.
            if error.code not in (403, 404, 409):
                raise
        finally:
            with self._lock:
                self._is_over = True
            if self.is_deleted:
                self._forget()

    def _run(self, base: Mapping[str, str], extra: Mapping[str, str], cwd: str | None) -> None:
        home = {"HOME": str(self._sandbox.home), "HOSTNAME": self.name}
        try:
            launch = spec.launch(self.pod, self._sources(), {**base, **home}, extra)
        except spec.BadPod as error:
            self._set(status.refused(self.pod, "CreateContainerConfigError", str(error)))
            return
        self._launch = launch
        self._started = observe.now()
        self._set(status.running(self.pod, self._started))
        self._sandbox.start(launch, launch.cwd or cwd or str(self._sandbox.home))
        if self.is_deleted:
            self.end(0)
        outcome = self._wait(launch)
        self._ended = observe.now()
        self._outcome = outcome
        # Outputs first: Argo reads them when it sees that the pod has ended.
        if outcome.code is not None and spec.NODE_ID in self.pod["metadata"]["annotations"]:
            self._client.acting_as(spec.account(self.pod)).create(status.task_result(self.pod, outcome))
        self._set(status.ended(self.pod, outcome, self._started, self._ended))

    def _wait(self, launch: spec.Launch) -> status.Outcome:
        """Waits for the command, or for one of the two deadlines: the pod's and Argo's own."""
        ends = [(time.time() + launch.deadline, _POD_OVERDUE)] if launch.deadline is not None else []
        ends += [(launch.argo_deadline, _STEP_OVERDUE)] if launch.argo_deadline is not None else []
        moment, overdue = min(ends, default=(None, ""))
        code = self._sandbox.wait(None if moment is None else max(0, moment - time.time()))
        if code is not None:
            return self._outcome_of(launch, code)
        self.end(_GRACE_SECONDS)
        code = self._sandbox.wait(None)
        assert code is not None
        if overdue == _POD_OVERDUE:
            return status.Outcome(code, pod_reason="DeadlineExceeded", pod_message=overdue)
        return self._outcome_of(launch, code, overdue)

    def _outcome_of(self, launch: spec.Launch, code: int, remark: str = "") -> status.Outcome:
        message = status.cut_message(self._sandbox.read(launch.termination_path) or b"")
        if not message and code != 0 and launch.message_from_log:
            message = status.cut_message(self.output()[-2048:])
        values, missing = [], ""
        for parameter in launch.outputs:
            source = parameter["valueFrom"]
            content = self._sandbox.read(source["path"])
            if content is None and "default" not in source:
                missing = missing or f"open {source['path']}: no such file or directory"
                continue
            text = source["default"] if content is None else content.decode(errors="replace")
            # Argo's executor drops one newline at the end.
            values.append((parameter["name"], str(text).removesuffix("\n")))
        stdout = None
        if launch.collect_stdout:
            stdout = self.output()[:_SCRIPT_OUTPUT_BYTES].decode(errors="replace").removesuffix("\n")
        reason, detail = self._verdict or ("", "")
        if detail:
            return status.Outcome(None, pod_reason=reason, pod_message=detail)
        return status.Outcome(
            code,
            message,
            reason,
            wait_error=missing,
            wait_remark=remark,
            parameters=tuple(values),
            result=stdout,
        )

    # The API server

    def _bind(self) -> None:
        """Places it on the pretended node, which has room for everything; Kubernetes' scheduler places real pods."""
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"target": target, "metadata": {"name": self.name, "uid": self.pod["metadata"]["uid"]}}
        path = self._client.path("v1", "Pod", self.namespace, self.name)
        self._client.request("POST", f"{path}/binding", binding)

    def _set(self, status: Object) -> None:
        self._client.patch("v1", "Pod", self.name, self.namespace, {"status": status}, subresource="status")

    def _forget(self) -> None:
        """Tells the API server that nothing of a deleted pod is left."""
        path = self._client.path("v1", "Pod", self.namespace, self.name)
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.pod["metadata"]["uid"]}}
        with contextlib.suppress(api.ApiError):
            self._client.request("DELETE", path, options)

    def _sources(self) -> spec.Sources:
        config_maps, secrets = spec.references(self.pod)
        return spec.Sources(
            {n: found.get("data") or {} for n in config_maps if (found := self._get("ConfigMap", n))},
            {n: spec.decode_secret(found) for n in secrets if (found := self._get("Secret", n))},
        )

    def _get(self, kind: str, name: str) -> Object | None:
        try:
            return self._client.get("v1", kind, name, self.namespace)
        except api.ApiError as error:
            if error.code == 404:
                return None
            raise
