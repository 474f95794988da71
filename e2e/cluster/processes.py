"""The owner's side of the supervisor: start, watch and end a cluster's processes.

`Supervisor` is held by a `Cluster`; tests meet only `Process`. The protocol is described in
`e2e.cluster.supervisor`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from e2e.cluster import errors, syscalls

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# Variables of the machine that would lead a client inside the cluster astray: certificates other
# than the cluster's own, and proxies that cannot be reached from its network.
MISLEADING = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    *(name for base in ("http_proxy", "https_proxy", "all_proxy") for name in (base, base.upper())),
)


# How the machine looked before any cluster: for what must happen outside, such as image builds.
MACHINE = dict(os.environ)
_HOME_NETWORK = os.open("/proc/self/ns/net", os.O_RDONLY)


# For servers, which are all in Go: garbage is collected a fifth as often as by default, which saves a sixth of an API
# server's work for a gigabyte; one that holds more than that collects as often as it must.
SERVER = {"GOGC": "500", "GOMEMLIMIT": "2500MiB"}


def clean_environment(*layers: Mapping[str, str]) -> dict[str, str]:
    """The machine's environment without what misleads clients of the cluster, plus `layers`."""
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    for layer in layers:
        environment.update(layer)
    return environment


class Process:
    """One process inside the cluster."""

    def __init__(self, supervisor: Supervisor, name: str, number: int, log: pathlib.Path) -> None:
        self.name = name
        self.log = log
        self._supervisor = supervisor
        self._number = number

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        code = self._supervisor.request({"op": "poll", "id": self._number})["returncode"]
        return None if code is None else int(code)

    def signal(self, code: int) -> None:
        """Sends a signal to the process and to everything it started in its session."""
        self._supervisor.request({"op": "signal", "id": self._number, "signal": code})

    def kill(self) -> int:
        """Ends it by SIGKILL, as a crash would, and returns its exit code."""
        self.signal(signal.SIGKILL)
        return self.wait(10)

    def terminate(self, timeout: float = 30) -> int:
        """Asks it to end by SIGTERM; insists by SIGKILL after `timeout` seconds."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except TimeoutError:
            return self.kill()

    def wait(self, timeout: float) -> int:
        """Waits until it has ended and returns its exit code.

        Raises:
            TimeoutError: it still runs after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} still runs after {timeout:g} s")
            time.sleep(0.05)
        return code

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """The process that holds a cluster's namespaces, and with them every process of the cluster."""

    def __init__(self, log: pathlib.Path, addresses: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        self._lock = threading.Lock()
        command = [sys.executable, "-m", "e2e.cluster.supervisor", str(theirs.fileno()), *addresses]
        with log.open("ab") as out:
            self._outer = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        theirs.close()
        self._control = ours.makefile("rwb")
        ours.close()
        hello = self._control.readline()
        if not hello:
            self._outer.wait()
            reason = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise errors.Unavailable(f"no namespaces on this machine: {''.join(reason)}")
        self.pid = int(json.loads(hello)["first"])
        self.network = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)

    def request(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            try:
                self._control.write(json.dumps(message).encode() + b"\n")
                self._control.flush()
                line = self._control.readline()
            except (OSError, ValueError) as error:
                raise errors.ClusterError("the cluster has been stopped") from error
        if not line:
            raise errors.ClusterError("the cluster's supervisor is gone")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise errors.ClusterError(reply["error"])
        return reply

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: pathlib.Path,
        cwd: pathlib.Path | None = None,
    ) -> Process:
        """Starts `argv` with exactly `env`; its output is appended to `log`."""
        reply = self.request(
            {
                "op": "spawn",
                "argv": list(argv),
                "env": dict(env),
                "log": str(log),
                "cwd": str(cwd or REPOSITORY),
            }
        )
        return Process(self, name, int(reply["id"]), log)

    def mount(self, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
        """Mounts something in the cluster's mount namespace, for what is started afterwards."""
        self.request({"op": "mount", "arguments": [source, target, kind, flags, options]})

    def close(self) -> None:
        """Ends the cluster: the supervisor leaves, and the kernel kills all that ran in it."""
        with contextlib.suppress(OSError, ValueError):
            self._control.close()
        with contextlib.suppress(OSError):
            os.close(self.network)
        self._outer.wait()


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Runs the body in the network that this program was started in."""
    with in_network(_HOME_NETWORK):
        yield


@contextlib.contextmanager
def in_network(fd: int) -> Iterator[None]:
    """Runs the body, in this thread and in what it starts, inside the network namespace `fd`."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    syscalls.setns(fd, syscalls.CLONE_NEWNET)
    try:
        yield
    finally:
        syscalls.setns(home, syscalls.CLONE_NEWNET)
        os.close(home)
