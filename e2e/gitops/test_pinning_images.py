"""`alula register --pin` against a real registry: what a tag means when it is registered is what is registered."""

from __future__ import annotations

import hashlib
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

CONFIG = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: '127.0.0.1:{port}'}}
log: {{level: error}}
"""
FLOW = """\
from alula import task, workflow

@task
def a() -> int:
    return 1

@workflow
def w() -> int:
    return a()
"""
TYPE = "application/vnd.docker.distribution.manifest.v2+json"
IMAGE = "application/vnd.docker.container.image.v1+json"


def ask(
    host: str, method: str, path: str, body: bytes = b"", kind: str = "application/octet-stream"
) -> tuple[int, str]:
    """One request; the status, and where the answer leads."""
    client = http.client.HTTPConnection(host, timeout=10)
    try:
        client.request(method, path, body, {"Content-Type": kind})
        answer = client.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location") or ""
    finally:
        client.close()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host of Debian's docker-registry."""
    binary = shutil.which("docker-registry")
    if binary is None:
        pytest.skip("no `docker-registry` on PATH; `make e2e-setup` installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("registry")
    (folder / "config.yml").write_text(CONFIG.format(folder=folder / "data", port=port))
    server = subprocess.Popen([binary, "serve", str(folder / "config.yml")], stderr=subprocess.DEVNULL)
    host = f"127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                assert ask(host, "GET", "/v2/")[0] == 200
                break
            except OSError:
                assert time.monotonic() < deadline, "the registry does not answer"
                time.sleep(0.1)
        yield host
    finally:
        server.terminate()
        server.wait(10)


def push(host: str, name: str, tag: str, content: bytes) -> str:
    """Push an image with one layer as `docker push` does; returns its digest."""
    parts = []
    for data in (b"{}", content):
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        status, location = ask(host, "POST", f"/v2/{name}/blobs/uploads/")
        assert status == 202
        path = location.partition(host)[2]
        assert ask(host, "PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", data)[0] == 201
        parts.append({"mediaType": IMAGE, "size": len(data), "digest": digest})
    layer = {**parts[1], "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": TYPE, "config": parts[0], "layers": [layer]}).encode()
    assert ask(host, "PUT", f"/v2/{name}/manifests/{tag}", manifest, TYPE)[0] == 201
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def register(folder: pathlib.Path, image: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "alula", "register", "--repo", "gitops", "--pin", "--image", image, "flow.py"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def test_what_is_registered_is_what_the_tag_meant_then(registry: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "pyproject.toml").write_text("[tool.alula]\nproject = 'pinned'\nsource = 'pinned'\n")
    found = []
    for content in (b"first", b"second"):
        digest = push(registry, "team/pinned", "1.0", content)
        done = register(tmp_path, f"{registry}/team/pinned:1.0")
        assert done.returncode == 0, done.stderr
        assert f"image {registry}/team/pinned@{digest}\n" in done.stderr
        text = (tmp_path / "gitops/pinned/dev/release/pinned/kustomization.yaml").read_text()
        assert f"{registry}/team/pinned@{digest}" in text
        found.append(digest)
    assert found[0] != found[1]


def test_a_tag_that_was_never_pushed_is_refused_and_nothing_is_written(registry: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    done = register(tmp_path, f"{registry}/team/pinned:2.0")
    assert (done.returncode, (tmp_path / "gitops").exists()) == (1, False)
    assert f"error NOT_FOUND: {registry} has no image {registry}/team/pinned:2.0" in done.stderr
