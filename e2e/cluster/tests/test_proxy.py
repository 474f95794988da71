"""What stands between a client and the API server in the scenarios of faults changes nothing that it is not told to."""

from __future__ import annotations

import asyncio
import gzip
import pathlib
import ssl

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from e2e.cluster.proxy import Proxy

LARGE = b'{"items": [' + b'"x", ' * 50_000 + b'"x"]}'


async def answered(request: web.Request) -> web.Response:
    """As the API server answers: compressed where the client can read that and the answer is large."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=gzip.compress(LARGE), headers={"Content-Encoding": "gzip"})
    return web.Response(body=LARGE)


@pytest.mark.parametrize("accepts", ["gzip", "identity", ""])
def test_a_large_answer_arrives_whether_or_not_the_client_reads_compressed_ones(
    accepts: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    async def fetch() -> bytes:
        app, between = web.Application(), web.Application()
        app.router.add_get("/list", answered)
        async with TestServer(app) as server:
            proxy = Proxy(str(server.make_url("")).rstrip("/"), "", tmp_path / "faults.json")
            between.router.add_route("*", "/{path:.*}", proxy.handle)
            headers = {"Accept-Encoding": accepts} if accepts else {}
            session = aiohttp.ClientSession(skip_auto_headers=["Accept-Encoding"])
            async with (
                TestServer(between) as entry,
                session,
                session.get(entry.make_url("/list"), headers=headers) as got,
            ):
                found = await got.read()
            assert proxy._session is not None
            await proxy._session.close()
        return found

    assert asyncio.run(fetch()) == LARGE
