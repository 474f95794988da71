"""Container images without a registry: tiny ones written here, real ones built by buildah.

Building happens outside the cluster's network, because it may need the package index; the result is
an archive that `e2e.cluster.nodes` imports into containerd.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping

from e2e.cluster import argo, binaries, errors, processes

BUSYBOX = "localhost/busybox:e2e"
PYTHON = "docker.io/library/python:3.11-slim-bookworm"

_CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
KEPT = "dependencies"
"""The stage of a Dockerfile that is kept: what is large, and seldom changes."""
_DEPENDENCIES = re.compile(rf"^FROM .* AS {KEPT}$", re.MULTILINE | re.IGNORECASE)
_APPLETS = ("sh", "sleep", "cat", "echo", "ls", "true", "false", "wget", "id", "test", "touch")


def busybox(folder: pathlib.Path) -> pathlib.Path:
    """An archive of `BUSYBOX`: a shell for tests, and the program that holds a pod's sandbox."""
    program = shutil.which("busybox")
    if program is None:
        raise errors.Unavailable("no `busybox` on PATH (run e2e/setup)")
    layer = [_file("bin/busybox", pathlib.Path(program).read_bytes(), 0o755), _folder("tmp")]
    layer += [_link(f"bin/{applet}", "busybox") for applet in _APPLETS]
    # As the first process of a sandbox it only has to stay.
    return write(folder / "busybox.tar", BUSYBOX, layer, ["/bin/sleep", "1000000000"])


def argoexec(folder: pathlib.Path) -> pathlib.Path:
    """An archive of Argo's executor image, made from its binary."""
    program = pathlib.Path(binaries.find("argoexec")[0])
    layer = [
        _file("bin/argoexec", program.read_bytes(), 0o755),
        _file("etc/mime.types", b""),
        _file("etc/ssh/ssh_known_hosts", b""),
        _folder("tmp"),
    ]
    if _CERTIFICATES.exists():
        layer.append(_file(str(_CERTIFICATES).lstrip("/"), _CERTIFICATES.read_bytes()))
    return write(folder / "argoexec.tar", argo.EXECUTOR_IMAGE, layer, ["argoexec"])


Entry = tuple[tarfile.TarInfo, bytes]


def write(path: pathlib.Path, reference: str, layer: Iterable[Entry], entrypoint: list[str]) -> pathlib.Path:
    """Writes an image of one layer as an archive that containerd imports under `reference`."""
    content = _tar(layer)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": entrypoint, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
    members = [
        _file("config.json", json.dumps(config).encode()),
        _file("layer.tar", content),
        _file("manifest.json", json.dumps(manifest).encode()),
    ]
    path.write_bytes(_tar(members))
    return path


def build(
    folder: pathlib.Path,
    context: str | os.PathLike[str],
    reference: str,
    dockerfile: str | os.PathLike[str] | None = None,
    arguments: Mapping[str, str] | None = None,
) -> pathlib.Path:
    """Builds a Dockerfile and returns an archive of the image, named `reference`.

    The base image `PYTHON` is at hand. The build runs in a mount namespace of its own, so an
    interrupted one leaves no mounts behind. Only what a Dockerfile has in a stage named `dependencies`
    is kept for the next build, which repeats it where a file that it copies or a line has changed.

    Raises:
        Unavailable: there is no buildah.
        ClusterError: the build failed; the message ends with its output.
    """
    pull_base(folder)
    options = [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
    if dockerfile is not None:
        options.append(f"--file={os.fspath(dockerfile)}")
    if _CERTIFICATES.exists():
        # A machine's own certificates must be known to pip inside the build as well.
        options.append("--volume=/etc/ssl/certs:/etc/ssl/certs:ro")
    how = ("--pull-never", "--isolation=chroot")
    # All runs on the machine share the builder's storage: each builds under a name of its own.
    built = f"localhost/e2e:{secrets.token_hex(8)}"
    text = pathlib.Path(dockerfile or pathlib.Path(context) / "Dockerfile").read_text()
    digest = hashlib.sha256(reference.encode()).hexdigest()[:12]
    if _DEPENDENCIES.search(text):
        kept = f"localhost/e2e-kept:{digest}"
        _keep(folder, kept, *how, *options, f"--target={KEPT}", os.fspath(context))
        options.append(f"--build-context={KEPT}=docker-image://{kept}")
    _buildah(folder, "bud", *how, *options, f"--tag={built}", os.fspath(context))
    archive = folder / f"{digest}.tar"
    archive.unlink(missing_ok=True)
    _buildah(folder, "push", "--quiet", built, f"docker-archive:{archive}:{reference}")
    _buildah(folder, "rmi", "--force", built)
    return archive


def _keep(folder: pathlib.Path, name: str, *building: str) -> None:
    """Builds an image that stays with its layers, of which only those are built that differ from the last time."""
    asked = ("images", "--quiet", "--no-trunc", f"--filter=reference={name}")
    before = _buildah(folder, *asked)
    _buildah(folder, "bud", "--layers", f"--tag={name}", *building)
    if before and before != _buildah(folder, *asked):
        with contextlib.suppress(errors.ClusterError):  # another build may have begun on it
            _buildah(folder, "rmi", before.strip())


def pull_base(folder: pathlib.Path) -> None:
    """Puts the base image `PYTHON` at hand: from `../shared/cluster`, else from its registry.

    Raises:
        Unavailable: it is in neither, or there is no buildah.
    """
    known = _buildah(folder, "images", "--format={{.Name}}:{{.Tag}}", "--filter=dangling=false")
    if PYTHON not in known.split():
        _pull(folder)
    history = _buildah(folder, "inspect", "--type=image", "--format={{len .OCIv1.History}}", PYTHON)
    if history.strip() == "0":  # as of an image that was packed in one; on such a one no layers can be kept
        container = _buildah(folder, "from", "--pull-never", PYTHON).strip()
        _buildah(folder, "commit", "--quiet", "--squash", "--rm", container, PYTHON)


def _pull(folder: pathlib.Path) -> None:
    packed = binaries.SHARED / "images" / "python-slim.tar.xz"
    source = f"oci-archive:{binaries.unpack(packed)}" if packed.exists() else f"docker://{PYTHON}"
    try:
        _buildah(folder, "pull", "--quiet", source)
    except errors.ClusterError as error:
        reason = str(error).splitlines()[-1]
        raise errors.Unavailable(f"no base image {PYTHON}: {packed} is missing, and its registry: {reason}") from error


def _buildah(folder: pathlib.Path, *arguments: str) -> str:
    if shutil.which("buildah") is None:
        raise errors.Unavailable("no `buildah` on PATH (run e2e/setup)")
    storage = ["--root", str(binaries.cache_root() / "buildah"), "--storage-driver=overlay"]
    command = [
        *("unshare", "--mount", "--propagation", "private", "--"),
        *("buildah", *storage, "--runroot", str(folder / "buildah"), *arguments),
    ]
    with processes.outside():
        done = subprocess.run(command, capture_output=True, text=True, env=processes.MACHINE)
    if done.returncode != 0:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise errors.ClusterError(f"buildah {arguments[0]} failed:\n{output}")
    return done.stdout


def _file(name: str, content: bytes, mode: int = 0o644) -> Entry:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    return info, content


def _folder(name: str) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o1777
    return info, b""


def _link(name: str, target: str) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info, b""


def _tar(entries: Iterable[Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()
