"""What a fresh cluster's etcd holds once Argo's CRDs are in, kept between clusters.

Taking the CRDs in costs the API server 20 seconds of CPU, finding them there almost nothing. A
snapshot is a copy of etcd's folder, made while etcd is down, in the cache of `e2e.cluster.binaries`;
its name follows from the servers and manifests that made it.
"""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterable

from e2e.cluster import binaries

# To be raised when the flags of the servers change what they store.
_FORMAT = 1


def path(commands: Iterable[list[str]], manifests: Iterable[pathlib.Path]) -> pathlib.Path:
    """Where the snapshot made by these servers from these manifests is, or would be."""
    key = hashlib.sha256(f"{_FORMAT}\n".encode())
    for command in commands:
        program = pathlib.Path(command[0])
        stat = program.stat()
        key.update(f"{program} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for manifest in manifests:
        key.update(hashlib.sha256(manifest.read_bytes()).digest())
    return binaries.cache_root() / f"etcd-{key.hexdigest()[:32]}"


def restore(snapshot: pathlib.Path, target: pathlib.Path) -> bool:
    """Copies a snapshot to where etcd will look for its data; False when there is none."""
    if not snapshot.exists():
        return False
    shutil.copytree(snapshot, target)
    return True


def save(source: pathlib.Path, snapshot: pathlib.Path) -> None:
    """Keeps a copy of etcd's data; of several at the same time, one wins."""
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    draft = pathlib.Path(tempfile.mkdtemp(dir=snapshot.parent))
    shutil.copytree(source, draft, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.tmp"))
    try:
        draft.rename(snapshot)
    except OSError:
        shutil.rmtree(draft)
