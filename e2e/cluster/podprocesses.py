"""One process pod from its first sight to its end; used by `e2e.cluster.podrunner`."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

from e2e.cluster import api, podobservations, podspecs, podstatuses, processes

Object = dict[str, Any]

# Without site-packages and without the environment: the launcher needs this repository only.
_LAUNCHER = (
    "import sys; sys.path.insert(0, sys.argv[1]); from e2e.cluster import podlaunch; podlaunch.main(sys.argv[2])"
)
_SCRIPT_OUTPUT_BYTES = 256 * 1024


class PodProcess:
    """A pod, its process, and what was done to it."""

    def __init__(self, pod: Object, client: api.Api, folder: pathlib.Path) -> None:
        metadata = pod["metadata"]
        self.pod = pod
        self.name: str = metadata["name"]
        self.namespace: str = metadata["namespace"]
        described = podobservations.describe(pod)
        self.image: str = described["image"]
        self.names = (self.name, described["node"])
        self.is_deleted = False
        self._client = client
        self._home = folder / "pods" / metadata["uid"]
        self._log = folder / "logs" / "pods" / f"{self.namespace}.{self.name}.log"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._verdict: tuple[str, str] | None = None
        self._seen = podobservations.now()
        self._started = ""
        self._ended = ""
        self._outcome: podstatuses.Outcome | None = None
        self._launch: podspecs.Launch | None = None

    def matches(self, name: str) -> bool:
        return name in self.names

    def record(self) -> Object:
        """What tests are told about it."""
        return {
            **podobservations.describe(self.pod),
            "argv": self._launch.argv if self._launch else [],
            "seen": self._seen,
            "started": self._started if self._process else "",
            "ended": self._ended,
            "exit_code": self._outcome.code if self._outcome else None,
            "log": str(self._log),
        }

    # What others do to it

    def delete(self) -> None:
        self.is_deleted = True
        self._signal()

    def kill(self, reason: str, message: str) -> bool:
        """Ends its process as the kernel or the node would; False when it does not run."""
        with self._lock:
            if self._process is None or self._outcome is not None:
                return False
            self._verdict = (reason, message)
        self._signal()
        return True

    def _signal(self) -> None:
        with self._lock:
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    # Its life

    def run(self, base: Mapping[str, str], extra: Mapping[str, str], cwd: str | None) -> None:
        if self.is_deleted:
            return
        try:
            sources = self._sources()
            home = {"HOME": str(self._home / "home"), "HOSTNAME": self.name}
            launch = podspecs.launch(self.pod, sources, {**base, **home}, extra)
        except podspecs.BadPod as error:
            self._set(podstatuses.refused(self.pod, "CreateContainerConfigError", str(error)))
            return
        self._launch = launch
        self._started = podobservations.now()
        self._set(podstatuses.running(self.pod, self._started))
        outcome = self._execute(launch, launch.cwd or cwd or str(self._home / "home"))
        self._ended = podobservations.now()
        self._outcome = outcome
        self._report(outcome)

    def _report(self, outcome: podstatuses.Outcome) -> None:
        """Tells Argo, outputs first: it reads them when it sees the pod ended."""
        try:
            if outcome.code is not None and podspecs.NODE_ID in self.pod["metadata"]["annotations"]:
                self._client.create(podstatuses.task_result(self.pod, outcome))
            self._set(podstatuses.ended(self.pod, outcome, self._started, self._ended))
        except api.ApiError as error:
            # The pod, its run or the whole namespace may have been deleted meanwhile.
            if error.code not in (403, 404, 409):
                raise

    def _set(self, status: Object) -> None:
        with contextlib.suppress(api.ApiError) if self.is_deleted else contextlib.nullcontext():
            self._client.patch("v1", "Pod", self.name, self.namespace, {"status": status}, subresource="status")

    def _sources(self) -> podspecs.Sources:
        config_maps, secrets = podspecs.references(self.pod)
        return podspecs.Sources(
            {n: found.get("data") or {} for n in config_maps if (found := self._get("ConfigMap", n))},
            {n: podspecs.decode_secret(found) for n in secrets if (found := self._get("Secret", n))},
        )

    def _get(self, kind: str, name: str) -> Object | None:
        try:
            return self._client.get("v1", kind, name, self.namespace)
        except api.ApiError as error:
            if error.code == 404:
                return None
            raise

    def _execute(self, launch: podspecs.Launch, cwd: str) -> podstatuses.Outcome:
        places = self._prepare(launch, cwd)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log, self._lock:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _LAUNCHER),
                    *(str(processes.REPOSITORY), str(self._home / "launch.json")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self.is_deleted:
            self._signal()
        overdue = False
        try:
            code = self._process.wait(launch.deadline)
        except subprocess.TimeoutExpired:
            overdue = True
            self._signal()
            code = self._process.wait()
        self._signal()  # what the command left running goes with its container
        code = code if code >= 0 else 128 - code
        if overdue:
            late = "Pod was active on the node longer than the specified deadline"
            return podstatuses.Outcome(code, pod_reason="DeadlineExceeded", pod_message=late)
        return self._outcome_of(launch, places, code)

    def _prepare(self, launch: podspecs.Launch, cwd: str) -> dict[str, pathlib.Path]:
        """Lays out the pod's folders; returns where each path of the container really is."""
        for name in ("home", "run", "dev"):
            (self._home / name).mkdir(parents=True)
        termination = self._home / "termination-log"
        termination.touch()
        places = {"/run": self._home / "run"}
        binds, env = [], dict(launch.env)
        for mount in launch.mounts:
            folder = self._home / "volumes" / mount.folder
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in mount.files.items():
                (folder / name).write_text(content, errors="surrogateescape")
            target = os.path.realpath(mount.target)
            places[target] = folder
            if target == "/tmp":
                # The code under test may lie below /tmp, so that stays and the variable tells.
                env.setdefault("TMPDIR", str(folder))
            else:
                binds.append((str(folder), mount.target))
        spec = {
            "argv": launch.argv,
            "env": env,
            "cwd": cwd,
            "run": str(self._home / "run"),
            "devices": str(self._home / "dev"),
            "termination": str(termination),
            "mounts": sorted(binds, key=lambda pair: len(pair[1])),
        }
        (self._home / "launch.json").write_text(json.dumps(spec), errors="surrogateescape")
        return places | {"/dev/termination-log": termination}

    def _outcome_of(
        self, launch: podspecs.Launch, places: Mapping[str, pathlib.Path], code: int
    ) -> podstatuses.Outcome:
        message = podstatuses.cut_message(_read(launch.termination_path, places) or b"")
        if not message and code != 0 and launch.message_from_log:
            message = podstatuses.cut_message(self._log.read_bytes()[-2048:])
        values, missing = [], ""
        for parameter in launch.outputs:
            source = parameter["valueFrom"]
            content = _read(source["path"], places)
            if content is None and "default" not in source:
                missing = missing or f"open {source['path']}: no such file or directory"
                continue
            text = source["default"] if content is None else content.decode(errors="replace")
            # Argo's executor drops one newline at the end.
            values.append((parameter["name"], str(text).removesuffix("\n")))
        stdout = None
        if launch.collect_stdout:
            text = self._log.read_bytes()[:_SCRIPT_OUTPUT_BYTES].decode(errors="replace")
            stdout = text.removesuffix("\n")
        reason, detail = self._verdict or ("", "")
        if detail:
            return podstatuses.Outcome(None, pod_reason=reason, pod_message=detail)
        return podstatuses.Outcome(code, message, reason, missing, parameters=tuple(values), result=stdout)


def _read(path: str, places: Mapping[str, pathlib.Path]) -> bytes | None:
    """A file of the container, looked up through its mounts; None when there is none."""
    real = str(pathlib.Path(path).parent.resolve() / pathlib.Path(path).name)
    for target in sorted(places, key=len, reverse=True):
        if real == target or real.startswith(target + "/"):
            host = places[target] / real[len(target) + 1 :] if real != target else places[target]
            break
    else:
        host = pathlib.Path(path)
    try:
        return host.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
