"""What the API server asks of a node about process pods: logs, and the signals that Argo sends.

An HTTPS server inside `e2e.cluster.pods.runner` that answers `kubectl logs`, and of `exec` only what
Argo uses to stop a step: `argoexec kill <signal> 1`. For exec the API server speaks SPDY/3.1; here
is as much of it as one command without input needs.
"""

from __future__ import annotations

import http.server
import json
import pathlib
import ssl
import struct
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Protocol

PORT = 10250

_SYN_STREAM, _SYN_REPLY, _PING, _GOAWAY = 1, 2, 6, 7
_FIN = 0x01


class Pod(Protocol):
    """As much of a pod as is asked for here."""

    def output(self) -> bytes:
        """What its main container has printed."""

    def signal(self, code: int) -> None:
        """Signals its main container."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be printed."""


Find = Callable[[str, str], Pod | None]


def start(find: Find, address: str, certificate: str, key: str) -> None:
    """Serves until the program ends; `find` looks a pod up by namespace and name."""
    handler = type("Handler", (_Handler,), {"find": staticmethod(find)})
    server = http.server.ThreadingHTTPServer((address, PORT), handler)
    server.daemon_threads = True
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    find: Find

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line each."""

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(address.query)
        parts = pathlib.PurePosixPath(address.path).parts
        pod = type(self).find(parts[2], parts[3]) if len(parts) == 5 else None
        if pod is None:
            self.send_error(404, "no such pod")
        elif parts[1] == "containerLogs":
            self._logs(pod if parts[4] == "main" else None, query)
        elif parts[1] == "exec":
            self._execute(pod if parts[4] == "main" else None, query)
        else:
            self.send_error(404, "process pods have logs and signals only")

    do_POST = do_GET

    def _logs(self, pod: Pod | None, query: dict[str, list[str]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        self.end_headers()
        start = 0
        if pod is not None and "tailLines" in query:
            text = pod.output()
            start = len(text) - len(b"".join(text.splitlines(keepends=True)[-int(query["tailLines"][0]) :]))
        while pod is not None:
            is_over = pod.is_over
            text = pod.output()
            self.wfile.write(text[start:])
            start = len(text)
            if is_over or query.get("follow") != ["true"]:
                break
            time.sleep(0.2)
        self.close_connection = True

    def _execute(self, pod: Pod | None, query: dict[str, list[str]]) -> None:
        command = query.get("command", [])
        streams = 1 + sum(1 for name in ("input", "output", "error") if query.get(name, ["0"])[0] in ("1", "true"))
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "SPDY/3.1")
        self.send_header("X-Stream-Protocol-Version", "v4.channel.k8s.io")
        self.end_headers()
        self.close_connection = True
        opened = self._accept(streams)
        status: dict[str, object] = {"metadata": {}, "status": "Success"}
        if len(command) == 4 and command[0].endswith("argoexec") and command[1] == "kill":
            if pod is not None:  # Argo's own containers have nothing to signal.
                pod.signal(int(command[2]))
        else:
            message = f"process pods cannot run {command}"
            status = {"metadata": {}, "status": "Failure", "message": message, "code": 500}
        for stream in opened[1:]:
            self._send_data(stream, b"")
        self._send_data(opened[0], json.dumps(status).encode())
        self._linger()

    # SPDY: the first stream opened carries the outcome.

    def _accept(self, count: int) -> list[int]:
        """Waits until `count` streams are open."""
        streams: list[int] = []
        # All header blocks of a connection are one compressed stream; ours are all empty.
        headers = zlib.compressobj()
        while len(streams) < count:
            kind, payload = self._receive()
            if kind == _SYN_STREAM:
                streams.append(struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF)
                block = headers.compress(struct.pack(">I", 0)) + headers.flush(zlib.Z_SYNC_FLUSH)
                self._send(_SYN_REPLY, struct.pack(">I", streams[-1]) + block)
        return streams

    def _linger(self) -> None:
        """Reads until the other side has closed, so that it surely has read everything."""
        self.connection.settimeout(5)
        try:
            while self._receive()[0] != _GOAWAY:
                pass
        except (OSError, EOFError):
            return

    def _receive(self) -> tuple[int, bytes]:
        """The next frame: its kind (0 for data) and payload; pings are answered."""
        while True:
            head = self.rfile.read(8)
            if len(head) < 8:
                raise EOFError
            word, second = struct.unpack(">II", head)
            payload = self.rfile.read(second & 0xFFFFFF)
            kind = word & 0xFFFF if word >> 31 else 0
            if kind != _PING:
                return kind, payload
            self._send(_PING, payload)

    def _send(self, kind: int, payload: bytes) -> None:
        self.wfile.write(struct.pack(">II", 0x80030000 | kind, len(payload)) + payload)

    def _send_data(self, stream: int, payload: bytes) -> None:
        self.wfile.write(struct.pack(">II", stream, _FIN << 24 | len(payload)) + payload)
