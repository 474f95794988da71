"""The first process inside a cluster's namespaces: starts its servers, reaps them, dies with it.

Run by `e2e.cluster.processes` as `python -m e2e.cluster.supervisor <socket fd> <address>...`.
It is process 1 of a PID namespace of its own, so the kernel kills everything that ever ran in the
cluster as soon as this process ends; and it ends when the owner closes the socket or dies, for
whatever reason. The namespaces have no name and no file, so nothing stays behind on the machine.

One JSON object a line, each answered by one: `{"op": "spawn", "argv", "env", "cwd", "log"}`,
`{"op": "poll", "id"}`, `{"op": "signal", "id", "signal"}`, `{"op": "mount", "arguments"}`.
"""

from __future__ import annotations

import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
from typing import Any

from e2e.cluster import syscalls


class Children:
    """The processes started so far, by a number that is never used twice."""

    def __init__(self) -> None:
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.ended: dict[int, int] = {}

    def spawn(self, request: dict[str, Any]) -> dict[str, Any]:
        with pathlib.Path(request["log"]).open("ab") as log:
            child = subprocess.Popen(
                request["argv"],
                env=request["env"],
                cwd=request["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        number = len(self.running) + len(self.ended)
        self.running[number] = child
        return {"id": number, "pid": child.pid}

    def reap(self) -> None:
        """Collects every ended process: our own, and orphans that fell to us as process 1."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for number, child in list(self.running.items()):
                if child.pid == pid:
                    child.returncode = os.waitstatus_to_exitcode(status)
                    self.ended[number] = child.returncode
                    del self.running[number]

    def signal(self, number: int, code: int) -> None:
        """Signals a child's whole process group, so that what it started goes with it."""
        child = self.running.get(number)
        if child is not None:
            os.killpg(child.pid, code)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "spawn":
            return self.spawn(request)
        if request["op"] == "mount":
            syscalls.mount(*request["arguments"])
            return {}
        if request["op"] == "signal":
            self.signal(request["id"], request["signal"])
        return {"returncode": self.ended.get(request["id"])}


def serve(control: socket.socket, owner: int) -> None:
    """Answers requests until the owner closes its end or is gone."""
    children = Children()
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending = b""
    while True:
        ready, _, _ = select.select([control.fileno(), owner, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            children.reap()
        if owner in ready:
            return
        if control.fileno() in ready:
            received = control.recv(1 << 16)
            if not received:
                return
            pending += received
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                children.reap()
                try:
                    reply = children.answer(json.loads(line))
                except OSError as error:
                    reply = {"error": str(error)}
                control.sendall(json.dumps(reply).encode() + b"\n")


def main(control_fd: int, addresses: list[str]) -> int:
    for code in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A Ctrl-C is the owner's to handle. Not ignored, because children would inherit that.
        signal.signal(code, lambda *_: None)
    owner = os.pidfd_open(os.getppid())
    syscalls.unshare(syscalls.CLONE_NEWNET | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID)
    # What is mounted here must not reach the machine; what lies below must see our own mounts.
    syscalls.mount("none", "/", "none", syscalls.MS_REC | syscalls.MS_SLAVE)
    syscalls.mount("none", "/", "none", syscalls.MS_REC | syscalls.MS_SHARED)
    syscalls.bring_up_loopback(addresses)
    outer = os.getpid()
    first = os.fork()
    control = socket.socket(fileno=control_fd)
    if first == 0:
        # The parent's number as seen from inside the new PID namespace is 0.
        syscalls.die_with_parent(parent=0)
        syscalls.mount("proc", "/proc", "proc")
        serve(control, owner)
        os._exit(0)
    control.sendall(json.dumps({"first": first, "outer": outer}).encode() + b"\n")
    control.close()
    os.waitpid(first, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
