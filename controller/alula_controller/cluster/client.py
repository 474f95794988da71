"""The one door to the API server: raw paths, JSON dicts, small typed errors (`errors`). No other
module opens a connection to it.

Called by gatherers, appliers, watches and the Lease. It decides nothing and retries nothing: its callers sit in a
work queue that backs off, or in a loop of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from alula_api.contract import json_bounds
from alula_controller import metrics
from alula_controller.cluster import errors

FIELD_MANAGER = "alula-controller"  # never changed after a release: fields of the old name would be orphaned
PAGE = 500
MAX_ANSWER = 24 << 20  # bytes of one answer; an object has at most 1.5 MiB in etcd
MAX_REFUSAL = 1 << 20  # bytes of a `Status`
MAX_DEPTH = 200  # levels of arrays and objects in one
LARGEST_REQUEST = 1 << 20  # etcd refuses 1.5 MiB, Argo stops at 1 MiB; a request above it is a defect of ours
WATCH_SECONDS = 240
SILENCE_SECONDS = 70  # bookmarks come every 60 s: a watch that is silent for longer is dead
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

_ESCAPED = re.compile("[\x7f-\uffff]")

Object = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """A consistent list and the version to watch from."""

    items: tuple[Object, ...]
    version: str


class Credentials(Protocol):
    """Where the API server is and how to speak to it."""

    @property
    def url(self) -> str:
        """The server's address without a trailing slash."""

    def tls(self) -> ssl.SSLContext | None:
        """The context that verifies the server (and proves who we are, with a client certificate)."""

    async def header(self) -> str:
        """The value of `Authorization`, fresh; empty without a token."""


