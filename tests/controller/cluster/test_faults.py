"""A watch through the real client against a server that misbehaves: it goes on, loses nothing, and does not hammer.

Pauses and patience are shortened; nothing else is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from alula_controller.cluster import client, errors, resources, watches
from alula_controller.cluster.client import Cluster
from alula_controller.cluster.watches import Watch

Answer = Callable[["Server", web.Request], Awaitable[web.StreamResponse]]


class Credentials:
    def __init__(self, url: str) -> None:
        self.url = url

    def tls(self) -> None:
        return None

    async def header(self) -> str:
        return ""


class Server:
    """Objects by name and their history; `faults` are answers that come before the right ones, one a request."""

    def __init__(self) -> None:
        self.version = 1
        self.objects: dict[str, int] = {}
        self.history: list[tuple[int, str, dict[str, Any]]] = []
        self.faults: list[Answer] = []
        self.lists = 0
        self.requests = 0
        self.changed = asyncio.Event()

    def put(self, name: str) -> None:
        self.version += 1
        kind = "MODIFIED" if name in self.objects else "ADDED"
        self.objects[name] = self.version
        self._record(kind, name)

    def drop(self, name: str) -> None:
        self.version += 1
        del self.objects[name]
        self._record("DELETED", name)

    def _record(self, kind: str, name: str) -> None:
        self.history.append((self.version, kind, item(name, self.version)))
        self.changed.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        if self.faults:
            return await self.faults.pop(0)(self, request)
        if "watch" in request.query:
            return await self.stream(request)
        self.lists += 1
        listed = [item(name, version) for name, version in self.objects.items()]
        return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": listed})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        since = int(request.query["resourceVersion"])
        while True:
            self.changed.clear()
            for version, kind, body in self.history:
                if version > since:
                    await response.write(line(kind, body))
                    since = version
            await self.changed.wait()


def item(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


def line(kind: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": body}).encode() + b"\n"


def status(code: int, **headers: str) -> Answer:
    async def answer(server: Server, request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": code, "message": "as told"}, status=code, headers=headers)

    return answer


def streamed(*chunks: bytes, cut: bool = False, hang: bool = False) -> Answer:
    async def answer(server: Server, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if hang:
            await asyncio.sleep(600)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return answer


async def refused(server: Server, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


async def slow(server: Server, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.3)
    return await server.handle(request)


FAULTS: dict[str, list[Answer]] = {
    "429": [status(429, **{"Retry-After": "0"})] * 3,
    "500": [status(500)] * 3,
    "503": [status(503)] * 3,
    "410 as an answer": [status(410)],
    "410 as an event": [streamed(line("ERROR", {"code": 410, "message": "too old"}))],
    "500 as an event": [streamed(line("ERROR", {"code": 500, "message": "etcd"}))],
    "403": [status(403)] * 3,
    "no json": [streamed(b"<html>\n")],
    "half a line, then cut": [streamed(b'{"type": "ADDED", "obj', cut=True)],
    "an answer that is cut": [streamed(cut=True)] * 3,
    "refused connections": [refused] * 5,
    "streams that end at once": [streamed()] * 5,
    "a half-open connection": [streamed(hang=True)] * 2,
    "slow answers": [slow] * 3,
}


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Server, Cluster]]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = Cluster(Credentials(f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield server, api
    finally:
        await api.close()
        await runner.cleanup()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(watches, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(watches, "LONGEST_PAUSE", 0.1)


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("when", ["at the start", "on an open stream"])
def test_after_a_fault_a_watch_knows_what_there_is(faults: list[Answer], when: str) -> None:
    async def main() -> None:
        async with served() as (server, api):
            told: list[tuple[str, bool]] = []
            api.timeout = 0.5
            watch = Watch(api, resources.RUNS, lambda seen, gone: told.append((seen.name, gone)))
            server.put("kept")
            server.put("dropped")
            if when == "at the start":
                server.faults = list(faults)
            task = asyncio.create_task(watch.run())
            if when == "on an open stream":
                await until(lambda: len(watch.of("n")) == 2)
                server.faults = list(faults)
            server.drop("dropped")
            server.put("new")
            await until(lambda: set(watch.of("n")) == {"kept", "new"} and not server.faults)
            server.put("later")
            await until(lambda: "later" in watch.of("n"))
            assert watch.of("n")["later"].version == str(server.objects["later"])
            if ("dropped", False) in told:
                assert ("dropped", True) in told, "what is gone is told as gone, also when the gap hid it"
            assert server.requests < 40
            task.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("fault", [slow, refused, streamed(hang=True)], ids=["slow", "refused", "half-open"])
def test_a_call_ends_in_time_with_an_error_that_is_tried_again(fault: Answer) -> None:
    async def main() -> None:
        async with served() as (server, api):
            api.timeout = 0.2
            server.faults = [fault] * 3  # aiohttp itself asks once more on a connection that was reset
            with pytest.raises(errors.Unavailable):
                await api.list(resources.RUNS.path("n"))
            api.timeout = 30.0
            server.faults.clear()
            assert (await api.list(resources.RUNS.path("n"))).items == ()

    asyncio.run(main())


def test_how_long_a_server_asks_to_be_left_alone_is_part_of_the_error() -> None:
    async def main() -> None:
        async with served() as (server, api):
            server.faults = [status(429, **{"Retry-After": after}) for after in ("7", "9999", "soon")]
            for expected in (7.0, 60.0, 0.0):
                with pytest.raises(errors.Unavailable) as caught:
                    await api.get(resources.RUNS.path("n", "x"))
                assert caught.value.retry_after == expected

    asyncio.run(main())
