"""A proxy before the API server that answers, delays, cuts and falls silent as a test tells it: `python -m
e2e.cluster.proxy PORT SERVER AUTHORITY FAULTS`.

Clients speak plain HTTP to it and bring their own token. FAULTS is a file that it reads before each request, written by
the test: JSON with any of

- `status`, `retry_after`: what to answer to every request (410 to watches alone),
- `slow`: seconds before each answer,
- `silent`: true to take requests and say nothing, on streams that are open too,
- `cut`: true to close every connection without an answer, streams that are open too.

What it has seen stands in `FAULTS.seen`: a line for each request, with its time, method and path.
"""

from __future__ import annotations

import asyncio
import json
import pathlib
import ssl
import sys
import time
from typing import Any

import aiohttp
from aiohttp import web

PASSED_ON = ("Authorization", "Accept", "Accept-Encoding", "Content-Type", "User-Agent")
PASSED_BACK = ("Retry-After", "Content-Encoding")
POLL_SECONDS = 0.2


class Proxy:
    """One proxy; `handle` serves a request."""

    def __init__(self, server: str, authority: str, faults: pathlib.Path) -> None:
        self._server = server
        self._tls = ssl.create_default_context(cafile=authority)
        self._faults = faults
        self._seen = faults.with_name(f"{faults.name}.seen")
        self._session: aiohttp.ClientSession | None = None

    def faults(self) -> dict[str, Any]:
        """What the test wants now."""
        try:
            read: dict[str, Any] = json.loads(self._faults.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return read

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as the server does, or as the test wants."""
        watching = request.query.get("watch") == "true"
        with self._seen.open("a", encoding="utf-8") as file:
            file.write(f"{time.time():.3f} {'WATCH' if watching else request.method} {request.path}\n")
        faults = self.faults()
        await asyncio.sleep(faults.get("slow", 0))
        await self._hinder(request, faults)
        status = faults.get("status", 0)
        if status and (watching or status != 410):
            headers = {"Retry-After": str(faults["retry_after"])} if "retry_after" in faults else {}
            body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": "as told"}
            return web.json_response(body, status=status, headers=headers)
        return await self._pass_on(request)

    async def _hinder(self, request: web.Request, faults: dict[str, Any]) -> None:
        while faults.get("silent"):
            await asyncio.sleep(POLL_SECONDS)
            faults = self.faults()
        if faults.get("cut") and request.transport is not None:
            request.transport.abort()
            raise ConnectionResetError

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=timeout, auto_decompress=False, skip_auto_headers=PASSED_ON
            )
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        body = await request.read()
        url = self._server + request.raw_path
        async with self._session.request(request.method, url, headers=headers, data=body or None) as answer:
            response = web.StreamResponse(status=answer.status)
            response.content_type = answer.content_type
            response.headers.update({name: answer.headers[name] for name in PASSED_BACK if name in answer.headers})
            await response.prepare(request)
            reading = asyncio.ensure_future(answer.content.readany())
            while True:
                done, _ = await asyncio.wait([reading], timeout=POLL_SECONDS)
                await self._hinder(request, self.faults())
                if not done:
                    continue
                chunk = reading.result()
                if not chunk:
                    break
                await response.write(chunk)
                reading = asyncio.ensure_future(answer.content.readany())
            await response.write_eof()
            return response


async def main(port: int, server: str, authority: str, faults: str) -> None:
    """Serve until killed."""
    app = web.Application(client_max_size=4 << 20)
    app.router.add_route("*", "/{path:.*}", Proxy(server, authority, pathlib.Path(faults)).handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:5]))
