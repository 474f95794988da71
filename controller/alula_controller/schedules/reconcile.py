"""One launch plan's schedule, once: read, decide, create the runs whose time has come, then write the status.

Killed between the two writes, the same runs are created again, which their names refuse. The status is written for the
version that was read, so that of two replicas that both believe to act the slower one decides anew. Called by the work
queue of schedules: when a tick has come (`wake`), when the plan, its template or its Domain changes, and a moment after
one of its runs has begun or ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.argo.runs import COMPLETED_LABEL
from alula_api.contract import labels, names, queue
from alula_api.contract.ticks import Timetable
from alula_api.contract.timetables import CatchUp, Schedule
from alula_controller import logs, metrics, timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains.view import NAME, DomainView
from alula_controller.runs import histories, latest
from alula_controller.runs.noted import Noted
from alula_controller.schedules import decide, firing, status
from alula_controller.schedules.agenda import Agenda
from alula_controller.schedules.decide import Decided, Decision, Plan, State
from alula_controller.schedules.status import Skipped

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MORE_SECONDS = 0.05  # before the ticks that did not fit into one decision
KIND = "Schedule"
RUN_SECONDS = 2.0  # for a plan's runs to be told of together

Body = Mapping[str, Any]


class Scheduler:
    """Starts the runs of schedules.

    Args:
        access: the cluster.
        schedule: the schedule of a namespace's launch plan, by name, as its compiled template has it; None for none.
        add: puts a key into the queue.
        now: the wall clock.
        decided: called with a plan of whose schedule or runs something new was written down.
    """

    def __init__(
        self,
        access: Access,
        schedule: Callable[[str, str], Schedule | None],
        add: Callable[[QueueKey], None],
        now: Callable[[], datetime] = timestamps.now,
        decided: Callable[[QueueKey], None] = lambda key: None,
    ) -> None:
        self._access = access
        self._api = access.api
        self._schedule = schedule
        self._add = add
        self._now = now
        self._decided = decided
        self._agenda: Agenda[QueueKey] = Agenda()
        self._noticed: dict[QueueKey, datetime] = {}  # since when a tick of the plan is known to have come
        self._runs: Noted[QueueKey] = Noted()

    def clear(self) -> None:
        """Forget everything: what was noticed before counts only for a controller that has acted ever since."""
        self._agenda.clear()
        self._noticed.clear()
        self._runs.clear()

    def wake(self) -> None:
        """Put the plans into the queue whose tick has come."""
        now = self._now()
        for key in self._agenda.due(now):
            self._noticed.setdefault(key, now)
            self._add(key)

    def overdue(self, now: datetime) -> datetime | None:
        """Since when the schedule has been due that is due for longest; None when none is."""
        first = self._agenda.first()
        due = [*self._noticed.values(), *([first] if first is not None and first <= now else [])]
        return min(due, default=None)

    def note(self, key: QueueKey, seen: Seen, gone: bool = False) -> bool:
        """Remember a run of the plan that has begun, changed its phase or ended; whether it has."""
        return self._runs.note(key, seen, gone)

    async def handle(self, key: QueueKey) -> float | None:
        """Look at one plan; when to look again, if the agenda does not say it."""
        plan = await self._api.find(resources.LAUNCH_PLANS.path(key.namespace, key.name))
        if plan is None or plan["metadata"].get("deletionTimestamp"):
            self._forget(key)
            return None
        plan = {**plan, "apiVersion": resources.LAUNCH_PLANS.api_version, "kind": resources.LAUNCH_PLANS.kind}
        schedule = self._schedule(key.namespace, key.name)
        now = self._now()
        before: Decided | None = None
        decision = Decision()
        if schedule is not None:
            before = status.decided(plan) or await self._taken_over(key, schedule)
            decision = decide.decide(await self._plan(key, plan, schedule, before), now, self._noticed.get(key))
        if not self._access.may_write():
            return LOOK_SECONDS
        noted = self._runs.take(key)
        try:
            await self._act(plan, schedule, decision, before, noted)
        except BaseException:
            self._runs.put_back(key, noted)
            raise
        return self._wait(key, decision, now)

    async def _act(
        self,
        plan: Body,
        schedule: Schedule | None,
        decision: Decision,
        before: Decided | None,
        noted: Mapping[str, str],
    ) -> None:
        """Create the runs, then write the status."""
        patch: dict[str, Any] = {}
        started: list[str] = []
        if schedule is not None:
            skipped = await self._fire(plan, schedule, decision, started)
            if decision.decided or before:
                patch["schedule"] = status.schedule(plan, decision, before, skipped)
        elif (plan.get("status") or {}).get("schedule"):
            patch["schedule"] = None
        space = str(plan["metadata"]["namespace"])
        named = [*noted, *started, *latest.unfinished(plan)]
        patch |= latest.latest(plan, await histories.read(self._api, space, named))
        if not latest.differs(plan, patch) or not self._access.may_write():
            return
        await self._access.patch_status(resources.LAUNCH_PLANS, plan, patch)
        self._decided(QueueKey(space, plan["metadata"]["name"], KIND))

    def _wait(self, key: QueueKey, decision: Decision, now: datetime) -> float | None:
        """Have the plan looked at when its next tick has come; the delay if that is at once."""
        if decision.next is not None and decision.next <= now:
            return MORE_SECONDS
        self._noticed.pop(key, None)
        self._agenda.put(key, decision.next)
        return None

    def _forget(self, key: QueueKey) -> None:
        self._agenda.put(key, None)
        self._noticed.pop(key, None)
        self._runs.take(key)

    async def _plan(self, key: QueueKey, plan: Body, schedule: Schedule, before: Decided | None) -> Plan:
        domain = DomainView.of(await self._api.find(resources.DOMAINS.path(key.namespace, NAME)))
        state = State.ACTIVE
        if schedule.suspended or domain.suspended:
            state = State.SUSPENDED
        elif not domain.schedules:
            state = State.DISABLED
        window = timedelta(days=1) if schedule.within is None else timedelta(seconds=schedule.within)
        catch_up = CatchUp(schedule.catch_up) if schedule.catch_up else CatchUp.NONE
        timetable = Timetable.of(schedule)
        return Plan(str(plan["metadata"]["uid"]), timetable, state, catch_up, window, before)

    async def _taken_over(self, key: QueueKey, schedule: Schedule) -> Decided | None:
        """How far the CronWorkflow of an earlier version has decided the schedule of a plan that we see first."""
        cron = await self._api.find(resources.CRONS.path(key.namespace, names.launch_plan_template(key.name)))
        return firing.taken_over(cron, schedule) if cron is not None else None

    async def _fire(self, plan: Body, schedule: Schedule, decision: Decision, started: list[str]) -> list[Skipped]:
        """Create the runs of a decision; the ticks that get none after all."""
        skipped = []
        for tick in decision.fire:
            run = firing.run(plan, schedule, tick)
            reason = await self._busy(plan, run) or await self._start(run, tick)
            if reason:
                skipped.append(Skipped(tick, reason))
                self._access.announce(plan, Reason.TICK_SKIPPED, f"{run['metadata']['name']}: {reason}", warning=True)
            else:
                started.append(str(run["metadata"]["name"]))
            metrics.SCHEDULED_RUNS.labels(result="skipped" if reason else "started").inc()
        if decision.skipped:
            metrics.SCHEDULED_RUNS.labels(result="missed").inc(decision.skipped)
            message = f"{decision.skipped} scheduled times were missed and are not caught up with"
            self._access.announce(plan, Reason.TICK_SKIPPED, message, warning=True)
        return skipped

    async def _busy(self, plan: Body, run: Body) -> str:
        """Why a plan that skips what is beyond its limit starts no run now, if so. The run itself, which a controller
        that was killed may have made, does not count."""
        given = (plan.get("spec") or {}).get("concurrency") or {}
        if given.get("policy") != queue.SKIP:
            return ""
        metadata, most = plan["metadata"], int(given["limit"])
        selector = f"{labels.LAUNCH_PLAN}={metadata['name']},{COMPLETED_LABEL}!=true"
        path = resources.RUNS.path(metadata["namespace"])
        found = await self._api.list(path, labels=selector, metadata_only=True)
        others = [each for each in found.items if each["metadata"]["name"] != run["metadata"]["name"]]
        if len(others) < len(found.items) or len(others) < most:
            return ""
        return f"{len(others[:most])} of {most} runs of launch plan {metadata['name']} {status.UNDER_WAY}"

    async def _start(self, run: dict[str, Any], tick: datetime) -> str:
        """Create a run; why there is to be none, if so."""
        metadata = run["metadata"]
        try:
            started = await self._access.start(run)
        except errors.Refused as error:
            if self._now() - tick < decide.ON_TIME:
                raise  # a quota may have room in a moment
            return f"refused: {error}"
        if not started:
            found = await self._access.run_of_name(run)
            return "" if firing.answers(found, run) else "another run has the name that this one would have"
        metrics.SCHEDULE_LAG.observe(max(0.0, (self._now() - tick).total_seconds()))
        log.info("started for %s", timestamps.seconds(tick), extra=logs.about(name=metadata["name"]))
        return ""
