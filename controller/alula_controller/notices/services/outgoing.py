"""What leaves: a request over HTTP, or a mail. And why one cannot be made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from yarl import URL

from alula_controller.notices.hosts import Target

_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Request:
    """A POST. Its address may hold a credential, so it is printed nowhere."""

    target: Target
    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, and who sends it."""

    target: Target
    message: EmailMessage
    tls: bool
    """Encrypted from the beginning, rather than by STARTTLS."""
    user: str = ""
    password: str = field(default="", repr=False)


class Unfit(Exception):
    """Nothing can be sent to the place as things stand; says why, without anything secret."""


def encoded(body: Any) -> bytes:
    """JSON in ASCII alone."""
    return json.dumps(body, separators=(",", ":")).encode()


def posted(target: Target, url: URL, body: bytes, key: str, **more: str) -> Request:
    """A POST of JSON, with the key of the notice."""
    headers = {"Content-Type": "application/json", "User-Agent": "alula", "Idempotency-Key": key, **more}
    return Request(target, url, headers, body)


def https(authority: str) -> Target:
    """Where an encrypted request to a host goes, which may name its port.

    Raises:
        Unfit: There is no such port.
    """
    host, _, port = authority.partition(":")
    if port and not 1 <= int(port) <= 65535:
        raise Unfit(f"{authority} names no port from 1 to 65535")
    return Target(host, int(port) if port else _HTTPS_PORT)


def built(target: Target, path: str) -> URL:
    """The address of a path there."""
    return URL.build(scheme="https", host=target.host, port=target.port, path=path)


def secret_url(credential: str, target: Target) -> URL:
    """The address of a webhook whose address is its credential.

    Raises:
        Unfit: It is none, or of another host than the Domain says.
    """
    if not credential:
        raise Unfit("there is no credential for it")
    try:
        # As it stands: one that is signed means something else when it is written in another way.
        url = URL(credential, encoded=True)
        port = url.port
    except ValueError:
        raise Unfit("its credential is not a URL") from None
    plain = credential.isascii() and credential.isprintable() and " " not in credential
    if not plain or url.scheme != "https" or not url.host or url.user or url.password:
        raise Unfit("its credential must be a URL that begins with https://")
    if (url.host, port) != (target.host, target.port):
        shown = target.host if target.port == _HTTPS_PORT else str(target)
        raise Unfit(f"its credential is a URL of another host than {shown}")
    return url
