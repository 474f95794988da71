"""Data that lies elsewhere: what a pod opens, and what it does not."""

from __future__ import annotations

import http.server
import socket
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

from alula_api.contract.references import Reference
from alula_data import content, errors, foreign
from alula_data.stores import memory

ADDRESSES = {
    "169.254.169.254": True,
    "fe80::1%eth0": True,
    "127.0.0.1": True,
    "::1": True,
    "0.0.0.0": True,
    "::ffff:169.254.169.254": True,
    "224.0.0.1": True,
    "10.1.2.3": False,
    "192.168.7.7": False,
    "93.184.216.34": False,
    "2606:2800:220:1::1": False,
}


@pytest.mark.parametrize(("address", "local"), ADDRESSES.items())
def test_addresses_that_only_the_node_reaches_are_told_apart(address: str, local: bool) -> None:
    assert foreign.is_local(address) is local


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/hostname",
        "FILE:///etc/hostname",
        "http://example.org/x.csv",
        "local:///etc/hostname",
        "memory://x/y",
        "sftp://host/x",
        "https://host/x::file:///etc/hostname",
        "https://169.254.169.254/latest/meta-data/iam",
        "https://[fe80::1]/x",
        "https://[::ffff:169.254.169.254]/x",
        "https://localhost/x",
    ],
)
def test_a_pod_opens_no_file_of_its_image_and_nothing_on_the_link(uri: str) -> None:
    with pytest.raises(errors.Denied):
        foreign.stream(uri, in_pod=True)


def test_a_name_that_leads_to_the_link_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        assert (host, port) == ("metadata.example", 443)
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("169.254.169.254", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(errors.Denied, match=r"169\.254\.169\.254"):
        foreign.check_in_pod("https://metadata.example/x")


@pytest.mark.parametrize("uri", ["s3://bucket/a/x.csv", "gs://bucket/x.csv", "az://container/x.csv"])
def test_object_stores_are_opened(uri: str) -> None:
    foreign.check_in_pod(uri)


class Redirecting(http.server.BaseHTTPRequestHandler):
    """On 127.0.0.1, it sends each request for `/away` to 127.0.0.2."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.server.server_address[0]!s}{self.path}")
        away = self.path == "/away"
        self.send_response(302 if away else 200)
        if away:
            self.send_header("Location", f"http://127.0.0.2:{self.server.server_address[1]}/there")
        self.send_header("Content-Length", "0" if away else "5")
        self.end_headers()
        if not away and self.command == "GET":
            self.wfile.write(b"found")

    do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        pass


def test_a_redirect_to_the_link_is_not_followed_in_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "is_local", lambda address: address == "127.0.0.2")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        port = server.server_address[1]
        inner = http.server.ThreadingHTTPServer(("127.0.0.2", port), Redirecting)
        for each in (server, inner):
            threading.Thread(target=each.serve_forever, daemon=True).start()
        Redirecting.asked.clear()
        store = foreign._guarded(f"http://127.0.0.1:{port}")
        assert b"".join(store.stream("here")) == b"found"
        with pytest.raises(errors.Denied, match=r"127\.0\.0\.2 is an address"):
            list(store.stream("away"))
        assert not [path for path in Redirecting.asked if path.startswith("127.0.0.2")]
        assert "127.0.0.1/away" in Redirecting.asked
        for each in (server, inner):
            each.shutdown()
        inner.server_close()


def test_a_laptop_opens_what_its_user_could_open_and_a_pod_does_not(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b")
    reference = Reference("file", "", 0, "mine.csv", "csv", uri=f"file://{tmp_path}/mine.csv", hash="etag")
    store = memory.MemoryStore()
    assert content.Content(store).fetch(reference).read_text() == "a,b"
    with pytest.raises(errors.Denied):
        content.Content(store, in_pod=True).fetch(reference)
