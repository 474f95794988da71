"""The digest of an image, asked of its registry: what a tag means at this moment.

Called by `alula register --pin`. Speaks the registry API (distribution v2) by the standard library: two requests, three
where the registry wants a token. Keys come from docker's own file and go to the registry or the token server that it
names alone; no redirect is followed, and no more is read than a manifest has.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import ssl
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alula import errors
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

SECONDS = 15.0
MAX_BYTES = 4 << 20
"""Of a manifest, as registries themselves bound it."""
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PATH = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?")
_DOCKER_HUB, _DOCKER_HUB_API = "docker.io", "registry-1.docker.io"
_LOCAL = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?")
"""Asked without TLS, as docker does."""


@dataclass(frozen=True)
class Reference:
    """An image as it is written: `registry.example.org/team/penguins:1.0`."""

    host: str
    path: str
    tag: str
    digest: str = ""

    @staticmethod
    def parse(text: str) -> Reference:
        """Read one.

        Raises:
            alula.errors.UserError: it is none.
        """
        rest, _, digest = text.partition("@")
        first, slash, below = rest.partition("/")
        is_host = bool(slash) and (first == "localhost" or any(mark in first for mark in ".:"))
        host, path = (first, below) if is_host else (_DOCKER_HUB, rest)
        path, _, tag = path.partition(":")
        if host == _DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        sound = _HOST.fullmatch(host) and _PATH.fullmatch(path) and _TAG.fullmatch(tag or "latest")
        if not sound or (digest and not _DIGEST.fullmatch(digest)):
            raise _problem(f"{text!r} is no image", "write it as registry.example.org/team/image:tag")
        return Reference(host, path, tag or "latest", digest)


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def pinned(image: str) -> str:
    """The image with the digest that its tag has now; one that has a digest stays as it is.

    Raises:
        alula.errors.UserError: the registry does not answer, refuses, or has no such image.
    """
    reference = Reference.parse(image)
    if reference.digest:
        return image
    digest = _digest(reference)
    name, _, tag = image.rpartition(":")
    return f"{name if name and '/' not in tag else image}@{digest}"


def _digest(reference: Reference) -> str:
    registry = _DOCKER_HUB_API if reference.host == _DOCKER_HUB else reference.host
    path = f"/v2/{reference.path}/manifests/{reference.tag}"
    headers = {"Accept": ACCEPT}
    answer = _ask(registry, path, headers)
    if answer.status == 401:
        headers["Authorization"] = _authorization(reference, answer.headers.get("WWW-Authenticate") or "")
        answer = _ask(registry, path, headers)
    shown = f"{reference.host}/{reference.path}:{reference.tag}"
    if answer.status == 404:
        raise _problem(f"{reference.host} has no image {shown}", "was it pushed?", Code.NOT_FOUND)
    if answer.status in (401, 403):
        raise _problem(f"{reference.host} lets you not read {shown}", f"docker login {reference.host}")
    if answer.status != 200:
        raise _problem(f"{reference.host} answers {answer.status} for {shown}")
    found = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    said = answer.headers.get("Docker-Content-Digest") or found
    if said != found:
        raise _problem(f"{reference.host} names {shown} by a digest that is not that of its manifest")
    return found


def _authorization(reference: Reference, challenge: str) -> str:
    """What a registry wants to see: a token of the server that it names, or the keys of docker's file."""
    keys = _keys(reference.host)
    scheme, _, rest = challenge.partition(" ")
    if scheme.lower() != "bearer":
        return f"Basic {keys}" if keys else ""
    told = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    url = urllib.parse.urlsplit(told.get("realm", ""))
    plain = url.scheme == "http" and _LOCAL.fullmatch(url.netloc)
    if not url.netloc or not (url.scheme == "https" or plain):
        raise _problem(f"{reference.host} names no server that gives tokens")
    query = {key: told[key] for key in ("service", "scope") if key in told}
    query.setdefault("scope", f"repository:{reference.path}:pull")
    asked = f"{url.path or '/'}?{urllib.parse.urlencode([*urllib.parse.parse_qsl(url.query), *query.items()])}"
    answer = _ask(url.netloc, asked, {"Authorization": f"Basic {keys}"} if keys else {})
    try:
        found = json.loads(answer.body) if answer.status == 200 else {}
    except ValueError:
        found = {}
    token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
    if not isinstance(token, str) or not token.isprintable():
        raise _problem(f"{url.netloc} gives no token for {reference.host}", f"docker login {reference.host}")
    return f"Bearer {token}"


def _keys(host: str) -> str:
    """User and password in the form of the header, as `docker login` wrote them; empty without."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser()
    try:
        found: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    auths = found.get("auths") if isinstance(found, dict) else None
    names = [host, f"https://{host}"] + (["https://index.docker.io/v1/"] if host == _DOCKER_HUB else [])
    for name in names:
        entry = auths.get(name) if isinstance(auths, dict) else None
        key = entry.get("auth") if isinstance(entry, dict) else None
        if isinstance(key, str) and _is_base64(key):
            return key
    return ""


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _ask(host: str, path: str, headers: dict[str, str]) -> _Answer:
    """One request; nothing else is followed."""
    name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    number = int(port) if port else None
    client: http.client.HTTPConnection
    if _LOCAL.fullmatch(host):
        client = http.client.HTTPConnection(name, number, timeout=SECONDS)
    else:
        client = http.client.HTTPSConnection(name, number, timeout=SECONDS, context=ssl.create_default_context())
    try:
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
        body = answer.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise _problem(f"{host} answers with more than {MAX_BYTES} bytes")
        return _Answer(answer.status, answer.headers, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        hint = "or give the digest: --image NAME@sha256:..."
        raise _problem(f"the registry {host} does not answer: {why}", hint) from None
    finally:
        client.close()


def _problem(message: str, hint: str = "", code: Code = Code.BAD_OPTION) -> errors.UserError:
    return errors.UserError([Diagnostic(code, message, hint=hint)])
