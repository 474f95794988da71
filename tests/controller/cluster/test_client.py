"""The gateway against a real HTTP server in this process: what goes over the wire, and what errors become."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from alula_controller.cluster import client, errors

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Open:
    """Credentials without TLS."""

    def __init__(self, url: str) -> None:
        self.url = url

    def tls(self) -> ssl.SSLContext | None:
        return None

    async def header(self) -> str:
        return "Bearer s3cret-t0ken"


def talk(handler: Handler, use: Callable[[client.Cluster], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        app = web.Application(client_max_size=1 << 25)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        app.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api = client.Cluster(Open(f"http://127.0.0.1:{runner.addresses[0][1]}"), timeout=5)
        try:
            return await use(api)
        finally:
            await api.close()
            await runner.cleanup()

    return asyncio.run(main())


def answering(status: int, body: Any) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return handler


class Echo:
    """Remembers requests and answers with an empty object."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        self.seen.append(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "headers": request.headers,
                "data": data,
                "body": json.loads(data) if data else None,
            }
        )
        return web.json_response({})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.Gone),
        (422, errors.Refused),
        (403, errors.Refused),
        (413, errors.Refused),
        (429, errors.Unavailable),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
def test_a_refusal_is_an_error_with_the_servers_own_words(status: int, kind: type[errors.ClusterError]) -> None:
    handler = answering(status, {"kind": "Status", "reason": "Because", "message": "it says no"})
    with pytest.raises(kind, match="it says no") as caught:
        talk(handler, lambda api: api.get("/api/v1/x"))
    assert (caught.value.status, caught.value.reason) == (status, "Because")
    assert "t0ken" not in str(caught.value)


def test_an_answer_that_is_not_json_is_an_error_with_a_bit_of_it() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>bad gateway</html>" * 100)

    with pytest.raises(errors.Unavailable, match="bad gateway") as caught:
        talk(handler, lambda api: api.get("/x"))
    assert len(str(caught.value)) < 1000


DEEP = '{"a":' * 1_500 + "1" + "}" * 1_500


def listed(*pages: str) -> Handler:
    """Answers with one page after the other."""
    left = list(pages)

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text=left.pop(0), content_type="application/json")

    return handler


def test_an_object_that_nests_too_deep_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(errors.Poison, match="deeper than 200"):
        talk(listed(f'{{"spec": {DEEP}}}'), lambda api: api.get("/x"))


def test_metadata_that_nests_too_deep_is_read_without_what_is_too_deep() -> None:
    item = f'{{"metadata": {{"name": "a", "managedFields": [{DEEP}], "uid": "u"}}}}'
    found = talk(listed(f'{{"items": [{item}]}}'), lambda api: api.list("/x", metadata_only=True))
    assert (found.items[0]["metadata"]["name"], found.items[0]["metadata"]["uid"]) == ("a", "u")

    async def first(api: client.Cluster) -> Any:
        async for event in api.watch("/x", since="1"):
            return event
        return None

    assert talk(listed(f'{{"type": "ADDED", "object": {item}}}'), first)["object"]["metadata"]["uid"] == "u"


@pytest.mark.parametrize("text", ["[1]", "no json", "[" * 100_000, ""])
def test_an_answer_that_is_no_object_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(errors.Poison):
        talk(listed(text), lambda api: api.get("/x"))


def test_pages_of_large_objects_have_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER", 10_000)
    limits: list[int] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        first, limit = int(request.query.get("continue", "0")), int(request.query["limit"])
        limits.append(limit)
        items = [{"metadata": {"name": str(number), "x": "x" * 900}} for number in range(first, min(first + limit, 30))]
        more = {"continue": str(first + limit)} if first + limit < 30 else {}
        return web.json_response({"items": items, "metadata": {"resourceVersion": "7", **more}})

    found = talk(handler, lambda api: api.list("/x"))
    assert [item["metadata"]["name"] for item in found.items] == [str(number) for number in range(30)]
    assert found.version == "7"
    assert limits[:3] == [500, 62, 7]
    with pytest.raises(errors.TooLarge):
        talk(answering(200, {"items": ["x" * 20_000]}), lambda api: api.list("/x"))


def test_a_list_can_stop_at_so_many_and_select_by_a_field() -> None:
    seen: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(dict(request.query))
        items = [{"metadata": {"name": str(number)}} for number in range(int(request.query["limit"]))]
        return web.json_response({"items": items, "metadata": {"continue": "more"}})

    found = talk(handler, lambda api: api.list("/x", fields="spec.workflow=sums", most=3))
    assert len(found.items) == 3
    assert seen == [{"fieldSelector": "spec.workflow=sums", "limit": "3"}]


