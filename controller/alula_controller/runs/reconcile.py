"""One run, once: to admission while it is under way, to recovery when it has ended. The work queue of runs calls it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from alula_api.argo import nodes, runs
from alula_controller import logs
from alula_controller.admission.reconcile import Admission
from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.queue import QueueKey
from alula_controller.runs.failing import Failures
from alula_controller.runs.handlers import Handlers
from alula_controller.runs.overdue import Overdue
from alula_controller.runs.recovery import Recovery
from alula_controller.runs.stop import Stop

log = logging.getLogger(__name__)

RUN, FAILING_RUN, ENDED_RUN = "Run", "FailingRun", "EndedRun"
"""Runs to look at: under way, in which something may fail, over."""
MAX_UNPACKED = 2  # runs at a time whose node map is packed: as Python objects it may take 60 MB


class RunReconciler:
    """Reads a run and gives it to what may have to do with it."""

    def __init__(
        self,
        api: client.Cluster,
        admission: Admission,
        recovery: Recovery,
        stop: Stop,
        *,
        failures: Failures,
        handlers: Handlers,
        overdue: Overdue,
    ) -> None:
        self._api = api
        self._handlers = handlers
        self._failures = failures
        self._overdue = overdue
        self._stop = stop
        self._admission = admission
        self._recovery = recovery
        self._unpacking = asyncio.Semaphore(MAX_UNPACKED)

    async def handle(self, key: QueueKey) -> float | None:
        """Look at one run; when to look again, if ever."""
        try:
            run = await self._api.find(resources.RUNS.path(key.namespace, key.name))
        except errors.Poison as error:
            log.warning("a run is left alone: %s", error, extra=logs.about(namespace=key.namespace, name=key.name))
            return None
        if run is None:
            return None
        if misshapen := runs.misshapen(run):
            log.warning(
                "a run is left alone: its %s is not what Argo writes there",
                misshapen,
                extra=logs.about(namespace=key.namespace, name=key.name),
            )
            return None
        async with self._unpacking if nodes.packed(run) else contextlib.nullcontext():
            if runs.finished(run):
                ended = await self._failures.clean(run)
                await self._recovery.handle(ended)
                await self._handlers.handle(ended)
                return None
            reason, outcome = self._stop.asked(run)
            if key.kind == FAILING_RUN and not reason:
                await self._failures.handle(run)
                return await self._overdue.handle(run)
            return await (self._stop.handle(run, reason, outcome) if reason else self._admission.handle(run))
