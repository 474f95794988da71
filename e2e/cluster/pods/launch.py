"""Runs one process pod: builds its private view of the machine, then becomes its command.

Started by `e2e.cluster.pods.runner` with a JSON file as its argument. Works in a mount namespace of
its own, so the paths in the pod are the real ones and nothing of them is seen or left outside.
Standard library only, as few imports as possible (no pathlib): every pod pays for them.
"""
# ruff: noqa: PTH103, PTH112, PTH123, PTH211

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

from e2e.cluster import syscalls

# What Argo's emissary answers when it cannot run the command.
CANNOT_RUN = 64

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def main(path: str) -> None:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        spec: dict[str, Any] = json.load(file)
    try:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", "none", syscalls.MS_REC | syscalls.MS_PRIVATE)
        mount_devices(spec["devices"], spec["termination"])
        bind(spec["run"], "/run")
        for source, target in spec["mounts"]:
            bind(source, target)
        os.chdir(spec["cwd"])
        program = shutil.which(spec["argv"][0], path=spec["env"].get("PATH"))
        if program is None:
            raise FileNotFoundError(f"no {spec['argv'][0]} in PATH")
        os.execve(program, spec["argv"], spec["env"])
    except (OSError, ValueError) as error:
        sys.stderr.write(f"process pod: {error}\n")
        os._exit(CANNOT_RUN)


def mount_devices(folder: str, termination: str) -> None:
    """A /dev with the usual devices and a termination log of the pod's own."""
    for name in _DEVICES:
        open(f"{folder}/{name}", "w").close()
        syscalls.mount(f"/dev/{name}", f"{folder}/{name}", "none", syscalls.MS_BIND)
    os.makedirs(f"{folder}/shm")
    syscalls.mount("shm", f"{folder}/shm", "tmpfs")
    for name, target in (("fd", "/proc/self/fd"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{folder}/{name}")
    open(f"{folder}/termination-log", "w").close()
    syscalls.mount(termination, f"{folder}/termination-log", "none", syscalls.MS_BIND)
    syscalls.mount(folder, "/dev", "none", syscalls.MS_BIND | syscalls.MS_REC)


def bind(source: str, target: str) -> None:
    """Shows folder `source` at `target`, which is made where that leaves no trace."""
    real = os.path.realpath(target)
    if not os.path.isdir(real):
        if not real.startswith("/run/"):
            raise OSError(f"{target} does not exist; process pods can make folders under /run only")
        os.makedirs(real)
    syscalls.mount(source, real, "none", syscalls.MS_BIND)


if __name__ == "__main__":
    main(sys.argv[1])
