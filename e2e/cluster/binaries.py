"""Where the servers' executables come from, and where the unpacked ones are kept.

In this order: the folder `$ALULA_E2E_BIN` (executables), `../shared/cluster` beside the repository
(`bin/NAME.xz` with `SHA256SUMS`), PATH. Unpacked files live in a cache by their digest, so that
every clone and every run of the machine shares them.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import pathlib
import shutil
import tempfile

from e2e.cluster import errors, processes

SHARED = processes.REPOSITORY.parent / "shared" / "cluster"

# kube-apiserver and its siblings may be one executable that acts as the name it is called by.
COMBINED = dict.fromkeys(("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"), "kube")


def cache_root() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "alula-e2e"


def find(name: str) -> list[str]:
    """The command that starts server `name`: a path, and a first argument where one is needed.

    Raises:
        Unavailable: it is nowhere to be found, or a packed file is damaged.
    """
    folder = os.environ.get("ALULA_E2E_BIN")
    combined = COMBINED.get(name, name)
    for candidate in (name, combined):
        arguments = [name] if candidate != name else []
        given = pathlib.Path(folder or "/nonexistent", candidate)
        if os.access(given, os.X_OK):
            return [str(given), *arguments]
        packed = SHARED / "bin" / f"{candidate}.xz"
        if packed.exists():
            return [str(unpack(packed)), *arguments]
        on_path = shutil.which(candidate)
        if on_path:
            return [on_path, *arguments]
    where = f"ALULA_E2E_BIN={folder}" if folder else f"$ALULA_E2E_BIN, {SHARED}"
    raise errors.Unavailable(f"no `{name}` in {where} or PATH")


def manifests() -> pathlib.Path:
    """The folder with Argo's CRDs: `manifests/` in `$ALULA_E2E_BIN`, or in `../shared/cluster`."""
    folder = os.environ.get("ALULA_E2E_BIN")
    for candidate in ([pathlib.Path(folder)] if folder else []) + [SHARED]:
        if (candidate / "manifests").is_dir():
            return candidate / "manifests"
    raise errors.Unavailable(f"no manifests/ in $ALULA_E2E_BIN or {SHARED}")


def unpack(packed: pathlib.Path) -> pathlib.Path:
    """The unpacked form of an .xz file, made on first use.

    Safe beside other processes that unpack the same file: each writes a file of its own and the
    last rename wins, with equal content.
    """
    expected = checksums(packed.parent.parent).get(f"{packed.parent.name}/{packed.name}")
    if expected is None:
        raise errors.Unavailable(f"{packed} is not listed in SHA256SUMS")
    target = cache_root() / expected / packed.name.removesuffix(".xz")
    if target.exists():
        return target
    content = packed.read_bytes()
    if hashlib.sha256(content).hexdigest() != expected:
        raise errors.Unavailable(f"{packed} is damaged: its SHA-256 is not the one in SHA256SUMS")
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        lzma.open(packed) as unpacked,
        tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as out,
    ):
        shutil.copyfileobj(unpacked, out)
    draft = pathlib.Path(out.name)
    draft.chmod(0o755)
    draft.rename(target)
    return target


def checksums(folder: pathlib.Path) -> dict[str, str]:
    pairs = (line.split() for line in (folder / "SHA256SUMS").read_text().splitlines())
    return {name: digest for digest, name in pairs}
