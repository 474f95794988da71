"""The digest of an image, asked of a registry: one that is open, one that wants tokens, and many that are odd."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alula import errors
from alula.remote import image_registry
from alula.remote.image_registry import Reference, pinned

MANIFEST = b'{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
OTHER = f"sha256:{'1' * 64}"
KEY = base64.b64encode(b"ada:secret").decode()

Answer = tuple[int, dict[str, str], bytes]
Registry = Callable[[str, dict[str, str]], Answer]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Registry], str]]:
    """Starts a server that answers as a function says; returns its host."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    servers = []

    def start(registry: Registry) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = registry(self.path, dict(self.headers))
                self.send_response(status)
                for name, text in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("penguins", Reference("docker.io", "library/penguins", "latest")),
        ("acme/penguins:1.0", Reference("docker.io", "acme/penguins", "1.0")),
        ("ghcr.io/acme/penguins", Reference("ghcr.io", "acme/penguins", "latest")),
        ("localhost/penguins:2", Reference("localhost", "penguins", "2")),
        ("127.0.0.1:5000/a/b:x_1", Reference("127.0.0.1:5000", "a/b", "x_1")),
        ("[::1]:5000/a", Reference("[::1]:5000", "a", "latest")),
        (f"ghcr.io/a/b@{OTHER}", Reference("ghcr.io", "a/b", "latest", OTHER)),
    ],
)
def test_an_image_is_read_as_docker_reads_it(text: str, reference: Reference) -> None:
    assert Reference.parse(text) == reference


@pytest.mark.parametrize(
    "text",
    ["", ":", "A/b", "x/../y", "ghcr.io/a b", "ghcr.io/a\r\nHost: x", "a@sha256:1", "http://ghcr.io/a", "a/b:c/d",
     "a:é", "evil.org:80?x/a", "a#b/c", "ghcr.io/é"],
)  # fmt: skip
def test_what_is_no_image_is_refused_before_anybody_is_asked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_registry, "_ask", lambda *_: pytest.fail("a registry was asked"))
    with pytest.raises(errors.UserError, match="is no image"):
        pinned(text)


def test_a_tag_is_replaced_by_the_digest_of_its_manifest(serve: Callable[[Registry], str]) -> None:
    asked = []

    def registry(path: str, headers: dict[str, str]) -> Answer:
        asked.append((path, "manifest.list" in headers["Accept"]))
        return 200, {"Docker-Content-Digest": DIGEST}, MANIFEST

    host = serve(registry)
    assert pinned(f"{host}/team/penguins:1.0") == f"{host}/team/penguins@{DIGEST}"
    assert pinned(f"{host}/team/penguins") == f"{host}/team/penguins@{DIGEST}"
    assert asked == [("/v2/team/penguins/manifests/1.0", True), ("/v2/team/penguins/manifests/latest", True)]
    assert pinned(f"{host}/x@{OTHER}") == f"{host}/x@{OTHER}", "it has one already"
    assert len(asked) == 2


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_token_is_asked_of_the_server_that_the_registry_names(
    serve: Callable[[Registry], str], tmp_path: Path, *, logged_in: bool
) -> None:
    tokens: list[tuple[str, str]] = []

    def token_server(path: str, headers: dict[str, str]) -> Answer:
        tokens.append((path, headers.get("Authorization", "")))
        return 200, {}, json.dumps({"token": "t0ken"}).encode()

    realm = serve(token_server)

    def registry(path: str, headers: dict[str, str]) -> Answer:
        if headers.get("Authorization") == "Bearer t0ken":
            return 200, {}, MANIFEST
        assert "Authorization" not in headers
        challenge = f'Bearer realm="http://{realm}/token",service="reg",scope="repository:a/b:pull"'
        return 401, {"WWW-Authenticate": challenge}, b""

    host = serve(registry)
    if logged_in:
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": KEY}}}))
    assert pinned(f"{host}/a/b:1") == f"{host}/a/b@{DIGEST}"
    query = "/token?service=reg&scope=repository%3Aa%2Fb%3Apull"
    assert tokens == [(query, f"Basic {KEY}" if logged_in else "")]


def test_a_registry_with_a_password_gets_the_key_of_its_own_name_alone(
    serve: Callable[[Registry], str], tmp_path: Path
) -> None:
    def registry(path: str, headers: dict[str, str]) -> Answer:
        if headers.get("Authorization") == f"Basic {KEY}":
            return 200, {}, MANIFEST
        return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""

    host = serve(registry)
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"ghcr.io": {"auth": KEY}}}))
    with pytest.raises(errors.UserError, match="lets you not read") as caught:
        pinned(f"{host}/a:1")
    assert "secret" not in str(caught.value)
    assert KEY not in str(caught.value)
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": KEY}}}))
    assert pinned(f"{host}/a:1") == f"{host}/a@{DIGEST}"


ODD: dict[str, tuple[Answer, str]] = {
    "nothing there": ((404, {}, b"{}"), "has no image"),
    "no right": ((403, {}, b"{}"), "lets you not read"),
    "broken": ((500, {}, b""), "answers 500"),
    "elsewhere": ((307, {"Location": "http://evil.example.org/"}, b""), "answers 307"),
    "another digest": ((200, {"Docker-Content-Digest": OTHER}, MANIFEST), "a digest that is not that of its manifest"),
    "endless": ((200, {}, b"x" * (image_registry.MAX_BYTES + 1)), "answers with more than"),
    "no token server": (
        (401, {"WWW-Authenticate": 'Bearer realm="ftp://x/"'}, b""),
        "names no server that gives tokens",
    ),
    "a token server without tls": (
        (401, {"WWW-Authenticate": 'Bearer realm="http://evil.example.org/"'}, b""),
        "names no server that gives tokens",
    ),
}


@pytest.mark.parametrize("answer", ODD)
def test_a_registry_that_does_not_say_it_is_named_with_why(serve: Callable[[Registry], str], answer: str) -> None:
    given, expected = ODD[answer]
    host = serve(lambda path, headers: given)
    with pytest.raises(errors.UserError, match=expected):
        pinned(f"{host}/a:1")


def test_a_registry_that_is_not_there_is_named() -> None:
    with pytest.raises(errors.UserError, match=r"the registry 127\.0\.0\.1:1 does not answer"):
        pinned("127.0.0.1:1/a:1")
