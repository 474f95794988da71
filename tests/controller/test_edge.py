"""kopf's part: its settings, and what it hands on."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from typing import Any

import kopf
import pytest
from aiohttp import web

from alula_controller import edge
from alula_controller.cluster import door, resources
from alula_controller.cluster.echoes import Echoes
from alula_controller.cluster.queue import QueueKey
from tests.controller import scenes


def test_kopf_runs_as_the_reliability_notes_demand() -> None:
    chosen = edge.settings()
    assert chosen.peering.standalone is True
    assert chosen.scanning.disabled is True
    assert chosen.posting.enabled is False
    assert chosen.watching.server_timeout == 120
    assert chosen.watching.client_timeout == 150
    assert chosen.watching.inactivity_timeout == 70
    assert chosen.watching.chunk_size == 500
    assert chosen.networking.connect_timeout == 5
    assert chosen.networking.request_timeout == 30
    assert chosen.queueing.worker_limit is None
    assert chosen.execution.max_workers == 2
    assert "kopf" not in chosen.persistence.finalizer


def test_its_delays_outlast_an_api_server_that_is_away_for_five_minutes_and_can_be_used_again() -> None:
    backoffs = edge.settings().networking.error_backoffs
    assert isinstance(backoffs, edge.Patience)
    assert sum(backoffs) >= 300
    assert list(backoffs) == list(backoffs)
    assert len(list(backoffs)) == len(backoffs)


def test_every_definition_that_changes_is_handed_on_by_name() -> None:
    added: list[tuple[QueueKey, bool]] = []
    registry = kopf.OperatorRegistry()
    edge.register(registry, lambda key, uid, version, behind, new: added.append((key, behind)))
    handlers = registry._watching.get_all_handlers()
    assert len(handlers) == 3
    for handler in handlers:
        for kind in ("DELETED", None):
            asyncio.run(handler.fn(name="x", namespace="n", type=kind, body={}, meta={}))  # type: ignore[arg-type, call-arg]
    assert {key.kind for key, _ in added} == {"Workflow", "LaunchPlan", "Domain"}
    assert {(key.namespace, key.name) for key, _ in added} == {("n", "x")}
    assert [behind for _, behind in added] == [False, True] * 3, "what is listed at the start comes behind"


def test_no_handler_of_another_sort_is_registered() -> None:
    registry = kopf.OperatorRegistry()
    edge.register(registry, lambda key, uid, version, behind, new: None)
    for others in (registry._changing, registry._indexing, registry._spawning, registry._webhooks):
        assert not others.get_all_handlers()


class Open:
    """Credentials without TLS."""

    def __init__(self, url: str) -> None:
        self.url = url

    def tls(self) -> ssl.SSLContext | None:
        return None

    async def header(self) -> str:
        return "Bearer t0ken"


def test_kopf_gets_metadata_only_and_speaks_with_our_credentials() -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append((request.path_qs, request.headers.get("Accept"), request.headers.get("Authorization")))
        return web.json_response({"items": None})

    async def main() -> list[str]:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        way = door.Door(Open(f"http://127.0.0.1:{runner.addresses[0][1]}"))
        session = way.opened()
        for query in ("limit=500", "watch=true"):
            async with session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/apis/x/workflows?{query}") as response:
                assert await response.json() == {"items": []}, "kopf goes through them"
        await session.close()
        await runner.cleanup()
        return way.stalled()

    assert asyncio.run(main()) == []
    (_, listed, token), (_, watched, _) = seen
    assert token == "Bearer t0ken"
    assert str(listed).startswith("application/json;as=PartialObjectMetadataList;")
    assert str(watched).startswith("application/json;as=PartialObjectMetadata;")


def test_a_kind_that_is_not_asked_for_any_more_is_noticed_and_kopf_is_begun_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    moment = 0.0
    way = door.Door(Open("http://nowhere"), lambda: moment)
    moment = door.STALLED_SECONDS + 1
    assert way.stalled() == ["workflows", "launchplans", "domains"]
    begun: list[int] = []

    async def operator(stop_flag: threading.Event, **_: Any) -> None:
        begun.append(1)
        await asyncio.to_thread(stop_flag.wait)

    async def main() -> None:
        definitions = edge.Definitions(
            scenes.SETTINGS, Open("http://nowhere"), lambda key, delay=0.0, behind=False: None, Echoes()
        )
        task = asyncio.create_task(definitions.run())
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(kopf, "operator", operator)
    monkeypatch.setattr(edge, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(edge, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(door, "STALLED_SECONDS", -1.0)
    asyncio.run(main())
    assert "Stalled: workflows, launchplans, domains" in caplog.text


def test_kopf_runs_in_a_thread_and_is_begun_anew_when_it_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    threads: list[threading.Thread] = []
    stopped: list[bool] = []
    added: list[tuple[QueueKey, bool, bool]] = []

    async def operator(registry: kopf.OperatorRegistry, stop_flag: threading.Event, **_: Any) -> None:
        threads.append(threading.current_thread())
        if len(threads) == 1:
            raise RecursionError("maximum recursion depth exceeded while decoding a JSON object")
        if len(threads) == 2:
            return
        handler = registry._watching.get_all_handlers()[0]
        await handler.fn(name="x", namespace="n", type=None, body={}, meta={})  # type: ignore[arg-type, call-arg]
        await asyncio.to_thread(stop_flag.wait)
        stopped.append(True)

    async def main() -> None:
        seen = asyncio.Event()

        def add(key: QueueKey, delay: float = 0.0, *, behind: bool = False) -> None:
            added.append((key, behind, threading.current_thread() is threading.main_thread()))
            seen.set()

        definitions = edge.Definitions(scenes.SETTINGS, Open("https://nowhere"), add, Echoes())
        task = asyncio.create_task(definitions.run())
        await asyncio.wait_for(seen.wait(), 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(kopf, "operator", operator)
    monkeypatch.setattr(edge, "LONGEST_PAUSE", 0.01)
    asyncio.run(main())
    for thread in threads:
        thread.join(60)
    assert len(threads) == 3
    assert not any(thread is threading.main_thread() for thread in threads)
    assert added == [(QueueKey("n", "x", "Workflow"), True, True)], "keys are added in our own loop"
    assert stopped == [True]
    assert "maximum recursion depth" in caplog.text, "the true reason is in the log"


class Kinds:
    """An API server that serves our kinds, or for a time does not."""

    def __init__(self) -> None:
        self.served = True
        self.name = "first"
        self.refused: set[str] = set()
        self.streams: set[asyncio.Event] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/apis/alula.dev/v1alpha1":
            return web.json_response(
                {"resources": [_described(each.plural, each.kind) for each in resources.DEFINITIONS]}
            )
        plural = request.path.rpartition("/")[2]
        if plural not in {resource.plural for resource in resources.DEFINITIONS}:
            core = [_described("namespaces", "Namespace")] if request.path == "/api/v1" else []
            return web.json_response({"versions": ["v1"], "groups": [GROUP], "resources": core})
        if not self.served:
            self.refused.add(plural)
            return web.Response(status=404, text="404 page not found\n")
        if "watch" in request.query:
            return await self._stream(request)
        metadata = {"name": self.name, "namespace": "n", "uid": self.name, "resourceVersion": "2"}
        return web.json_response({"metadata": {"resourceVersion": "7"}, "items": [{"metadata": metadata}]})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        over = asyncio.Event()
        self.streams.add(over)
        await over.wait()
        gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}
        await response.write(json.dumps(gone).encode() + b"\n")
        return response

    def end_streams(self) -> None:
        for each in self.streams:
            each.set()
        self.streams.clear()


def _described(plural: str, kind: str) -> dict[str, Any]:
    verbs = ["get", "list", "watch"]
    return {"name": plural, "singularName": plural[:-1], "kind": kind, "namespaced": True, "verbs": verbs}


GROUP = {
    "name": "alula.dev",
    "versions": [{"version": "v1alpha1", "groupVersion": "alula.dev/v1alpha1"}],
    "preferredVersion": {"version": "v1alpha1", "groupVersion": "alula.dev/v1alpha1"},
}


def test_kinds_that_are_not_served_for_a_while_do_not_end_kopf_and_what_comes_back_is_handed_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kinds = Kinds()

    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", kinds.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        added: asyncio.Queue[QueueKey] = asyncio.Queue()
        definitions = edge.Definitions(
            scenes.SETTINGS,
            Open(f"http://127.0.0.1:{runner.addresses[0][1]}"),
            lambda key, delay=0.0, behind=False: added.put_nowait(key),
            Echoes(),
        )
        task = asyncio.create_task(definitions.run())
        await until_all(added, "first")
        kinds.served, kinds.name = False, "second"
        kinds.end_streams()
        while len(kinds.refused) < len(resources.DEFINITIONS):
            await asyncio.sleep(0.01)
        kinds.served = True
        await until_all(added, "second")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        kinds.end_streams()
        await runner.cleanup()

    asyncio.run(main())
    assert "begun anew" not in caplog.text


async def until_all(added: asyncio.Queue[QueueKey], name: str) -> None:
    missing = {resource.kind for resource in resources.DEFINITIONS}
    while missing:
        key = await asyncio.wait_for(added.get(), 60)
        if key.name == name:
            missing.discard(key.kind)


def test_a_kopf_that_has_closed_its_session_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[int] = []
    last = threading.Event()

    async def operator(registry: kopf.OperatorRegistry, stop_flag: threading.Event, **_: Any) -> None:
        begun.append(1)
        handler = registry._activities.get_all_handlers()[0]
        session = (await handler.fn()).aiohttp_session  # type: ignore[union-attr, misc]
        if len(begun) == 1:
            await session.close()
            await asyncio.to_thread(last.wait)
        await asyncio.to_thread(stop_flag.wait)
        await session.close()

    async def main() -> None:
        definitions = edge.Definitions(
            scenes.SETTINGS, Open("http://nowhere"), lambda key, delay=0.0, behind=False: None, Echoes()
        )
        task = asyncio.create_task(definitions.run())
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        last.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(kopf, "operator", operator)
    monkeypatch.setattr(edge, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(edge, "LOOK_SECONDS", 0.01)
    asyncio.run(main())
    assert "it has closed its session" in caplog.text
