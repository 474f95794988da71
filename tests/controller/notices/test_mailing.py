"""Mail to real servers: what arrives, and what servers that do their worst cost."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from alula_controller.notices import facts, mailing
from alula_controller.notices.failures import NotTaken
from alula_controller.notices.hosts import Target
from alula_controller.notices.services.outgoing import Mail
from tests.controller.notices.servers import Serve, certificate, tcp
from tests.controller.notices.test_services import HOSTILE, made, said

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ERROR = "add failed:\r\nBcc: evil@acme.org\r\n.\r\nQUIT\r\n\u2028 \ud800 \U0001f427 \u00e9"


class Box:
    """Keeps what a server gets."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.got: list[Any] = []
        self.answer = answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append(envelope)
        return self.answer


def mail(port: int, *, plain: bool = True, user: str = "", password: str = "", tls: bool = False) -> Mail:
    found = made("email", said(error=facts.cleaned(ERROR)))
    assert isinstance(found, Mail)
    return Mail(Target("localhost", port, "smtp" if plain else ""), found.message, tls, user, password)


@contextlib.asynccontextmanager
async def served(box: Box, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    tls = options.pop("wrapped", None)
    server = await loop.create_server(lambda: SMTP(box, loop=loop, hostname="box", **options), "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def sent(box: Box, **how: Any) -> None:
    async with served(box, **how.pop("options", {})) as port:
        await mailing.send(
            mail(port, **{key: each for key, each in how.items() if key != "context"}), 5, how.get("context")
        )


def test_a_mail_arrives_whole_and_no_text_begins_a_header_or_ends_it() -> None:
    box = Box()
    asyncio.run(sent(box))
    (envelope,) = box.got
    assert envelope.mail_from == "alula@acme.org"
    assert envelope.rcpt_tos == ["data@acme.org", "ops@acme.org"]
    read = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert read["Bcc"] is None and read["Subject"] == "nightly failed in penguins/dev"
    body = read.get_content().replace("\r\n", "\n")
    assert "Bcc: evil@acme.org" in body and ".\nQUIT" in body and "\u00e9" in body


def test_a_hostile_text_is_in_the_body_alone() -> None:
    box = Box()

    async def go() -> None:
        async with served(box) as port:
            found = made("email", said(error=facts.cleaned(HOSTILE)))
            assert isinstance(found, Mail)
            await mailing.send(Mail(Target("localhost", port, "smtp"), found.message, False), 5)

    asyncio.run(go())
    read = email.message_from_bytes(box.got[0].content, policy=email.policy.default)
    assert read["Bcc"] is None and "evil.example" in read.get_content()


def test_the_connection_is_encrypted_before_the_password_travels(tmp_path: Path) -> None:
    server, seen = certificate(tmp_path), []
    context = ssl.create_default_context(cafile=str(tmp_path / "crt"))

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"word")

    box = Box()
    options = {"tls_context": server, "require_starttls": True, "authenticator": check, "auth_required": True}
    asyncio.run(sent(box, options=options, plain=False, user="alula", password="word", context=context))
    assert seen == [(b"alula", b"word")] and len(box.got) == 1
    asyncio.run(sent(box, options={"wrapped": server}, plain=False, tls=True, context=context))
    assert len(box.got) == 2


def test_a_password_that_is_refused_is_said_and_not_shown() -> None:
    def refuse(connection: socket.socket) -> None:
        file = connection.makefile("rwb")
        file.write(b"220 box\r\n")
        file.flush()
        for line in file:
            file.write(b"250-box\r\n250 AUTH PLAIN\r\n" if line.startswith(b"EHLO") else b"535 no, word is wrong\r\n")
            file.flush()

    with tcp(refuse) as port, pytest.raises(NotTaken) as caught:
        asyncio.run(mailing.send(mail(port, user="alula", password="word"), 5))
    assert caught.value.reason == "localhost refused the credential with 535" and caught.value.for_good


def test_a_server_without_encryption_gets_nothing_where_it_is_asked_for() -> None:
    box = Box()
    with pytest.raises(NotTaken):
        asyncio.run(sent(box, plain=False, user="alula", password="word"))
    assert box.got == []


def test_an_untrusted_certificate_ends_it(tmp_path: Path) -> None:
    box = Box()
    with pytest.raises(NotTaken):
        asyncio.run(sent(box, options={"tls_context": certificate(tmp_path)}, plain=False))
    assert box.got == []


@pytest.mark.parametrize(("answer", "for_good"), [("451 later", False), ("554 no", True)])
def test_a_refusal_says_whether_it_is_for_good(answer: str, for_good: bool) -> None:
    with pytest.raises(NotTaken, match=f"localhost answered {answer[:3]}") as caught:
        asyncio.run(sent(Box(answer)))
    assert caught.value.for_good == for_good


def hostile(serve: Serve, seconds: float) -> str:
    began = time.monotonic()
    with tcp(serve) as port, pytest.raises(NotTaken) as caught:
        asyncio.run(mailing.send(mail(port), seconds))
    assert time.monotonic() - began < seconds + 2
    return caught.value.reason


def test_a_server_that_never_greets_costs_the_timeout() -> None:
    assert "localhost" in hostile(lambda connection: time.sleep(2), 0.5)


def test_a_server_that_talks_without_end_is_left() -> None:
    def much(connection: socket.socket) -> None:
        for _ in range(1600):
            connection.sendall(b"220-" + b"x" * 65532)

    tracemalloc.start()
    assert "localhost" in hostile(much, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_server_that_greets_line_after_line_is_left() -> None:
    def lines(connection: socket.socket) -> None:
        for _ in range(200_000):
            connection.sendall(b"220-hello\r\n" * 50)

    tracemalloc.start()
    assert "localhost" in hostile(lines, 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20


def test_a_host_that_is_not_there_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotTaken, match="the connection to localhost failed"):
        asyncio.run(mailing.send(mail(port), 5))
