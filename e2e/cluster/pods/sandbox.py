"""The place a process pod runs in: its folders, its process, and its files seen from outside.

Used by `e2e.cluster.pods.process`; what happens inside, before the command, is `launch`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

from e2e.cluster import processes
from e2e.cluster.pods import spec

# Without site-packages and without the environment: the launcher needs this repository only.
_LAUNCHER = "import sys; sys.path.insert(0, sys.argv[1]); from e2e.cluster.pods import launch; launch.main(sys.argv[2])"


class Sandbox:
    """One pod's folders and process."""

    def __init__(self, home: pathlib.Path, log: pathlib.Path) -> None:
        self.home = home / "home"
        self._folder = home
        self._log = log
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        # Where each path of the container really is.
        self._places: dict[str, pathlib.Path] = {}

    @property
    def is_started(self) -> bool:
        return self._process is not None

    def start(self, launch: spec.Launch, cwd: str) -> None:
        """Lays out the folders and starts the command."""
        spec = self._prepare(launch, cwd)
        path = self._folder / "launch.json"
        path.write_text(json.dumps(spec), errors="surrogateescape")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(processes.REPOSITORY), str(path)]
        with self._log.open("ab") as log, self._lock:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, code: int) -> None:
        """Signals the command and all it started, if it has started and not ended."""
        with self._lock:
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, code)

    def wait(self, timeout: float | None) -> int | None:
        """The exit code as a container has it (128 and the signal's number), None while it runs."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self.signal(signal.SIGKILL)  # what the command left running goes with its container
        return code if code >= 0 else 128 - code

    def read(self, path: str) -> bytes | None:
        """A file of the container, looked up through its mounts; None when there is none."""
        real = str(pathlib.Path(path).parent.resolve() / pathlib.Path(path).name)
        host = pathlib.Path(path)
        for target in sorted(self._places, key=len, reverse=True):
            if real == target:
                host = self._places[target]
                break
            if real.startswith(target + "/"):
                host = self._places[target] / real[len(target) + 1 :]
                break
        try:
            return host.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def output(self) -> bytes:
        """What the command has printed so far."""
        return self._log.read_bytes() if self._log.exists() else b""

    def _prepare(self, launch: spec.Launch, cwd: str) -> dict[str, object]:
        for name in ("home", "run", "dev"):
            (self._folder / name).mkdir(parents=True)
        termination = self._folder / "termination-log"
        termination.touch()
        self._places = {"/run": self._folder / "run", "/dev/termination-log": termination}
        for file, content in launch.files.items():
            host = self._folder / "run" / file.removeprefix("/run/")
            host.parent.mkdir(parents=True, exist_ok=True)
            host.write_text(content)
        binds, env = [], dict(launch.env)
        for mount in launch.mounts:
            folder = self._folder / "volumes" / mount.folder
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in mount.files.items():
                (folder / name).write_text(content, errors="surrogateescape")
            target = str(pathlib.Path(mount.target).resolve())
            self._places[target] = folder
            if target == "/tmp":
                # The code under test may lie below /tmp, so that stays and the variable tells.
                env.setdefault("TMPDIR", str(folder))
            else:
                binds.append((str(folder), mount.target))
        return {
            "argv": launch.argv,
            "env": env,
            "cwd": cwd,
            "run": str(self._folder / "run"),
            "devices": str(self._folder / "dev"),
            "termination": str(termination),
            "mounts": sorted(binds, key=lambda pair: len(pair[1])),
        }