@dataclass
class Cluster:
    """The API server, through one connection pool."""

    credentials: Credentials
    in_flight: int = 32
    timeout: float = 30.0
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _gate: asyncio.Semaphore | None = field(default=None, init=False)

    async def get(self, path: str, *, metadata_only: bool = False) -> Object:
        """The object at `path`."""
        return await self._call("get", path, accept=METADATA if metadata_only else "application/json")

    async def find(self, path: str, *, metadata_only: bool = False) -> Object | None:
        """The object at `path`, or None if there is none."""
        try:
            return await self.get(path, metadata_only=metadata_only)
        except errors.NotFound:
            return None

    async def list(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, most: int | None = None
    ) -> Listing:
        """What fits the selectors under `path`, of one consistent snapshot; no more than `most`, if it is given."""
        items: list[Object] = []
        version = ""
        async for page in self.pages(path, labels=labels, fields=fields, metadata_only=metadata_only, most=most):
            items += page.items
            version = page.version
            if most is not None and len(items) >= most:
                break
        return Listing(tuple(items[:most]), version)

    async def pages(
        self, path: str, *, labels: str = "", fields: str = "", metadata_only: bool = False, most: int | None = None
    ) -> AsyncIterator[Listing]:
        """The same page by page, for callers that need little of each object. Pages whose objects are
        large have fewer; in metadata, what nests too deep is null."""
        accept = METADATA_LIST if metadata_only else "application/json"
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = {name: text for name, text in selectors.items() if text}
        size = min(PAGE, most or PAGE)
        while True:
            try:
                page = await self._call("list", path, query=query | {"limit": str(size)}, accept=accept)
            except errors.TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 8)
                continue
            metadata = page.get("metadata") or {}
            yield Listing(tuple(page.get("items") or ()), str(metadata.get("resourceVersion", "")))
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def any(self, path: str, *, labels: str) -> bool:
        """Whether there is anything under `path` that fits the label selector."""
        page = await self._call("list", path, query={"limit": "1", "labelSelector": labels}, accept=METADATA_LIST)
        return bool(page.get("items"))

    async def watch(
        self, path: str, *, since: str, labels: str = "", metadata_only: bool = True
    ) -> AsyncIterator[Object]:
        """Events under `path` after version `since` (bookmarks included), until the server closes the stream.

        Raises:
            Gone: `since` is too old.
            Unavailable: the stream broke or fell silent.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(WATCH_SECONDS),
        } | ({"labelSelector": labels} if labels else {})
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS)
        accept = METADATA if metadata_only else "application/json"
        async with self._open("watch", path, query=query, accept=accept, timeout=timeout) as response:
            async for line in response.content:
                if not line.strip():
                    continue
                event = decode(line, prune=metadata_only)
                if event.get("type") == "ERROR":
                    status = event.get("object") or {}
                    raise errors.of_status(int(status.get("code") or 500), status)
                yield event

    async def create(self, path: str, body: Object) -> Object:
        """Post `body`; `Conflict` if the name is taken."""
        return await self._call("create", path, body=body, query={"fieldManager": FIELD_MANAGER})

    async def replace(self, path: str, body: Object) -> Object:
        """Put `body`, which carries the resourceVersion that was read."""
        return await self._call("update", path, body=body, query={"fieldManager": FIELD_MANAGER})

    async def apply(self, path: str, body: Object) -> Object:
        """Server-side apply of exactly the fields in `body`, under our manager's name."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self._call("apply", path, body=body, query=query, content="application/apply-patch+yaml")

    async def merge(self, path: str, patch: Object) -> Object:
        """Merge patch; `metadata.resourceVersion` or `metadata.uid` in it are preconditions."""
        query = {"fieldManager": FIELD_MANAGER}
        return await self._call("patch", path, body=patch, query=query, content="application/merge-patch+json")

    async def delete(self, path: str, *, uid: str, orphan: bool = False) -> None:
        """Delete the object if it still has this uid; one that is gone already is fine."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Orphan" if orphan else "Background",
        }
        with contextlib.suppress(errors.NotFound):
            await self._call("delete", path, body=body)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(
        self,
        verb: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
        content: str = "application/json",
    ) -> Object:
        timeout = aiohttp.ClientTimeout(total=self.timeout, sock_connect=5)
        if self._gate is None:
            self._gate = asyncio.Semaphore(self.in_flight)
        async with (
            self._gate,
            self._open(verb, path, body=body, query=query, accept=accept, content=content, timeout=timeout) as response,
        ):
            return decode(await _body(response, MAX_ANSWER), prune=accept in (METADATA, METADATA_LIST))

    @contextlib.asynccontextmanager
    async def _open(
        self,
        verb: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
        content: str = "application/json",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        data = None if body is None else encode(body)
        if data is not None and len(data) > LARGEST_REQUEST:
            raise errors.Refused(f"{verb} {path}: {len(data)} bytes are more than {LARGEST_REQUEST}", "TooLarge")
        headers = {"Accept": accept, "User-Agent": FIELD_MANAGER}
        if data is not None:
            headers["Content-Type"] = content
        authorization = await self.credentials.header()
        if authorization:
            headers["Authorization"] = authorization
        method = {"create": "POST", "update": "PUT", "apply": "PATCH", "patch": "PATCH", "delete": "DELETE"}.get(
            verb, "GET"
        )
        try:
            async with self._pool().request(
                method, self.credentials.url + path, params=query, data=data, headers=headers, timeout=timeout
            ) as response:
                metrics.API_REQUESTS.labels(verb=verb, code=str(response.status)).inc()
                if response.status >= 400:
                    after = response.headers.get("Retry-After", "")
                    raise errors.of_status(response.status, await _status(response), f"{verb} {path}", after)
                yield response
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            metrics.API_REQUESTS.labels(verb=verb, code="none").inc()
            raise errors.Unavailable(f"{verb} {path}: {error or type(error).__name__}") from error

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls = self.credentials.tls()
            connector = aiohttp.TCPConnector(limit=0, ssl=tls if tls is not None else True)
            # Proxies of the environment are not for the API server; watch events may pass the default buffer.
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False, read_bufsize=1 << 21)
        return self._session


def encode(body: Object) -> bytes:
    """JSON that the server's YAML reader takes as well, for the body of an apply is read as YAML.

    That reader refuses surrogate pairs (so what lies beyond U+FFFF stays as it is) and raw controls such as U+0085 (so
    what lies below is escaped).
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def decode(text: bytes, *, prune: bool = False) -> Object:
    """An answer of the API server: it is counted before it is parsed.

    Args:
        text: its bytes.
        prune: put null in place of what nests too deep, where it is not needed (`managedFields` in metadata).

    Raises:
        errors.Poison: it nests too deep, or is no JSON object.
    """
    if json_bounds.nests_deeper(text, MAX_DEPTH):
        if not prune:
            raise errors.Poison(f"the object nests deeper than {MAX_DEPTH} levels")
        text = json_bounds.pruned(text, MAX_DEPTH)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.Poison(f"the answer cannot be read: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise errors.Poison("the answer is no JSON object")
    return found


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The bytes of an answer, as long as they are not too many."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise errors.TooLarge(f"the answer has more than {most} bytes")
    return b"".join(chunks)


async def _status(response: aiohttp.ClientResponse) -> Object:
    """The `Status` object in a refusal, or as much of its text as tells what was wrong."""
    text = b""
    try:
        text = await _body(response, MAX_REFUSAL)
        return decode(text)
    except errors.Poison:
        return {"message": text[:4096].decode("utf-8", "replace").strip()[:500]}


@dataclass
class _Configured:
    """Credentials out of the `kubernetes` package's configuration, which knows kubeconfigs, exec plugins and
    rotation."""

    configuration: Any

    @property
    def url(self) -> str:
        return str(self.configuration.host).rstrip("/")

    def tls(self) -> ssl.SSLContext | None:
        given = self.configuration
        if not self.url.startswith("https:"):
            return None
        context = ssl.create_default_context(cafile=given.ssl_ca_cert or None)
        if not given.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if given.cert_file:
            context.load_cert_chain(given.cert_file, keyfile=given.key_file)
        return context

    async def header(self) -> str:
        value = await self.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return value or ""


async def log_in() -> Credentials:
    """The credentials of the pod we run in, else those of the kubeconfig ($KUBECONFIG, ~/.kube/config)."""
    from kubernetes.aio import client, config

    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        await config.load_kube_config(client_configuration=configuration)
    return _Configured(configuration)
