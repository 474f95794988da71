"""The whole controller in one asyncio loop: what is started, in which order, and what its end means.

Called by `__main__`. Any part that ends is a defect or kopf's reaction to a signal; the process ends with it and is
started anew by Kubernetes, which loses nothing: all state is in the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from importlib import metadata
from typing import Any

from alula_api.contract import labels
from alula_controller import edge, metrics, probing, resync, timestamps
from alula_controller.admission.cache_lookup import Lookups
from alula_controller.admission.reconcile import Admission
from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.events import Announcer
from alula_controller.cluster.lease import Leadership
from alula_controller.cluster.queue import WorkQueue
from alula_controller.cluster.watches import Seen, Watch
from alula_controller.definitions.gather import Gatherer
from alula_controller.definitions.reconcile import Reconciler
from alula_controller.definitions.world import Key
from alula_controller.domains import view
from alula_controller.domains.gather import Domains
from alula_controller.runs.reconcile import RunKey, RunReconciler, worth_a_look
from alula_controller.runs.recovery import Recovery
from alula_controller.runs.watchdog import Watchdog
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
SILENT_SECONDS = 300.0  # a watch that heard nothing for so long, not even a bookmark, is beyond mending by itself


class Controller:
    """All parts, wired. `run` runs them until one ends."""

    def __init__(self, settings: Settings, api: client.Cluster) -> None:
        self.settings = settings
        self.api = api
        clock = time.monotonic
        self.leadership = Leadership(api, settings, clock)
        self.announcer = Announcer(api, settings.identity, clock)
        self.definitions: WorkQueue[Key] = WorkQueue(
            "definitions", self._definition, workers=settings.workers, may_work=self.leadership.held
        )
        self.runs: WorkQueue[RunKey] = WorkQueue(
            "runs", self._run_of, workers=settings.workers, may_work=self.leadership.held
        )
        self.namespaces = Watch(api, resources.NAMESPACES, self._namespace_changed) if not settings.namespaces else None
        self.templates = [self._watch(resources.TEMPLATES, scope, self._child_changed) for scope in settings.scopes]
        self.crons = [self._watch(resources.CRONS, scope, self._child_changed) for scope in settings.scopes]
        self.started = [
            Watch(api, resources.RUNS, self._run_changed, namespace=scope, labels=labels.REVISION)
            for scope in settings.scopes
        ]
        access = Access(api, self.announcer.say, self.leadership.held)
        domains = Domains(api, settings, self._known_namespaces)
        gatherer = Gatherer(api, settings, domains)
        self.reconciler = Reconciler(
            access, gatherer, domains, add=self.definitions.add, templates=self._known_templates
        )
        lookups = Lookups(settings.fill_seconds, settings.fill_lookups)
        self.run_reconciler = RunReconciler(api, Admission(access, domains, lookups), Recovery(access))
        self.watchdog = Watchdog(access)
        self.relist = resync.Relist(api, settings, self.definitions.add)
        self.kopf_ready = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def watches(self) -> list[Watch]:
        """Every watch outside kopf."""
        return [*([self.namespaces] if self.namespaces else []), *self.templates, *self.crons, *self.started]

    async def run(self) -> None:
        """Serve probes, wait for the kinds, then run every part until one of them ends."""
        metrics.BUILD_INFO.labels(version=_version()).set(1)
        runner, _ = await probing.serve(self.settings.port, self.healthy, self.ready)
        try:
            await edge.served(self.api)
            await self._run_parts()
        finally:
            await runner.cleanup()
            await self.api.close()

    async def _run_parts(self) -> None:
        self._start("lease", self.leadership.run())
        self._start("events", self.announcer.run())
        for watch in self.watches:
            self._start(f"watch of {watch.name}", watch.run())
        # Decisions rest on what the watches know of namespaces and templates: they come first.
        for watch in self.watches:
            await self._unless_ended(watch.synced.wait())
        self._start("relist", self.relist.run())
        self._start("sweep", self._sweep())
        self._start("definitions", self.definitions.run())
        self._start("runs", self.runs.run())
        self._start("kopf", edge.run(self.settings, self.definitions.add, self.kopf_ready))
        try:
            await self._unless_ended(asyncio.Event().wait())
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def healthy(self) -> str:
        """What is wrong with us; nothing if the loop turns and every part lives."""
        ended = [task.get_name() for task in self.tasks if task.done()]
        if ended:
            return f"ended: {', '.join(ended)}"
        now = asyncio.get_running_loop().time()
        silent = [watch.name for watch in self.watches if watch.synced.is_set() and now - watch.heard > SILENT_SECONDS]
        return f"silent: {', '.join(sorted(set(silent)))}" if silent else ""

    def ready(self) -> str:
        """What is missing before we can act, or stand by."""
        waits = [watch.name for watch in self.watches if not watch.synced.is_set()]
        if waits:
            return f"not listed yet: {', '.join(sorted(set(waits)))}"
        if not self.kopf_ready.is_set():
            return "kopf has not started"
        return "" if self.leadership.observed or self.leadership.held() else "the Lease has not been seen yet"

    def _start(self, name: str, part: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.create_task(part, name=name))

    async def _unless_ended(self, what: Coroutine[Any, Any, Any]) -> None:
        """Wait for `what`, or raise what ended a part first."""
        waiter = asyncio.ensure_future(what)
        try:
            await asyncio.wait([waiter, *self.tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in self.tasks:
                if task.done():
                    error = None if task.cancelled() else task.exception()
                    raise Ended(task.get_name()) from error
        finally:
            waiter.cancel()

    async def _definition(self, key: Key) -> float | None:
        return await self.reconciler.handle(key)

    async def _run_of(self, key: RunKey) -> float | None:
        return await self.run_reconciler.handle(key)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for scope in self.settings.scopes if self.leadership.held() else ():
                try:
                    await self.watchdog.sweep(scope)
                except errors.ClusterError as error:
                    log.warning("runs without a phase could not be looked through: %s", error)

    def _watch(self, resource: resources.Resource, scope: str, tell: Any) -> Watch:
        ours = f"{labels.MANAGED_BY}={labels.MANAGER},{labels.WORKFLOW}"
        return Watch(self.api, resource, tell, namespace=scope, labels=ours)

    def _child_changed(self, seen: Seen, gone: bool) -> None:
        del gone
        self.definitions.add(Key("Workflow", seen.namespace, seen.labels[labels.WORKFLOW]))

    def _run_changed(self, seen: Seen, gone: bool) -> None:
        if not gone and worth_a_look(seen, timestamps.now()):
            self.runs.add(RunKey(seen.namespace, seen.name))

    def _namespace_changed(self, seen: Seen, gone: bool) -> None:
        if not gone:
            self.definitions.add(Key("Domain", seen.name, view.NAME))

    def _known_namespaces(self) -> list[Seen]:
        return list(self.namespaces.known.values()) if self.namespaces else []

    def _known_templates(self) -> list[Seen]:
        return [seen for watch in self.templates for seen in watch.known.values()]


class Ended(Exception):
    """A part that should run for ever has ended."""


def _version() -> str:
    try:
        return metadata.version("alula")
    except metadata.PackageNotFoundError:
        return "unknown"
