"""Where the servers' executables and Argo's CRDs come from, and where the unpacked ones are kept.

In this order: the folder `$ALULA_E2E_BIN` (executables and `manifests`), `../shared/cluster` beside the repository
(`bin/NAME.xz` with `SHA256SUMS`, and `manifests`), what `make e2e-servers` has built, PATH. Unpacked and built files
live in a cache by their digests, so that every clone and every run of the machine shares them.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import pathlib
import shutil
import tempfile

from e2e.cluster import errors, processes
from e2e.servers import recipes

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
    combined = COMBINED.get(name, name)
    for candidate in (name, combined):
        found = _executable(candidate)
        if found is not None:
            return [found, name] if candidate != name else [found]
    raise errors.Unavailable(f"no `{name}` in {_places()} or PATH; {_remedy()}")


def manifests(name: str) -> pathlib.Path:
    """A folder of manifests, such as `argo-workflows`: the CRDs of the Argo that runs.

    Raises:
        Unavailable: it is nowhere to be found.
    """
    given = os.environ.get("ALULA_E2E_BIN")
    above = [pathlib.Path(given)] if given else []
    above += [SHARED, *(recipe.built(cache_root()) for recipe in recipes.RECIPES), cache_root() / "servers"]
    found = next((path for folder in above if (path := folder / "manifests" / name).is_dir()), None)
    if found is None:
        raise errors.Unavailable(f"no manifests/{name} in {_places()}; {_remedy()}")
    return found


def _executable(name: str) -> str | None:
    given = pathlib.Path(os.environ.get("ALULA_E2E_BIN") or "/nonexistent", name)
    if os.access(given, os.X_OK):
        return str(given)
    packed = SHARED / "bin" / f"{name}.xz"
    if packed.exists():
        return str(unpack(packed))
    for recipe in recipes.RECIPES:
        if name in recipe.packages and (built := recipe.built(cache_root()) / name).exists():
            return str(built)
    return shutil.which(name)


def _places() -> str:
    given = os.environ.get("ALULA_E2E_BIN")
    return f"{f'ALULA_E2E_BIN={given}' if given else '$ALULA_E2E_BIN'}, {SHARED}, {cache_root() / 'servers'}"


def _remedy() -> str:
    go = "" if shutil.which("go") else f", which needs Go {'.'.join(map(str, recipes.GO))}: there is no `go` on PATH"
    return f"`make e2e-servers` builds the servers{go}"


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
