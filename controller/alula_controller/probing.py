"""/healthz, /readyz and /metrics over HTTP. Started by `process`; asks others, knows nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from alula_controller import metrics

log = logging.getLogger(__name__)

Check = Callable[[], str]  # what is wrong, or nothing


async def serve(port: int, healthy: Check, ready: Check) -> tuple[web.AppRunner, int]:
    """Listen on `port` (0: any free one); the runner to clean up and the port that it is."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", _probe(healthy)),
            web.get("/readyz", _probe(ready)),
            web.get("/metrics", _metrics),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, port=port)
    await site.start()
    bound: int = min(runner.addresses, key=len)[1]  # of IPv4, where both kinds got a port of their own
    log.info("probes and metrics on port %d", bound)
    return runner, bound


def _probe(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        wrong = check()
        return web.Response(status=503 if wrong else 200, text=(wrong or "ok") + "\n")

    return answer


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