def test_no_answer_is_unavailable() -> None:
    async def main() -> None:
        api = client.Cluster(Open("http://127.0.0.1:1"), timeout=2)
        try:
            await api.get("/x")
        finally:
            await api.close()

    with pytest.raises(errors.Unavailable):
        asyncio.run(main())


def test_a_missing_object_is_none_when_it_is_looked_for() -> None:
    assert talk(answering(404, {}), lambda api: api.find("/x")) is None


def test_an_apply_is_forced_under_one_field_manager() -> None:
    echo = Echo()
    talk(echo, lambda api: api.apply("/apis/x", {"a": 1}))
    seen = echo.seen[0]
    assert seen["method"] == "PATCH"
    assert seen["query"] == {"fieldManager": "alula-controller", "force": "true"}
    assert seen["headers"]["Content-Type"] == "application/apply-patch+yaml"
    assert seen["headers"]["Authorization"] == "Bearer s3cret-t0ken"


def test_a_merge_patch_and_a_delete_carry_their_preconditions() -> None:
    echo = Echo()

    async def use(api: client.Cluster) -> None:
        await api.merge("/m", {"metadata": {"resourceVersion": "7"}})
        await api.delete("/d", uid="u", orphan=True)
        await api.delete("/e", uid="u")

    talk(echo, use)
    patch, orphan, delete = echo.seen
    assert patch["headers"]["Content-Type"] == "application/merge-patch+json"
    assert patch["body"] == {"metadata": {"resourceVersion": "7"}}
    assert orphan["body"]["preconditions"] == {"uid": "u"}
    assert orphan["body"]["propagationPolicy"] == "Orphan"
    assert delete["body"]["propagationPolicy"] == "Background"


def test_deleting_what_is_gone_is_fine() -> None:
    assert talk(answering(404, {}), lambda api: api.delete("/x", uid="u")) is None


def test_a_list_is_read_in_pages_of_one_snapshot() -> None:
    pages = {"": (["a", "b"], "next"), "next": (["c"], "")}

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.query["limit"] == "500"
        assert request.query["labelSelector"] == "x=y"
        assert "as=PartialObjectMetadataList" in request.headers["Accept"]
        items, then = pages[request.query.get("continue", "")]
        return web.json_response({"metadata": {"resourceVersion": "9", "continue": then}, "items": items})

    found = talk(handler, lambda api: api.list("/x", labels="x=y", metadata_only=True))
    assert found == client.Listing(("a", "b", "c"), "9")


def watch(*lines: bytes) -> tuple[list[Any], Exception | None]:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.query["watch"] == request.query["allowWatchBookmarks"] == "true"
        assert request.query["resourceVersion"] == "5"
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        return response

    async def use(api: client.Cluster) -> tuple[list[Any], Exception | None]:
        events: list[Any] = []
        try:
            async for event in api.watch("/x", since="5"):
                events.append(event)
        except Exception as error:
            return events, error
        return events, None

    return talk(handler, use)  # type: ignore[no-any-return]


def test_a_watch_gives_events_across_chunks_and_ends_with_the_stream() -> None:
    events, error = watch(b'{"type":"ADDED","obj', b'ect":{}}\n\n{"type":"BOOKMARK","object":{}}\n')
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert error is None


def test_a_watch_event_of_a_megabyte_arrives() -> None:
    line = json.dumps({"type": "ADDED", "object": {"x": "y" * (1 << 20)}}).encode()
    events, error = watch(line + b"\n")
    assert error is None
    assert len(events) == 1


@pytest.mark.parametrize(("code", "kind"), [(410, errors.Gone), (500, errors.Unavailable), (429, errors.Unavailable)])
def test_an_error_in_the_stream_is_raised_as_what_it_is(code: int, kind: type[Exception]) -> None:
    line = json.dumps({"type": "ERROR", "object": {"code": code, "message": "too old"}}).encode()
    _, error = watch(b'{"type":"ADDED","object":{}}\n', line + b"\n")
    assert type(error) is kind


def test_a_request_above_a_mebibyte_is_never_sent() -> None:
    echo = Echo()
    with pytest.raises(errors.Refused, match="bytes are more than"):
        talk(echo, lambda api: api.create("/x", {"x": "y" * (1 << 20)}))
    assert echo.seen == []


def test_what_is_sent_is_json_that_a_yaml_reader_takes_as_well() -> None:
    text = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xA0, 0xFEFF, 0xFFFE, 0xFFFF])) + "\u2028é世🐦{{"
    sent = client.encode({"x": text})
    assert json.loads(sent) == {"x": text}
    assert b"\\ud83d" not in sent, "Go's YAML refuses pairs of escaped surrogates"
    raw = sent.decode()
    assert not [c for c in raw if "\x7f" <= c <= "\uffff"], "and it refuses raw controls"
