"""The harness's client of the API server makes of a request one request, also where the server closes what is idle."""

from __future__ import annotations

import http.server
import pathlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from e2e.cluster import api, certificates


class Server(http.server.ThreadingHTTPServer):
    """Counts what it was asked, and closes each connection after an answer that does not say so."""

    daemon_threads = True

    def __init__(self, pair: certificates.Certificates) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.server, pair.server_key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.asked: list[str] = []
        self.closed = threading.Semaphore(0)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        super().shutdown_request(request)
        self.closed.release()


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        self.close_connection = True
        if self.path == "/dies":
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[tuple[Server, api.Api]]:
    pair = certificates.make(tmp_path, ["127.0.0.1"], [])
    found = Server(pair)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    client = api.Api("127.0.0.1", found.server_address[1], str(pair.authority), "token")
    yield found, client
    client.close()
    found.shutdown()
    found.server_close()
    thread.join()


def test_what_is_created_after_the_server_closed_the_connection_is_created_once(server: tuple[Server, api.Api]) -> None:
    asked, client = server
    for number in range(3):
        client.request("POST", f"/{number}", {"n": number})
        assert asked.closed.acquire(timeout=10)
    assert asked.asked == ["/0", "/1", "/2"]


def test_what_may_have_been_created_is_not_asked_for_again(server: tuple[Server, api.Api]) -> None:
    asked, client = server
    with pytest.raises(OSError):
        client.request("POST", "/dies", {})
    assert asked.asked == ["/dies"]
