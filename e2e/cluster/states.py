"""A cluster's folder on disk: who owns it, where its logs go, and what a dead owner left.

The folder's name carries the owner's process id and start time, so it tells by itself whether it is
still in use; there is no moment at which it exists without saying so.
"""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import shutil
import tempfile
import time
from typing import Any

from e2e.cluster import cgroups

KEPT_LOGS_SECONDS = 24 * 3600


def root() -> pathlib.Path:
    return pathlib.Path(tempfile.gettempdir()) / "alula-e2e"


def create(name: str) -> pathlib.Path:
    """A new folder for cluster `name`, owned by this process."""
    owner = f"{os.getpid()}.{_start_time(os.getpid())}"
    folder = root() / "clusters" / f"{name}.{owner}.{secrets.token_hex(3)}"
    (folder / "logs").mkdir(parents=True)
    return folder


def publish(folder: pathlib.Path, facts: dict[str, Any]) -> None:
    """Writes what `python -m e2e.cluster exec` needs to enter the cluster."""
    draft = folder / "cluster.json.new"
    draft.write_text(json.dumps(facts))
    draft.rename(folder / "cluster.json")


def running(name: str) -> dict[str, Any] | None:
    """What the newest running cluster `name` has published."""
    found = sorted(
        (path for path in (root() / "clusters").glob(f"{name}.*/cluster.json")),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in found:
        if _is_owned(path.parent):
            facts: dict[str, Any] = json.loads(path.read_text())
            return facts
    return None


def keep_logs(folder: pathlib.Path) -> pathlib.Path:
    """Moves the logs out of the folder, so that they outlive the cluster, and says where."""
    target = root() / "logs" / folder.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder / "logs", target)
    return target


def remove(folder: pathlib.Path) -> None:
    """Removes a cluster's folder, and its control groups if it had any."""
    cgroups.remove(folder.name)
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """Removes folders of clusters whose owner is gone, and logs that will not be read any more."""
    for path in (root() / "clusters").glob("*"):
        if not _is_owned(path):
            remove(path)
    for path in (root() / "logs").glob("*"):
        if time.time() - path.stat().st_mtime > KEPT_LOGS_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _is_owned(folder: pathlib.Path) -> bool:
    pid, started = folder.name.rsplit(".", 3)[1:3]
    return _start_time(int(pid)) == started


def _start_time(pid: int) -> str | None:
    """The clock tick at which a process started; with its id, a name that is never used twice."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]
