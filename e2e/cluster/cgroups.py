"""The control groups of a cluster's real pods: one subtree in every hierarchy, named for it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import time

_ROOT = pathlib.Path("/sys/fs/cgroup")


def create(name: str) -> str:
    """Makes the subtree in each hierarchy and returns its path, as the kubelet wants it."""
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
    return f"/{name}"


def remove(name: str) -> None:
    """Removes the subtree; its processes must have been killed, and may take a moment to go."""
    deadline = time.monotonic() + 5
    for hierarchy in _hierarchies():
        top = hierarchy / name
        while top.exists():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    pathlib.Path(folder).rmdir()
            if time.monotonic() > deadline:
                return
            if top.exists():
                time.sleep(0.05)


def _hierarchies() -> list[pathlib.Path]:
    """Each controller's own tree (version 1), or the one tree (version 2)."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [path for path in _ROOT.iterdir() if path.is_dir() and not path.is_symlink()]
