"""An S3 server small enough to lie on purpose: objects in a dict, and a fault for any request that a test chooses.

It checks no signatures. Faults: `"503"` answers so without doing anything, `"reset"` closes the connection before,
`"lost"` does the work and then closes the connection, `"cut"` sends half a body and closes it. Every request waits
`delay` seconds first.
"""

from __future__ import annotations

import hashlib
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[[str, str], str]
"""Method and path with query to a fault, or ""."""


class FakeS3:
    """The server's state."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.requests: list[str] = []
        self.fault: Fault = lambda method, path: ""
        self.delay = 0.0
        self.lock = threading.Lock()
        self.endpoint = ""


@contextmanager
def serving() -> Iterator[FakeS3]:
    """A server on a port of its own."""
    state = FakeS3()

    class Handler(_Handler):
        s3 = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body behind its headers would wait 40 ms for the client's acknowledgement
    s3: FakeS3

    def log_message(self, *_: object) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        path = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(path.query, keep_blank_values=True)
        key = urllib.parse.unquote(path.path).partition("/")[2].partition("/")[2]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.s3.delay)
        with self.s3.lock:
            self.s3.requests.append(f"{self.command} {self.path}")
            fault = self.s3.fault(self.command, self.path)
            if fault == "reset":
                self.close_connection = True
                return
            status, answer, headers = (503, b"", {}) if fault == "503" else self._answer(key, query, body)
        if fault == "lost":
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if fault == "cut":
            answer = answer[: len(answer) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _answer(self, key: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        match self.command:
            case "GET" if "list-type" in query:
                return 200, self._listing(query.get("prefix", [""])[0]), {}
            case "GET" | "HEAD":
                return self._read(key)
            case "DELETE":
                if "uploadId" in query:
                    self.s3.uploads.pop(query["uploadId"][0], None)
                else:
                    self.s3.objects.pop(key, None)
                return 204, b"", {}
            case "POST" if "uploads" in query:
                name = f"u{len(self.s3.requests)}"
                self.s3.uploads[name] = {}
                xml = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
                return 200, xml.encode(), {}
            case "POST":
                parts = self.s3.uploads.pop(query["uploadId"][0], None)
                if parts is None:
                    return _error(404, "NoSuchUpload")
                self.s3.objects[key] = b"".join(parts[number] for number in sorted(parts))
                return 200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>", {}
        if "partNumber" in query:
            self.s3.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = body
            return 200, b"", {"ETag": '"part"'}
        if self.headers.get("If-None-Match") == "*" and key in self.s3.objects:
            return _error(412, "PreconditionFailed")
        if "x-amz-copy-source" in self.headers:
            source = urllib.parse.unquote(self.headers["x-amz-copy-source"]).lstrip("/").partition("/")[2]
            if source not in self.s3.objects:
                return _error(404, "NoSuchKey")
            self.s3.objects[key] = self.s3.objects[source]
            return (
                200,
                f"<CopyObjectResult><ETag>{_xml(_etag(self.s3.objects[key]))}</ETag></CopyObjectResult>".encode(),
                {},
            )
        self.s3.objects[key] = body
        return 200, b"", {"ETag": _etag(body)}

    def _read(self, key: str) -> tuple[int, bytes, dict[str, str]]:
        data = self.s3.objects.get(key)
        if data is None:
            return _error(404, "NoSuchKey")
        headers = {"ETag": _etag(data), "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"}
        first = 0
        if "Range" in self.headers:
            first = int(self.headers["Range"].removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        headers["Content-Length"] = str(len(data) - first)
        return (206 if "Range" in self.headers else 200), data[first:], headers

    def _listing(self, prefix: str) -> bytes:
        items = "".join(
            f"<Contents><Key>{_xml(key)}</Key><Size>{len(data)}</Size><ETag>{_xml(_etag(data))}</ETag>"
            "<LastModified>2026-11-22T10:00:00.000Z</LastModified></Contents>"
            for key, data in sorted(self.s3.objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>".encode()


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> tuple[int, bytes, dict[str, str]]:
    return status, f"<Error><Code>{code}</Code></Error>".encode(), {}


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
