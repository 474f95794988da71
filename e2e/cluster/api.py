"""A small client of the Kubernetes API in the standard library, for the harness and its tests.

Objects are plain dicts. A kind is named by its `apiVersion` and `kind`, as in a manifest; where
the kind is served comes from the server's own discovery. One connection a thread, made on first
use in whatever network the thread is in then.
"""

from __future__ import annotations

import copy
import http.client
import json
import re
import select
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

Object = dict[str, Any]

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """The API server said no: `code` (HTTP), `reason` (for programs), `message` (for people)."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message


class Api:
    """One server as one user."""

    def __init__(self, host: str, port: int, authority: str, token: str) -> None:
        self._address = (host, port)
        self._tls = ssl.create_default_context(cafile=authority)
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._local = threading.local()
        self._open: set[http.client.HTTPSConnection] = set()
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}

    def acting_as(self, user: str, group: str = "") -> Api:
        """The same server, by the same connections, as another user with the rights of that user and of the group."""
        other = copy.copy(self)
        other._headers = {**self._headers, "Impersonate-User": user}
        if group:
            other._headers["Impersonate-Group"] = group
        return other

    # Raw requests

    def request(
        self,
        method: str,
        path: str,
        body: Object | bytes | None = None,
        content_type: str = "application/json",
        parameters: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; the reply's JSON, or its text where it is not JSON.

        Raises:
            ApiError: the server refused.
            OSError: it cannot be reached.
        """
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        content = body if isinstance(body, bytes | None) else encode(body)
        headers = {**self._headers, "Content-Type": content_type}
        try:
            response, text = self._exchange(method, path + query, content, headers)
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        return _reply(response, text)

    def _exchange(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        """One request and its reply, on a fresh connection where the server has closed the thread's."""
        sent = False
        try:
            connection = self._connection()
            connection.request(method, path, content, headers)
            sent = True
            response = connection.getresponse()
            return response, response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            # What was not sent whole did nothing; what was may have done what a second one does again.
            if isinstance(error, TimeoutError) or (sent and method == "POST"):
                raise
        try:
            connection = self._connection()
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response, response.read().decode()
        except (OSError, http.client.HTTPException):
            self._drop()
            raise

    def watch(self, path: str, timeout: float, parameters: Mapping[str, str]) -> Iterator[tuple[str, Object]]:
        """Events `(type, object)` of a list's path until the server ends the watch.

        A connection of its own, so other requests of the thread go on.
        """
        connection = self._connect(timeout)
        try:
            query = urllib.parse.urlencode({"watch": "1", **parameters})
            connection.request("GET", f"{path}?{query}", headers=self._headers)
            response = connection.getresponse()
            if response.status != 200:
                _reply(response, response.read().decode())
            while line := response.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status["code"], status.get("reason", ""), status["message"])
                yield event["type"], event["object"]
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    # Objects

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        found: Object = self.request("GET", self.path(api_version, kind, namespace, name))
        return found

    def list(self, api_version: str, kind: str, namespace: str | None = None, labels: str = "") -> list[Object]:
        """All objects of a kind, in one namespace or everywhere, that have the `labels` selector."""
        parameters = {"labelSelector": labels} if labels else {}
        path = self.path(api_version, kind, namespace)
        items: list[Object] = self.request("GET", path, parameters=parameters)["items"]
        return items

    def create(self, item: Object, namespace: str | None = None) -> Object:
        made: Object = self.request("POST", self._home(item, namespace), item)
        return made

    def apply(self, item: Object, namespace: str | None = None, manager: str = "e2e") -> Object:
        """Server-side apply, taking fields over from other managers."""
        path = f"{self._home(item, namespace)}/{item['metadata']['name']}"
        options = {"fieldManager": manager, "force": "true"}
        applied: Object = self.request("PATCH", path, item, APPLY, options)
        return applied

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        patch: Object,
        subresource: str = "",
    ) -> Object:
        """A JSON merge patch."""
        path = self.path(api_version, kind, namespace, name)
        path += f"/{subresource}" if subresource else ""
        patched: Object = self.request("PATCH", path, patch, MERGE)
        return patched

    def delete(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> None:
        """Deletes an object; one that is already gone is fine."""
        try:
            self.request("DELETE", self.path(api_version, kind, namespace, name))
        except ApiError as error:
            if error.code != 404:
                raise

    def path(self, api_version: str, kind: str, namespace: str | None = None, name: str | None = None) -> str:
        """Where the server keeps a kind, or one object of it."""
        plural, namespaced = self._resource(api_version, kind)
        parts = ["/api" if "/" not in api_version else "/apis", api_version]
        if namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [plural] + ([urllib.parse.quote(name)] if name else [])
        return "/".join(parts)

    def _home(self, item: Mapping[str, Any], namespace: str | None) -> str:
        """The path of the list that an object belongs into."""
        namespace = item["metadata"].get("namespace") or namespace or "default"
        return self.path(item["apiVersion"], item["kind"], namespace)

    def _resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        known = self._resources.get((api_version, kind))
        # A kind whose CRD was just applied takes a moment to appear in discovery.
        deadline = time.monotonic() + 10
        while known is None:
            prefix = "/api" if "/" not in api_version else "/apis"
            try:
                served = self.request("GET", f"{prefix}/{api_version}")["resources"]
            except ApiError as error:
                if error.code not in (404, 503):
                    raise
                served = []
            for resource in served:
                if "/" not in resource["name"]:
                    key = (api_version, resource["kind"])
                    self._resources[key] = (resource["name"], resource["namespaced"])
            known = self._resources.get((api_version, kind))
            if known is None:
                if time.monotonic() > deadline:
                    raise ApiError(404, "NotFound", f"the server has no {kind} in {api_version}")
                time.sleep(0.2)
        return known

    # Connections

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        host, port = self._address
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)

    def _connection(self) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is not None and _is_closed(connection):
            self._drop()
            connection = None
        if connection is None:
            connection = self._local.connection = self._connect(timeout=60)
            self._open.add(connection)
        return connection

    def _drop(self) -> None:
        self._open.discard(self._local.connection)
        self._local.connection.close()
        self._local.connection = None

    def close(self) -> None:
        """Closes the connections of all threads."""
        for connection in list(self._open):
            connection.close()


def encode(content: Object) -> bytes:
    """JSON that is YAML as well.

    The server reads an apply patch as YAML, which knows no pairs of surrogate escapes and allows
    few unescaped characters: what lies beyond 16 bits stands for itself, all else is escaped.
    """
    text = json.dumps(content, ensure_ascii=False)
    return re.sub(r"[\x7f-\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _is_closed(connection: http.client.HTTPSConnection) -> bool:
    """Whether the server closed it, as it does with idle ones: nothing else can be read before something is asked."""
    if connection.sock is None:
        return False
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return bool(waiting.poll(0))


def _reply(response: http.client.HTTPResponse, text: str) -> Any:
    is_json = (response.headers.get("Content-Type") or "").startswith("application/json")
    content = json.loads(text) if is_json and text else text
    if response.status < 400:
        return content
    if isinstance(content, dict):
        raise ApiError(response.status, content.get("reason", ""), content.get("message", text))
    raise ApiError(response.status, response.reason, text.strip())
