"""What is owed for one launch plan, or for one run of it that is under way: read, decide, write down, hand on.

What is written comes before what is sent: first what the plan remembers, then the run's mark, each for the version that
was read, then the notice goes to the outbox. Killed in between, all of it is decided again, and alike. Called by the
work queue of notices: when a run with notices is over, when one becomes late or has waited for too long, when the
schedule of a plan was decided, and for every plan with notices when a replica begins to act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import holds
from alula_api.argo.runs import COMPLETED_LABEL
from alula_api.contract import labels, notices
from alula_api.contract.notices import Choice, When
from alula_api.kinds.launch_plans import MOST_OWED
from alula_controller import conditions, timestamps
from alula_controller.cluster import resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.notices import decide, marks
from alula_controller.notices.decide import Memory
from alula_controller.notices.marks import Mark
from alula_controller.notices.outbox import Outbox, Owed
from alula_controller.runs import latest
from alula_controller.schedules import status as schedules
from alula_controller.schedules.agenda import Agenda

AGAIN_SECONDS = 1.0
FULL_SECONDS = 30.0  # before those are looked for that did not fit
SETTLE_SECONDS = 2.0  # after the end of a run, in which its message is set right and a lost one is started again
MAX_RUNS = 200  # runs of a plan that are looked at in one go
PLAN, RUN = "Notices", "NoticesOfRun"

Body = Mapping[str, Any]


@dataclass(frozen=True)
class NoticeKey(QueueKey):
    """A launch plan (`Notices`), or a run of it that is under way (`NoticesOfRun`)."""

    kind: str = PLAN
    plan: str = ""


class Notices:
    """Finds out what is owed.

    Args:
        access: the cluster.
        outbox: gets it.
        add: puts a key into the queue.
        now: the wall clock.
    """

    def __init__(
        self,
        access: Access,
        outbox: Outbox,
        add: Callable[[NoticeKey], None],
        now: Callable[[], datetime] = timestamps.now,
    ) -> None:
        self._access = access
        self._api = access.api
        self._outbox = outbox
        self._add = add
        self._now = now
        self._known: dict[tuple[str, str], tuple[str, Choice]] = {}  # namespace, plan -> workflow, who is told
        self._agenda: Agenda[NoticeKey] = Agenda()
        self._decided: dict[str, set[str]] = {}  # of runs under way, by uid: what is decided already

    def clear(self) -> None:
        """Forget what is under way; the plans are known by their templates."""
        self._agenda.clear()
        self._decided.clear()

    def note(self, namespace: str, plan: str, workflow: str, text: str) -> bool:
        """Remember whom the compiled template of a launch plan has told; whether anybody is, or was."""
        before = self._known.pop((namespace, plan), None)
        choice = Choice.from_text(text)
        if choice.notices:
            self._known[namespace, plan] = workflow, choice
        return bool(choice.notices) or before is not None

    def plans(self) -> list[NoticeKey]:
        """All launch plans with notifications."""
        return [NoticeKey(namespace, plan) for namespace, plan in self._known]

    def choice(self, namespace: str, plan: str) -> tuple[str, Choice]:
        """The workflow of a plan, and who is told of its runs."""
        return self._known.get((namespace, plan), ("", Choice()))

    def saw(self, seen: Seen, *, waits: bool, gone: bool = False) -> None:
        """Have a run that is under way looked at when a notice of it is due."""
        plan = seen.labels.get(labels.LAUNCH_PLAN, "")
        key = NoticeKey(seen.namespace, seen.name, RUN, plan)
        if gone or (seen.namespace, plan) not in self._known:
            self._agenda.put(key, None)
            self._decided.pop(seen.uid, None)
            return
        if seen.labels.get(labels.NOTICES) == notices.DONE:
            self._add(key)
        self._expect(key, seen.uid, seen.created, seen.tick, waits=waits)

    def _expect(self, key: NoticeKey, uid: str, created: str, tick: str, *, waits: bool) -> None:
        _, choice = self.choice(key.namespace, key.plan)
        times = decide.moments(choice, created=decide.moment(created), tick=decide.moment(tick), waits=waits)
        decided = self._decided.get(uid, ())
        self._agenda.put(key, min((when for when, notice in times if notice not in decided), default=None))

    def wake(self) -> None:
        """Put the runs into the queue whose moment has come."""
        for key in self._agenda.due(self._now()):
            self._add(key)

    async def handle(self, key: NoticeKey) -> float | None:
        """Look at one plan or run; when to look again, if ever."""
        return await (self._of_run(key) if key.kind == RUN else self._of_plan(key))

    # A run that is under way

    async def _of_run(self, key: NoticeKey) -> float | None:
        body = await self._api.find(resources.RUNS.path(key.namespace, key.name), metadata_only=True)
        if body is None or not self._access.may_write():
            return None if body is None else AGAIN_SECONDS
        metadata = body["metadata"]
        given, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
        if given.get(COMPLETED_LABEL) == "true":
            return None  # its end is told of
        if given.get(labels.NOTICES) == notices.DONE:
            await self._access.patch_run(body, marks.again(metadata))
            return AGAIN_SECONDS
        workflow, choice = self.choice(key.namespace, key.plan)
        waits = not holds.marks(str(given.get(labels.ADMITTED) or ""), str(metadata["uid"]))
        created, tick = str(metadata.get("creationTimestamp") or ""), _tick(notes)
        times = decide.moments(choice, created=decide.moment(created), tick=decide.moment(tick), waits=waits)
        due, _ = decide.due(times, self._now())
        before = Mark.of(metadata)
        after = before.only(choice.every)
        if not given.get(labels.OUTCOME):
            for notice in due:
                after = after.owes(notice)
        if after != before:
            await self._access.patch_run(body, after.patch(metadata))
        fits = self._hand_on(key.namespace, key.plan, workflow, metadata, after)
        self._decided.setdefault(str(metadata["uid"]), set()).update(due)
        self._expect(key, str(metadata["uid"]), created, tick, waits=waits)
        return None if fits else FULL_SECONDS

    # A launch plan, and its runs that are over

    async def _of_plan(self, key: NoticeKey) -> float | None:
        plan = await self._api.find(resources.LAUNCH_PLANS.path(key.namespace, key.name))
        if not self._access.may_write():
            return AGAIN_SECONDS
        workflow, choice = self.choice(key.namespace, key.name)
        if plan is not None and (plan.get("spec") or {}).get("notifications") and not choice.notices:
            return FULL_SECONDS  # its template is on its way
        fits = True
        if plan is not None and choice.notices:
            plan = await self._missed(plan, choice)
            fits = self._hand_on_missed(key, workflow, plan)
            self._expect_unfinished(key, plan)
        selector = f"{labels.LAUNCH_PLAN}={key.name},{COMPLETED_LABEL}=true,{labels.NOTICES}={notices.PENDING}"
        found = await self._api.list(
            resources.RUNS.path(key.namespace), labels=selector, metadata_only=True, most=MAX_RUNS
        )
        for body in sorted(found.items, key=_age):
            mark = Mark.of(body["metadata"])
            kept = mark.only(choice.every)
            if not mark.end:
                plan, kept = await self._decide(plan, body, choice)
            elif kept != mark or kept.done:
                await self._access.patch_run(body, kept.patch(body["metadata"]))
            fits &= self._hand_on(key.namespace, key.name, workflow, body["metadata"], kept)
        return None if fits and len(found.items) < MAX_RUNS else FULL_SECONDS

    async def _decide(self, plan: Body | None, run: Body, choice: Choice) -> tuple[dict[str, Any] | None, Mark]:
        """Decide what the end of a run is, and write it down: in the plan what is remembered, then in the run."""
        memory = Memory.of(plan) if plan is not None else Memory()
        metadata = run["metadata"]
        end = decide.ended(metadata, memory)
        now = dict(plan) if plan is not None else None
        if now is not None and end.memory != memory:
            now = await self._remember(now, failing=end.memory.failing, run=end.memory.run)
        before = Mark.of(metadata).only(choice.every)
        mark = before.ended(end.event, choice.places(end.event) if now is not None else ())
        await self._access.patch_run(run, mark.patch(metadata))
        return now, mark

    async def _missed(self, plan: dict[str, Any], choice: Choice) -> dict[str, Any]:
        """Decide of scheduled times that have no run; the first sight of a plan records and tells of none."""
        memory = Memory.of(plan)
        found = decide.missed(plan, memory, schedules.by_policy)
        if memory.missed is None:
            return await self._remember(plan, failing=memory.failing, missed=found.latest if found else "-")
        if found is None:
            return plan
        reason = conditions.clip(found.reason, schedules.LONGEST_REASON)
        new = [{"place": place, "tick": found.latest, "reason": reason} for place in decide.late_from(choice)]
        before = ((plan.get("status") or {}).get("notices") or {}).get("owed") or []
        owed = [*before, *new][-MOST_OWED:]
        return await self._remember(plan, failing=memory.failing, missed=found.latest, owed=owed)

    async def _remember(self, plan: Body, **said: Any) -> dict[str, Any]:
        """Write a part of what the plan's status says of notices."""
        return await self._access.patch_status(resources.LAUNCH_PLANS, plan, {"notices": said})

    def _expect_unfinished(self, key: NoticeKey, plan: Body) -> None:
        """Also of runs that Argo has not begun, which no watch of ours sees."""
        for each in (plan.get("status") or {}).get("runs") or []:
            if each.get("tick") and each.get("phase") not in latest.ENDED:
                run = NoticeKey(key.namespace, str(each["name"]), RUN, key.name)
                if run not in self._agenda:
                    self._expect(run, "", str(each["created"]), str(each["tick"]), waits=True)

    # Handing on

    def _hand_on(self, namespace: str, plan: str, workflow: str, metadata: Body, mark: Mark) -> bool:
        created = str(metadata.get("creationTimestamp") or "")
        name, uid = str(metadata["name"]), str(metadata["uid"])
        fits = True
        for notice in mark.owed:
            when, _, place = notice.partition("/")
            if when in tuple(When) and place:
                fits &= self._outbox.add(namespace, Owed(when, place, plan, workflow, uid, name, created))
        return fits

    def _hand_on_missed(self, key: NoticeKey, workflow: str, plan: Body) -> bool:
        fits = True
        for each in ((plan.get("status") or {}).get("notices") or {}).get("owed") or []:
            tick, reason = str(each["tick"]), str(each["reason"])
            owed = Owed(When.LATE, str(each["place"]), key.name, workflow, tick, reason=reason)
            fits &= self._outbox.add(key.namespace, owed)
        return fits


def _age(body: Body) -> tuple[str, str]:
    return str(body["metadata"].get("creationTimestamp") or ""), str(body["metadata"]["name"])


def _tick(notes: Mapping[str, Any]) -> str:
    """The scheduled time that a run was started for by its schedule: of the past when a backfill made it."""
    return "" if notes.get(labels.BACKFILL) == "true" else str(notes.get(labels.TICK) or "")[:40]
