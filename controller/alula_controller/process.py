"""The whole controller in one asyncio loop: what is started, in which order, and what its end means.

Called by `main`. A part that ends by itself is a defect; the process ends with it and is started anew by Kubernetes,
which loses nothing: all state is in the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import operator
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterator
from importlib import metadata
from typing import Any, TypeVar

from alula_api.argo.runs import COMPLETED_LABEL, PHASE_LABEL
from alula_api.contract import labels, names
from alula_api.contract.graphs import handlers
from alula_api.contract.notices import PENDING
from alula_api.contract.queue import Terms
from alula_api.contract.timetables import Schedule
from alula_controller import edge, metrics, probing, resync, timestamps
from alula_controller.admission import dispatch
from alula_controller.admission.cache_lookup import Lookups
from alula_controller.admission.reconcile import Admission, waiting
from alula_controller.cluster import client, discovery, errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.echoes import Echoes
from alula_controller.cluster.events import Announcer
from alula_controller.cluster.lease import Leadership
from alula_controller.cluster.queue import QueueKey, WorkQueue
from alula_controller.cluster.watches import Seen, Watch
from alula_controller.definitions.compilation import Compiler
from alula_controller.definitions.gather import Gatherer
from alula_controller.definitions.reconcile import Reconciler
from alula_controller.domains import view
from alula_controller.domains.gather import Domains
from alula_controller.inventory import Inventory
from alula_controller.notices import reconcile as notices
from alula_controller.notices.delivery import Deliveries
from alula_controller.notices.outbox import Outbox
from alula_controller.notices.reconcile import NoticeKey, Notices
from alula_controller.runs import failing, histories
from alula_controller.runs.failing import Failures
from alula_controller.runs.handlers import Handlers
from alula_controller.runs.outcomes import Outcomes
from alula_controller.runs.overdue import Overdue
from alula_controller.runs.reconcile import ENDED_RUN, FAILING_RUN, RUN, RunReconciler
from alula_controller.runs.recovery import Recovery, candidate
from alula_controller.runs.stop import Stop
from alula_controller.runs.watchdog import Watchdog
from alula_controller.schedules import reconcile as schedules
from alula_controller.schedules.reconcile import Scheduler
from alula_controller.settings import Settings
from alula_controller.triggers.reconcile import WAITING_PLAN, TriggerKey, Triggers

log = logging.getLogger(__name__)
K = TypeVar("K", bound=QueueKey)

SCHEDULES_PER_SECOND = 200.0  # launch plans that are looked at: ten thousand fire at midnight
PLACES_AT_ONCE = 64  # that may all hang for a few seconds without holding up another one's notices
NAMESPACES_AT_ONCE = 8  # whose runs may all hang in their stores for a few seconds without holding up another's
LEASE = "lease"  # the part that holds it
SWEEP_SECONDS = 30.0
ECHO_SECONDS = 1.0  # after which a definition is looked at because of what was made from it
STOP_SECONDS = 0.7  # for what writes, and once more for the Lease
SILENT_SECONDS = 300.0  # a watch that heard nothing for so long, not even a bookmark, is beyond mending by itself


class Controller:
    """All parts, wired. `run` runs them until one ends."""

    def __init__(self, settings: Settings, api: client.Cluster) -> None:
        self.settings = settings
        self.api = api
        clock = time.monotonic
        self.leadership = Leadership(api, settings, clock, self._acting_changed)
        self.announcer = Announcer(api, settings.identity, clock)
        self.work: list[WorkQueue[Any]] = []  # every queue
        self.watches: list[Watch] = []  # every watch outside kopf
        workers = settings.workers
        self.definitions = self._queue("definitions", self._definition, per_lane=max(1, workers // 2))
        self.runs = self._queue("runs", self._run_of, workers=workers * NAMESPACES_AT_ONCE, per_lane=workers)
        self.failing = self._queue("failing", self._run_of)
        self._watch_everything()
        access = Access(api, self.announcer.say, self.leadership.held)
        self.dispatcher = dispatch.Dispatcher(access, self._terms, self._known_waiting, self._look, clock)
        self.queues = self._queue("queues", self.dispatcher.handle)
        self.scheduler = Scheduler(access, self._schedule, self._fire, decided=self._schedule_decided)
        self.schedules = self._queue("schedules", self.scheduler.handle, per_second=SCHEDULES_PER_SECOND)
        self.ended = self._queue("ended", Outcomes(api).handle)
        self.histories = histories.Histories(access)
        self.told = self._queue("histories", self.histories.handle)
        self.inventory = Inventory(self._known_runs, self.scheduler.overdue, self.leadership.held)
        domains = self.domains = Domains(api, settings, self._known_namespaces)
        self.triggers = Triggers(access, namespaces=domains.known)
        self.triggered = self._queue("triggers", self.triggers.handle)
        self._tell_of_runs(access, domains)
        self.compiler = Compiler()
        gatherer = Gatherer(api, settings, domains, self.compiler.compile, self._kinds)
        self.echoes = Echoes()
        self.reconciler = Reconciler(
            access,
            gatherer,
            domains,
            add=self.definitions.add,
            templates=self._known_templates,
            waits=self.triggers.of_project,
            noted=self.inventory.saw,
            wrote=self.echoes.note,
            scheduled=self._scheduled,
            delivered=self.deliveries.condition,
        )
        lookups = Lookups(settings.fill_seconds, settings.fill_lookups)
        admission = Admission(access, domains, lookups, self.dispatcher.refusal)
        stopping = Stop(access, self.dispatcher.refusal)
        self.run_reconciler = RunReconciler(
            api,
            admission,
            Recovery(access),
            stopping,
            failures=Failures(access),
            handlers=Handlers(access),
            overdue=Overdue(access),
        )
        self.watchdog = Watchdog(access)
        self.relist = resync.Relist(api, settings, self.definitions.add)
        self.edge = edge.Definitions(settings, api.credentials, self.definitions.add, self.echoes)
        self.tasks: list[asyncio.Task[None]] = []

    def _tell_of_runs(self, access: Access, domains: Domains) -> None:
        """Make what tells people of runs: it needs the watches, and nothing waits for it."""
        outbox = self.outbox = Outbox(self._deliver, time.monotonic)
        self.notices = Notices(access, outbox, self._notice)
        self.noticed = self._queue("notices", self.notices.handle)
        self.deliveries = Deliveries(
            access, self.settings, domains, outbox, choice=self.notices.choice, told=self._places_changed
        )
        self.delivering = self._queue(
            "deliveries", self.deliveries.handle, lane=lambda place: place, workers=PLACES_AT_ONCE, per_lane=1
        )

    def _watch_everything(self) -> None:
        """Make the watches of all that is watched outside kopf."""
        everywhere = not self.settings.namespaces
        self.namespaces = self._watch(resources.NAMESPACES, self._namespace_changed) if everywhere else []
        ours = f"{labels.MANAGED_BY}={labels.MANAGER},{labels.WORKFLOW}"
        self.templates = self._watch(resources.TEMPLATES, self._template_changed, ours)
        self.revisions = self._watch(resources.REVISIONS, self._child_changed, ours)
        self.crons = self._watch(resources.CRONS, self._child_changed, ours)
        self.bindings = self._watch(resources.BINDINGS, self._child_changed, ours)
        # Runs that are over are many: those that failed are looked at when they do and after a takeover, none is kept.
        under_way = f"{labels.REVISION},{COMPLETED_LABEL}!=true"
        failed = f"{labels.REVISION},{PHASE_LABEL}=Failed"
        self.started = self._watch(resources.RUNS, self._run_changed, under_way)
        self.settled: set[str] = set()  # uids of runs under way whose mark, if they have one, is of their hold
        self.failed = self._ended(failed, self._run_failed)
        pending = f"{labels.HANDLERS}={handlers.PENDING},{COMPLETED_LABEL}=true"
        self.handled = self._ended(pending, self._run_to_handle)
        owed = f"{labels.NOTICES}={PENDING},{COMPLETED_LABEL}=true"
        self.untold = self._ended(owed, self._run_to_tell)
        over = f"{labels.REVISION},{COMPLETED_LABEL}=true,!{labels.TRIGGERED}"
        self.unanswered = self._ended(over, self._run_over)

    def _ended(self, selector: str, tell: Callable[[Seen, bool], None]) -> list[Watch]:
        """Watches of runs that are over, of which none is kept."""
        return self._watch(resources.RUNS, tell, selector, remember=False)

    def _watch(
        self,
        resource: resources.Resource,
        tell: Callable[[Seen, bool], None],
        selector: str = "",
        *,
        remember: bool = True,
    ) -> list[Watch]:
        """The watches of all objects of a kind with these labels, in all namespaces that are served."""
        made = [
            Watch(self.api, resource, tell, namespace=scope, labels=selector, remember=remember)
            for scope in self.settings.scopes
        ]
        self.watches += made
        return made

    def _queue(
        self,
        name: str,
        handle: Callable[[K], Awaitable[float | None]],
        *,
        lane: Callable[[K], Hashable] = operator.attrgetter("lane"),
        workers: int | None = None,
        per_lane: int | None = None,
        per_second: float = 50.0,
    ) -> WorkQueue[K]:
        """A queue that works while we act."""
        made = WorkQueue(
            name,
            handle,
            lane=lane,
            workers=workers or self.settings.workers,
            per_lane=per_lane,
            per_second=per_second,
            may_work=self.leadership.held,
        )
        self.work.append(made)
        return made

    async def run(self, stop: asyncio.Event) -> None:
        """Serve probes, wait for the kinds, then run every part until `stop` is set.

        Raises:
            Ended: a part ended, which none should.
        """
        metrics.BUILD_INFO.labels(version=_version()).set(1)
        metrics.REGISTRY.register(self.inventory)
        runner, _ = await probing.serve(self.settings.port, self.healthy, self.ready)
        try:
            if await _before(stop, discovery.served(self.api)):
                await self._run_parts(stop)
        finally:
            metrics.REGISTRY.unregister(self.inventory)
            await runner.cleanup()
            await self.deliveries.close()
            await self.compiler.close()
            await self.api.close()

    async def _run_parts(self, stop: asyncio.Event) -> None:
        try:
            await self._unless_ended(_before(stop, self._start_parts()))
            await self._unless_ended(stop.wait())
        finally:
            await self._stop_parts()

    async def _start_parts(self) -> None:
        self._start(LEASE, self.leadership.run())
        self._start("events", self.announcer.run())
        for watch in self.watches:
            self._start(f"watch of {watch.name}", watch.run())
        # Decisions rest on what the watches know of namespaces and templates: they come first.
        for watch in self.watches:
            await watch.synced.wait()
        await self.domains.look_around()
        for watch in self.unanswered:  # they were told before it was known what waits for them
            watch.again()
        self._start("relist", self.relist.run())
        self._start("sweep", self._sweep())
        for queue in self.work:
            self._start(queue.name, queue.run())
        self._start("agenda", self._wake())
        self._start("kopf", self.edge.run())

    async def _stop_parts(self) -> None:
        """First what writes, then the Lease, so that the next holder never meets us."""
        lease = [task for task in self.tasks if task.get_name() == LEASE]
        for batch in ([task for task in self.tasks if task not in lease], lease):
            for task in batch:
                task.cancel()
            if batch:
                await asyncio.wait(batch, timeout=STOP_SECONDS)

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
        if not self.edge.ready.is_set():
            return "kopf has not started"
        return "" if self.leadership.observed or self.leadership.held() else "the Lease has not been seen yet"

    def _start(self, name: str, part: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.create_task(part, name=name))

    async def _unless_ended(self, what: Coroutine[Any, Any, Any]) -> None:
        """Wait for `what`, or raise what ended a part first."""
        waiter = asyncio.ensure_future(what)
        try:
            while not waiter.done():
                await asyncio.wait([waiter, *self.tasks], return_when=asyncio.FIRST_COMPLETED, timeout=1.0)
                for task in self.tasks:
                    if task.done():
                        error = None if task.cancelled() else task.exception()
                        raise Ended(task.get_name()) from error
        finally:
            waiter.cancel()

    async def _definition(self, key: QueueKey) -> float | None:
        again = await self.reconciler.handle(key)
        if key.kind == "Domain":
            self.queues.add(QueueKey(key.namespace, view.NAME, dispatch.KIND))  # its quota may have changed
        return again

    async def _run_of(self, key: QueueKey) -> float | None:
        return await self.run_reconciler.handle(key)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for scope in self.settings.scopes if self.leadership.held() else ():
                try:
                    await self.watchdog.sweep(scope)
                    await self.watchdog.heal(scope)
                except errors.ClusterError as error:
                    log.warning("runs without a phase could not be looked through: %s", error)

    async def _wake(self) -> None:
        while True:
            if self.leadership.held():
                self.scheduler.wake()
                self.notices.wake()
            await asyncio.sleep(schedules.LOOK_SECONDS)

    def _fire(self, key: QueueKey) -> None:
        self.schedules.add(key)

    def _template_changed(self, seen: Seen, gone: bool) -> None:
        self._child_changed(seen, gone)
        if plan := _plan_of(seen):
            self.schedules.add(plan)
            if self._waits(plan, seen, gone):
                self.triggered.add(TriggerKey(plan.namespace, plan.name, WAITING_PLAN))
            workflow = seen.labels.get(labels.WORKFLOW, "")
            if self.notices.note(plan.namespace, plan.name, workflow, "" if gone else seen.notices):
                self.noticed.add(NoticeKey(plan.namespace, plan.name))

    def _waits(self, plan: QueueKey, seen: Seen, gone: bool) -> bool:
        """Remember what a launch plan waits for; whether it does, or has."""
        workflow = seen.labels.get(labels.WORKFLOW, "")
        return self.triggers.note(plan.namespace, workflow, plan.name, "" if gone else seen.trigger)

    def _child_changed(self, seen: Seen, gone: bool) -> None:
        """What was made from a definition has changed. Several may at once; the definition's status follows them."""
        key = _definition_of(seen)
        if gone:
            self.definitions.add(key, ECHO_SECONDS)
        else:
            self.echoes.unless_one(seen.uid, seen.version, lambda: self.definitions.add(key), ECHO_SECONDS)

    def _run_changed(self, seen: Seen, gone: bool) -> None:
        self.watchdog.taken_up.saw(seen)
        key = QueueKey(seen.namespace, seen.name, RUN)
        self._perhaps_failing(seen, gone)
        if self.leadership.held() and seen.labels.get(labels.LAUNCH_PLAN):
            self.notices.saw(seen, waits=waiting(seen), gone=gone)
        if gone:
            self.settled.discard(seen.uid)
            self.runs.discard(key)
            self.ended.add(key)
        elif waiting(seen) or seen.stop:
            self.settled.add(seen.uid)
            self.runs.add(key)
        elif seen.uid in self.settled:
            self.runs.discard(key)
        else:  # it comes with its mark: a retry may have begun its hold anew
            if self.leadership.held():
                self.settled.add(seen.uid)
            self.runs.add(key, behind=True)
        self.queues.add(QueueKey(seen.namespace, view.NAME, dispatch.KIND))
        if not self.leadership.held():
            return
        if name := seen.labels.get(labels.WORKFLOW):
            workflow = QueueKey(seen.namespace, name, histories.KIND)
            if self.histories.note(workflow, seen, gone):
                self.told.add(workflow, histories.TOGETHER_SECONDS)
        if seen.labels.get(labels.LAUNCH_PLAN):
            plan = QueueKey(seen.namespace, seen.labels[labels.LAUNCH_PLAN], schedules.KIND)
            if self.scheduler.note(plan, seen, gone):
                self.schedules.add(plan, schedules.RUN_SECONDS)

    def _perhaps_failing(self, seen: Seen, gone: bool) -> None:
        key = QueueKey(seen.namespace, seen.name, FAILING_RUN)
        if gone:
            self.failing.discard(key)
        elif not waiting(seen):
            self.failing.add(key, failing.LOOK_SECONDS)

    def _run_failed(self, seen: Seen, gone: bool) -> None:
        if not gone and candidate(seen, timestamps.now()):
            self.runs.add(QueueKey(seen.namespace, seen.name, ENDED_RUN), behind=True)

    def _run_to_handle(self, seen: Seen, gone: bool) -> None:
        if not gone:
            self.runs.add(QueueKey(seen.namespace, seen.name, ENDED_RUN), behind=True)

    def _run_to_tell(self, seen: Seen, gone: bool) -> None:
        if not gone and (plan := seen.labels.get(labels.LAUNCH_PLAN)):
            self.noticed.add(NoticeKey(seen.namespace, plan), notices.SETTLE_SECONDS)

    def _notice(self, key: NoticeKey) -> None:
        self.noticed.add(key)

    def _deliver(self, place: QueueKey) -> None:
        self.delivering.add(place)

    def _schedule_decided(self, key: QueueKey) -> None:
        if self.notices.choice(key.namespace, key.name)[1].notices:
            self.noticed.add(NoticeKey(key.namespace, key.name))

    def _places_changed(self, namespace: str) -> None:
        self.definitions.add(QueueKey(namespace, view.NAME, "Domain"), ECHO_SECONDS)

    def _run_over(self, seen: Seen, gone: bool) -> None:
        for key in self.triggers.keys(seen) if not gone else ():
            self.triggered.add(key)

    def _namespace_changed(self, seen: Seen, gone: bool) -> None:
        if gone:
            self.watchdog.taken_up.forget(seen.name)
        else:
            self.definitions.add(QueueKey(seen.name, view.NAME, "Domain"))

    def _acting_changed(self, acting: bool) -> None:
        """Nothing of what was queued before counts any more; what may need work follows from what is there now."""
        remembering: list[Any] = [self.histories, self.outbox, self.notices, self.scheduler, self.inventory]
        for forgotten in (*self.work, *remembering):
            forgotten.clear()
        if not acting:
            return
        for watch in self.started:
            for seen in watch.all():
                self._run_changed(seen, False)
        for watch in (*self.failed, *self.handled, *self.unanswered, *self.untold):
            watch.again()
        for told in self.notices.plans():
            self.noticed.add(told, behind=True)
        for waits in self.triggers.plans():
            self.triggered.add(waits, behind=True)
        for watch in self.templates:
            for seen in watch.all():
                if plan := _plan_of(seen):
                    self.schedules.add(plan, behind=True)
        children = (*self.templates, *self.crons, *self.bindings, *self.revisions)
        for watch in children:  # also of definitions that are gone
            for seen in watch.all():
                self.definitions.add(_definition_of(seen), behind=True)
        self.relist.everything()

    def _known_namespaces(self) -> list[Seen]:
        return [seen for watch in self.namespaces for seen in watch.all()]

    def _known_runs(self) -> Iterator[Seen]:
        return (seen for watch in self.started for seen in watch.all())

    def _known_waiting(self, namespace: str) -> list[str]:
        return [seen.name for watch in self.started for seen in watch.of(namespace).values() if waiting(seen)]

    def _look(self, namespace: str, name: str) -> None:
        self.runs.add(QueueKey(namespace, name, RUN))

    def _terms(self, namespace: str, plan: str) -> Terms:
        template = self._template_of(namespace, plan)
        return Terms.from_text(template.terms if template is not None else "")

    def _schedule(self, namespace: str, plan: str) -> Schedule | None:
        template = self._template_of(namespace, plan)
        return Schedule.from_text(template.schedule if template is not None else "")

    def _template_of(self, namespace: str, plan: str) -> Seen | None:
        name = names.launch_plan_template(plan)
        return next((watch.of(namespace)[name] for watch in self.templates if name in watch.of(namespace)), None)

    def _scheduled(self, namespace: str, plan: str) -> None:
        """A launch plan has changed, or all of a namespace have."""
        if plan:
            self.schedules.add(QueueKey(namespace, plan, schedules.KIND))
            self.triggered.add(TriggerKey(namespace, plan, WAITING_PLAN))
            return
        for seen in self._known_templates(namespace):
            if seen.schedule and (key := _plan_of(seen)):
                self.schedules.add(key, behind=True)

    def _kinds(self, namespace: str) -> list[resources.Resource]:
        """Of which there are generated objects in a namespace."""
        few = ((resources.BINDINGS, self.bindings), (resources.CRONS, self.crons))
        there = [kind for kind, watches in few if any(watch.of(namespace) for watch in watches)]
        return [resources.TEMPLATES, *there]

    def _known_templates(self, namespace: str) -> list[Seen]:
        return [seen for watch in self.templates for seen in watch.of(namespace).values()]


class Ended(Exception):
    """A part that should run for ever has ended."""


async def _before(stop: asyncio.Event, work: Coroutine[Any, Any, Any]) -> bool:
    """Whether `work` came to its end before `stop` was set."""
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(work)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if waits[1].done():
            waits[1].result()
        return not stop.is_set()
    finally:
        for each in waits:
            each.cancel()


def _definition_of(child: Seen) -> QueueKey:
    return QueueKey(child.namespace, child.labels[labels.WORKFLOW], "Workflow")


def _plan_of(template: Seen) -> QueueKey | None:
    """The launch plan whose template this is, if it is one's."""
    plan = template.labels.get(labels.LAUNCH_PLAN, "")
    own = bool(plan) and template.name == names.launch_plan_template(plan)
    return QueueKey(template.namespace, plan, schedules.KIND) if own else None


def _version() -> str:
    try:
        return metadata.version("alula")
    except metadata.PackageNotFoundError:
        return "unknown"
