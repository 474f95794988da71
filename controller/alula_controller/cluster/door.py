"""The door through which kopf reaches the API server: with our credentials, for metadata only, watched from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import aiohttp

from alula_controller.cluster import client, resources

STALLED_SECONDS = 240.0  # a watch is opened anew every two minutes; one that is not has stalled


class Answer(aiohttp.ClientResponse):
    """An answer to kopf: read with our bounds, and an empty list of metadata, whose items are null, with none."""

    async def json(self, **_: Any) -> Any:
        """The object in it."""
        found = client.decode(await self.read(), prune=True)
        return {**found, "items": []} if found.get("items", ()) is None else found


class Door:
    """How kopf speaks to the API server: as we do, for metadata only, and noting when each kind was last asked for.

    A kind that is not served at the moment (its CRD was deleted, its storage begins) is to kopf a server that cannot be
    reached: it tries again, where a plain 404 ends it.

    Args:
        credentials: of the controller.
        clock: seconds.
    """

    def __init__(self, credentials: client.Credentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._credentials = credentials
        self._clock = clock
        self._asked = {resource.plural: clock() for resource in resources.DEFINITIONS}
        self._session: aiohttp.ClientSession | None = None

    def opened(self) -> aiohttp.ClientSession:
        """A session for kopf, made in its own loop."""
        tls = self._credentials.tls()
        connector = aiohttp.TCPConnector(limit=0, ssl=tls if tls is not None else True)
        session = aiohttp.ClientSession(
            connector=connector, trust_env=False, middlewares=(self.pass_on,), response_class=Answer
        )
        self._session = session
        return session

    async def pass_on(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """One request of kopf's."""
        watches = "watch" in request.url.query
        request.headers["Accept"] = client.METADATA if watches else client.METADATA_LIST
        if authorization := await self._credentials.header():
            request.headers["Authorization"] = authorization
        if request.url.name in self._asked:
            self._asked[request.url.name] = self._clock()
        answer = await handler(request)
        if answer.status == 404 and request.url.name in self._asked:
            answer.close()
            raise aiohttp.ClientConnectionError(f"{request.url.name} are not served")
        return answer

    def closed(self) -> bool:
        """Whether kopf has closed its session, which it does when it ends; its end itself can take minutes, for what
        still streams in it waits for credentials that do not come any more.
        """
        return self._session is not None and self._session.closed

    def stalled(self) -> list[str]:
        """The kinds that have not been asked for as often as a watch must be opened anew."""
        now = self._clock()
        return [plural for plural, asked in self._asked.items() if now - asked > STALLED_SECONDS]
