"""kopf, and only kopf: it watches the definitions and hands their names to the queue. Nothing is decided here.

Of kopf only `on.event` is used (a test forbids the rest): such handlers write no annotations or finalizers, and what
they add to the queue is a hint. And it logs in by us: it parses whatever it gets, so it gets metadata only, however
large or deep an object is.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

import kopf

from alula_controller import metrics
from alula_controller.cluster import client, resources
from alula_controller.cluster.door import Door
from alula_controller.cluster.echoes import Echoes
from alula_controller.cluster.queue import QueueKey
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

HEALTHY_SECONDS = 60.0
LOOK_SECONDS = 2.0
LONGEST_PAUSE = 60.0
ECHO_SECONDS = 0.2  # after which the answer to a write of ours is here, whatever its event was faster than


class Stalled(Exception):
    """Watches of kopf's are open no more, and it does not know it."""


class Add(Protocol):
    """Puts a key into the queue of definitions."""

    def __call__(self, key: QueueKey, delay: float = 0.0, *, behind: bool = False) -> None:
        """Work on `key` after `delay` seconds, or behind whatever else waits."""


class Patience:
    """kopf's delays between attempts: re-iterable, up to 15 s, for about ten minutes of an API server that is away."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1, 2, 4, 8)
        yield from (15.0,) * 40

    def __len__(self) -> int:
        return 45


def settings() -> kopf.OperatorSettings:
    """How kopf runs; `tests/controller` asserts each of them."""
    chosen = kopf.OperatorSettings()
    chosen.peering.standalone = True  # its peering stops both of two equal operators; ours is a Lease
    chosen.scanning.disabled = True  # no watch of namespaces and CRDs
    chosen.posting.enabled = False  # Events are our own, and rate-limited
    chosen.watching.server_timeout = 120
    chosen.watching.client_timeout = 150
    chosen.watching.inactivity_timeout = 70  # bookmarks come every 60 s
    chosen.watching.chunk_size = 500
    chosen.networking.connect_timeout = 5
    chosen.networking.request_timeout = 30
    chosen.networking.error_backoffs = Patience()
    chosen.queueing.worker_limit = None  # a limit leaves kopf dead and silent (nolar/kopf#1243)
    chosen.execution.max_workers = 2
    chosen.persistence.finalizer = "alula.dev/unused"
    return chosen


class HandOn(Protocol):
    """Takes the name of a definition that has changed, and which version of it was seen."""

    def __call__(self, key: QueueKey, uid: str, version: str, *, behind: bool, new: bool) -> None:
        """Work on `key`: soon, unless it proves to be our own write; at once where it is `new` (or gone)."""


def register(registry: kopf.OperatorRegistry, hand_on: HandOn) -> None:
    """Hand on the name of every definition that changes; what kopf lists when it begins comes behind."""
    for resource in resources.DEFINITIONS:

        async def seen(
            name: str | None,
            namespace: str | None,
            meta: Mapping[str, Any],
            kind: str = resource.kind,
            type: str | None = None,
            **_: Any,
        ) -> None:
            uid, version = str(meta.get("uid") or ""), str(meta.get("resourceVersion") or "")
            key = QueueKey(namespace or "", name or "", kind)
            hand_on(key, uid, version, behind=type is None, new=type in ("ADDED", "DELETED"))

        kopf.on.event(
            resource.group, resource.version, resource.plural, registry=registry, id=f"see-{resource.plural}"
        )(seen)


class Definitions:
    """kopf in a thread with a loop of its own, begun anew whenever it ends.

    What ends it (an object that it cannot read, an API server that is away for long) costs nothing but time:
    `resync` finds what changes meanwhile.

    Args:
        chosen: the installation.
        credentials: of the controller.
        add: puts a key into the queue; called in the loop in which `run` runs.
        echoes: what we wrote ourselves, at which there is nothing to look.
    """

    def __init__(
        self,
        chosen: Settings,
        credentials: client.Credentials,
        add: Add,
        echoes: Echoes,
    ) -> None:
        self.ready = threading.Event()
        self._chosen = chosen
        self._add = add
        self._echoes = echoes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._credentials = credentials
        self._registry = kopf.OperatorRegistry()
        register(self._registry, self._hand_on)
        kopf.on.login(registry=self._registry)(self._log_in)

    async def run(self) -> None:
        """Watch until cancelled."""
        self._loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = self._loop.time()
            try:
                await self._once(self._loop)
            except Exception:
                log.exception("kopf ended; it is begun anew")
            metrics.WATCH_RESTARTS.labels(watch="definitions").inc()
            failures = 0 if self._loop.time() - began > HEALTHY_SECONDS else failures + 1
            await asyncio.sleep(min(LONGEST_PAUSE, 2.0 ** min(failures, 10)))

    async def _once(self, loop: asyncio.AbstractEventLoop) -> None:
        stop = threading.Event()
        ended: asyncio.Future[None] = loop.create_future()

        def settle(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_exception(error) if error is not None else ended.set_result(None)

        def work() -> None:
            failure: BaseException | None = None
            try:
                asyncio.run(self._operate(stop))
            except Exception as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the process is at its end
                loop.call_soon_threadsafe(settle, failure)

        # A daemon: the end of the process does not wait for kopf's.
        door = self._door = Door(self._credentials)
        threading.Thread(target=work, name="kopf", daemon=True).start()
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=LOOK_SECONDS)
                if stalled := door.stalled():
                    raise Stalled(", ".join(stalled))
                if door.closed() and not ended.done():
                    raise Stalled("it has closed its session")
            await ended
        finally:
            stop.set()

    async def _operate(self, stop: threading.Event) -> None:
        try:
            await kopf.operator(
                registry=self._registry,
                settings=settings(),
                standalone=True,
                clusterwide=not self._chosen.namespaces,
                namespaces=list(self._chosen.namespaces),
                # Without one, kopf asks for the name of the user, which one without an entry in passwd does not have.
                identity=cast("Any", self._chosen.identity),
                ready_flag=self.ready,
                stop_flag=stop,
            )
        finally:
            stop.set()  # a thread of kopf's waits for it

    async def _log_in(self, **_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=self._credentials.url, aiohttp_session=self._door.opened())

    def _hand_on(self, key: QueueKey, uid: str, version: str, *, behind: bool, new: bool) -> None:
        add = functools.partial(self._add, key, behind=behind)
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the process is at its end
            if new:
                self._loop.call_soon_threadsafe(add)
            else:
                self._loop.call_soon_threadsafe(self._echoes.unless_one, uid, version, add, ECHO_SECONDS)
