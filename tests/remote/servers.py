"""A tiny API server in this process: answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import collections
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = "penguins-dev"
OURS = f"/apis/alula.dev/v1alpha1/namespaces/{NAMESPACE}"
ARGO = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}"


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """A status with an object, or with bytes as they are; 0 hangs up without an answer, -1 never answers."""

    body: Any = None
    status: int = 200


def refused(status: int, message: str) -> Answer:
    """As the API server words it."""
    return Answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message}, status)


GONE = Answer(status=0)
SILENT = Answer(status=-1)


@dataclass
class Server:
    """The answers of each method and path: one after another, the last for ever."""

    host: str = ""
    answers: dict[tuple[str, str], collections.deque[Answer]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    accepts: Callable[[str], bool] = lambda authorization: True
    over: threading.Event = field(default_factory=threading.Event)

    def on(self, method: str, path: str, *answers: Any) -> None:
        """Answer `method path` so; what is no Answer is an object."""
        wrapped = [each if isinstance(each, Answer) else Answer(each) for each in answers]
        self.answers[method, path] = collections.deque(wrapped)

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests that came so far."""
        return [each for each in self.requests if (each.method, each.path) == (method, path)]

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if not self.accepts(request.headers.get("authorization", "")):
            return refused(401, "Unauthorized")
        found = self.answers.get((request.method, request.path))
        if found is None:
            return refused(404, "the server could not find the requested resource")
        return found.popleft() if len(found) > 1 else found[0]


def serve(server: Server, context: ssl.SSLContext | None = None) -> http.server.ThreadingHTTPServer:
    """Start to answer in a thread; `shutdown` and `server_close` end it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server.answer(Request(self.command, self.path, headers, body))
            if answer.status < 0:
                server.over.wait(60)
            if answer.status <= 0:
                self.close_connection = True
                return
            data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    if context is not None:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    scheme = "http" if context is None else "https"
    server.host = f"{scheme}://127.0.0.1:{listening.server_address[1]}"
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return listening


def kubeconfig(
    path: Path, server: str, user: Mapping[str, Any] | None = None, cluster: Mapping[str, Any] | None = None
) -> Path:
    """Write one with a context `here`."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "ada", "user": {**(user or {})}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "ada"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path
