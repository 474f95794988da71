"""Requests to real servers that do their worst: each ends in time, in words, and without taking anything in."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
import tracemalloc
from pathlib import Path

import pytest
from yarl import URL

from alula_controller.notices.failures import NotTaken
from alula_controller.notices.hosts import Target
from alula_controller.notices.posting import Poster
from alula_controller.notices.services.outgoing import Request
from tests.controller.notices.servers import Serve, certificate, tcp

SECRET = "/services/T0/secret"


def request(port: int, host: str = "localhost", scheme: str = "http") -> Request:
    plain = "http" if scheme == "http" else ""
    url = URL(f"{scheme}://{host}:{port}{SECRET}")
    return Request(Target(host, port, plain), url, {"Idempotency-Key": "k", "Content-Type": "application/json"}, b"{}")


def http(serve: Serve) -> Serve:
    """A server that has read the head of a request."""

    def once(connection: socket.socket) -> None:
        found = b""
        while b"\r\n\r\n" not in found:
            found += connection.recv(4096)
        serve(connection)

    return once


def answering(text: bytes) -> Serve:
    return http(lambda connection: connection.sendall(text))


def post(port: int, seconds: float = 5.0, tls: ssl.SSLContext | None = None, **how: str) -> None:
    async def go() -> None:
        poster = Poster(seconds, tls)
        try:
            await poster.post(request(port, **how))
        finally:
            await poster.close()

    asyncio.run(go())


def posted(serve: Serve, seconds: float = 5.0) -> None:
    with tcp(serve) as port:
        post(port, seconds)


def refusal(serve: Serve, seconds: float = 5.0) -> NotTaken:
    with pytest.raises(NotTaken) as caught:
        posted(serve, seconds)
    assert SECRET not in str(caught.value) and "secret" not in repr(caught.value.__cause__)
    return caught.value


@pytest.mark.parametrize("status", [b"200 OK", b"201 Created", b"202 Accepted", b"204 No Content"])
def test_a_server_that_says_2xx_has_taken_it(status: bytes) -> None:
    posted(answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"))


@pytest.mark.parametrize(
    ("status", "for_good", "after"),
    [
        (b"400 Bad Request", True, 0),
        (b"404 Not Found", True, 0),
        (b"429 Too Many\r\nRetry-After: 30", False, 30),
        (b"503 Unavailable\r\nRetry-After: 99999999", False, 3600),
        (b"500 Error\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT", False, 0),
        (b"408 Timeout", False, 0),
        (b"599 What", False, 0),
    ],
)
def test_a_refusal_says_whether_it_is_for_good(status: bytes, for_good: bool, after: float) -> None:
    error = refusal(answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"))
    assert error.reason == f"localhost answered {status[:3].decode()}"
    assert (error.for_good, error.after) == (for_good, after)


def test_a_redirect_is_not_followed() -> None:
    asked: list[None] = []
    with tcp(lambda connection: asked.append(None)) as other:
        text = f"HTTP/1.1 307 Go\r\nLocation: http://localhost:{other}/x\r\nContent-Length: 0\r\n\r\n"
        error = refusal(answering(text.encode()))
    assert error.reason == "localhost answered 307, and redirects are not followed" and error.for_good
    assert asked == []


def test_a_server_that_never_answers_costs_the_timeout() -> None:
    began = time.monotonic()
    assert refusal(http(lambda connection: time.sleep(2)), 0.5).reason == "localhost did not answer within 0.5 s"
    assert time.monotonic() - began < 2


def test_a_server_that_drips_costs_the_timeout() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n")
        for _ in range(100):
            connection.sendall(b"X: y\r\n")
            time.sleep(0.05)

    assert refusal(http(drip), 0.5).reason == "localhost did not answer within 0.5 s"


@pytest.mark.parametrize("encoding", [b"", b"Content-Encoding: gzip\r\n"])
def test_an_answer_of_100_mb_is_taken_for_what_its_status_says_and_not_read(encoding: bytes) -> None:
    sent = 0

    def much(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + encoding + b"Content-Length: 104857600\r\n\r\n")
        for _ in range(1600):
            connection.sendall(b"x" * 65536)
            sent += 65536

    tracemalloc.start()
    posted(http(much))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20 and sent < 50 << 20


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not http\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
        b"HTTP/1.1 99999 OK\r\n\r\n",
    ],
)
def test_an_answer_that_is_none_is_a_broken_connection(text: bytes) -> None:
    assert refusal(answering(text)).reason.startswith("the connection to localhost broke")


def test_a_host_that_is_not_there_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for host in ("localhost", "nowhere.invalid"):
        with pytest.raises(NotTaken, match=f"{host} cannot be reached"):
            post(port, host=host)


def test_an_untrusted_certificate_ends_it_and_one_of_a_trusted_ca_does_not(tmp_path: Path) -> None:
    ok = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with tcp(ok, certificate(tmp_path)) as port:
        with pytest.raises(NotTaken, match="the certificate of localhost is not one that is trusted"):
            post(port, scheme="https")
        post(port, tls=ssl.create_default_context(cafile=str(tmp_path / "crt")), scheme="https")
