"""Schedules through the whole scheduler against an API server in a dictionary, killed wherever it can be killed."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alula_api import kinds
from alula_api.argo.runs import COMPLETED_LABEL, PHASE_LABEL
from alula_api.contract import labels, ticks
from alula_api.contract.ticks import Timetable
from alula_api.contract.timetables import Schedule
from alula_controller import timestamps
from alula_controller.cluster import errors
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.schedules import decide
from alula_controller.schedules.reconcile import KIND, Scheduler
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

KEY = QueueKey(scenes.SPACE, "nightly", KIND)
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOURLY = Schedule(("0 * * * *",))
HOUR = timedelta(hours=1)


class Bench:
    """A cluster with one launch plan, and a scheduler that can be killed and started anew, on a clock of the test."""

    def __init__(self, schedule: Schedule | None = HOURLY, *bodies: dict[str, Any]) -> None:
        self.api = FakeCluster()
        for body in (scenes.namespace(), scenes.launch_plan(), *bodies):
            self.api.put(body)
        self.schedule = schedule
        self.now = NOON
        self.events: list[Any] = []
        self.may_write = True
        self.created: list[str] = []
        self.start()

    def start(self) -> None:
        self.queue: list[QueueKey] = [KEY]
        access = Access(self.api, self.events.append, lambda: self.may_write)  # type: ignore[arg-type]
        self.scheduler = Scheduler(access, lambda *_: self.schedule, self.queue.append, lambda: self.now)

    def handle(self) -> float | None:
        return asyncio.run(self.scheduler.handle(KEY))

    def settle(self) -> None:
        """What the queue does at this moment."""
        self.scheduler.wake()
        for _ in range(100):
            if not self.queue:
                return
            self.queue.clear()
            if self.handle() is not None:
                self.queue.append(KEY)
        raise AssertionError("it does not settle")

    def pass_by(self, time: timedelta, step: timedelta = timedelta(seconds=30)) -> None:
        end = self.now + time
        while self.now < end:
            self.now = min(end, self.now + step)
            self.settle()

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        return {name: body for name, body in self.api.all("Workflow").items() if "argoproj" in body["apiVersion"]}

    @property
    def status(self) -> dict[str, Any]:
        return dict(self.api.all("LaunchPlan")["nightly"].get("status") or {})

    def fired(self) -> list[str]:
        """The ticks for which runs were created in all, in the order of creation."""
        names = [what.rpartition("/")[2] for verb, what in self.api.writes if verb == "create"]
        return [f"{datetime.fromtimestamp(int(name.rpartition('-')[2]), UTC):%H:%M}" for name in names]

    def end(self, name: str, phase: str = "Succeeded") -> None:
        marks = self.runs[name]["metadata"].setdefault("labels", {})
        marks |= {PHASE_LABEL: phase, COMPLETED_LABEL: "true"}
        self.scheduler.note(KEY, Seen.of(self.runs[name]))
        self.queue.append(KEY)
        self.settle()


def test_a_plan_fires_at_its_times_and_its_status_says_what_comes() -> None:
    bench = Bench(dataclasses.replace(HOURLY, input="when", form="datetime"))
    bench.pass_by(3 * HOUR)
    assert bench.fired() == ["13:00", "14:00", "15:00"]
    run = bench.runs["lp-nightly-1795960800"]
    assert run["spec"]["arguments"]["parameters"] == [{"name": "when", "value": '"2026-11-29T14:00:00Z"'}]
    assert run["metadata"]["labels"][labels.LAUNCH_PLAN] == "nightly"
    told = bench.status["schedule"]
    assert {name: told[name] for name in ("decided", "state", "next", "skipped")} == {
        "decided": "2026-11-29T15:00:00Z",
        "state": "Active",
        "next": "2026-11-29T16:00:00Z",
        "skipped": [],
    }


def test_what_is_written_into_the_status_is_what_its_schema_allows() -> None:
    bench = Bench(dataclasses.replace(HOURLY, catch_up="Last"))
    bench.settle()
    bench.pass_by(30 * HOUR, step=7 * HOUR)
    body = bench.api.all("LaunchPlan")["nightly"]
    assert body["status"]["schedule"]["skipped"]
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], {**body, "metadata": {"name": "nightly"}})
    assert problems == [] and model is not None


def test_at_rest_nothing_is_read_or_written() -> None:
    bench = Bench()
    bench.settle()
    before = len(bench.api.writes)
    assert [verb for verb, _ in bench.api.writes] == ["patch"]
    bench.pass_by(timedelta(minutes=59))
    assert len(bench.api.writes) == before
    bench.queue.append(KEY)
    bench.settle()
    assert len(bench.api.writes) == before


def test_a_cluster_that_is_rebuilt_from_git_fires_nothing_of_the_past() -> None:
    bench = Bench(dataclasses.replace(HOURLY, catch_up="All", within=864_000))
    bench.settle()
    assert bench.runs == {}
    assert bench.status["schedule"]["decided"] == "2026-11-29T12:00:00Z"


@pytest.mark.parametrize(("spec", "state"), [({"suspend": True}, "Suspended"), ({"schedules": "Disabled"}, "Disabled")])
def test_a_domain_says_whether_plans_fire_there(spec: dict[str, Any], state: str) -> None:
    bench = Bench(HOURLY, scenes.domain(**spec))
    bench.pass_by(2 * HOUR)
    assert bench.runs == {}
    assert bench.status["schedule"]["state"] == state
    assert "next" not in bench.status["schedule"]
    bench.api.put(scenes.domain())
    bench.queue.append(KEY)
    bench.pass_by(HOUR + timedelta(minutes=1))
    assert bench.fired() == ["15:00"]


def test_a_suspended_plan_fires_again_from_when_it_is_resumed() -> None:
    bench = Bench(dataclasses.replace(HOURLY, suspended=True, catch_up="All"))
    bench.pass_by(2 * HOUR)
    bench.schedule = dataclasses.replace(HOURLY, catch_up="All")
    bench.queue.append(KEY)
    bench.pass_by(HOUR)
    assert bench.fired() == ["15:00"]


def test_a_schedule_that_is_taken_away_takes_its_status_with_it() -> None:
    bench = Bench()
    bench.pass_by(HOUR)
    bench.schedule = None
    bench.queue.append(KEY)
    bench.settle()
    assert "schedule" not in bench.status
    assert [each["name"] for each in bench.status["runs"]] == ["lp-nightly-1795957200"]
    bench.pass_by(3 * HOUR)
    assert bench.fired() == ["13:00"]


def test_a_replica_that_may_not_act_writes_nothing() -> None:
    bench = Bench()
    bench.settle()
    bench.may_write = False
    bench.now += HOUR
    bench.scheduler.wake()
    assert bench.handle() == 1.0
    assert bench.runs == {}
    bench.may_write = True
    bench.queue.append(KEY)
    bench.settle()
    assert bench.fired() == ["13:00"]


def test_a_run_of_another_origin_with_the_name_of_a_tick_is_told_and_left_alone() -> None:
    strange = scenes.held_run("lp-nightly-1795957200")
    bench = Bench(HOURLY, strange)
    bench.pass_by(2 * HOUR)
    assert bench.fired() == ["14:00"]
    (told,) = bench.status["schedule"]["skipped"]
    assert told == {"tick": "2026-11-29T13:00:00Z", "reason": "another run has the name that this one would have"}
    assert [event.reason for event in bench.events] == [Reason.TICK_SKIPPED]


def test_a_run_that_is_refused_is_tried_again_and_told_when_it_is_too_late() -> None:
    bench = Bench()
    bench.settle()
    bench.api.refuse["workflows/lp-nightly-1795957200"] = errors.Refused("exceeded quota: guard")
    bench.now += HOUR
    bench.scheduler.wake()
    with pytest.raises(errors.Refused):
        bench.handle()
    assert bench.status["schedule"]["decided"] == "2026-11-29T12:00:00Z"
    bench.now += decide.ON_TIME
    assert bench.handle() is None
    assert bench.status["schedule"]["decided"] == "2026-11-29T13:00:00Z"
    assert bench.status["schedule"]["skipped"][0]["reason"] == "refused: exceeded quota: guard"


def test_ten_thousand_plans_that_fire_at_once_are_late_and_not_lost() -> None:
    """The clock goes on while others have their turn."""
    bench = Bench()
    bench.settle()
    bench.now += HOUR
    bench.scheduler.wake()
    bench.now += timedelta(minutes=20)
    bench.settle()
    assert bench.fired() == ["13:00"]


def test_a_run_is_noted_when_it_begins_changes_its_phase_or_ends_and_else_costs_nothing() -> None:
    bench = Bench()
    run = scenes.held_run("by-hand")
    begun = Seen.of(run)
    assert bench.scheduler.note(KEY, begun)
    assert not bench.scheduler.note(KEY, dataclasses.replace(begun, version="78"))
    run["metadata"]["labels"][PHASE_LABEL] = "Failed"
    assert bench.scheduler.note(KEY, Seen.of(run))
    assert bench.scheduler.note(KEY, Seen.of(run), True)


def skipping(bench: Bench) -> Bench:
    bench.api.put(scenes.launch_plan(concurrency={"limit": 1, "policy": "Skip"}))
    return bench


def test_a_plan_that_skips_records_a_tick_and_starts_no_run_while_one_is_under_way() -> None:
    bench = skipping(Bench())
    bench.pass_by(3 * HOUR)
    assert bench.fired() == ["13:00"]
    reason = "1 of 1 runs of launch plan nightly are under way"
    assert [(each["tick"][11:16], each["reason"]) for each in bench.status["schedule"]["skipped"]] == [
        ("15:00", reason),
        ("14:00", reason),
    ]
    (first,) = bench.runs
    bench.end(first)
    bench.pass_by(HOUR)
    assert bench.fired() == ["13:00", "16:00"]
    assert len(bench.status["schedule"]["skipped"]) == 2, "what was skipped is not made up for"


def test_a_run_that_was_made_before_a_kill_is_not_told_to_be_skipped() -> None:
    bench = skipping(Bench())
    bench.settle()
    bench.now += HOUR
    bench.scheduler.wake()
    bench.api.die_at(1, after=True)
    with pytest.raises(Killed):
        bench.settle()
    bench.api.live()
    bench.start()
    bench.settle()
    assert bench.fired() == ["13:00"]
    assert bench.status["schedule"]["skipped"] == []


def test_the_latest_runs_and_the_last_success_stand_in_the_status() -> None:
    bench = Bench()
    bench.pass_by(2 * HOUR)
    first, second = bench.runs
    bench.runs[second]["metadata"]["creationTimestamp"] = "2026-11-29T14:00:01Z"
    bench.end(first)
    bench.end(second, "Failed")
    assert [(each["name"], each["phase"], each["tick"]) for each in bench.status["runs"]] == [
        (second, "Failed", "2026-11-29T14:00:00Z"),
        (first, "Succeeded", "2026-11-29T13:00:00Z"),
    ]
    assert bench.status["lastSuccess"]["name"] == first
    for number in range(30):
        body = {**scenes.held_run(f"by-hand-{number:02}"), "metadata": {**scenes.held_run()["metadata"]}}
        body["metadata"] |= {
            "name": f"by-hand-{number:02}",
            "uid": f"u{number}",
            "creationTimestamp": f"2026-11-29T15:{number:02}:00Z",
        }
        bench.api.put(body)
        bench.scheduler.note(KEY, Seen.of(body))
    bench.queue.append(KEY)
    bench.settle()
    assert [each["name"] for each in bench.status["runs"]] == [f"by-hand-{number}" for number in range(29, 19, -1)]
    assert bench.status["lastSuccess"]["name"] == first


def cron(last: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": {
            "name": "lp-nightly",
            "namespace": scenes.SPACE,
            "labels": {labels.MANAGED_BY: "alula", labels.WORKFLOW: "sums", labels.OWNER_UID: "uid-of-sums"},
        },
        "spec": {"schedules": ["0 * * * *"], "suspend": False, **spec},
        "status": {"lastScheduledTime": last},
    }


@pytest.mark.parametrize("late", [0, 1, 2])
@pytest.mark.parametrize("fires", [False, True], ids=["argo is down", "argo fires on"])
def test_a_cronworkflow_is_taken_over_without_a_lost_or_doubled_tick(late: int, fires: bool) -> None:
    """The scheduler comes just after, or a few ticks after, the last scheduled time that Argo has told."""
    bench = Bench(dataclasses.replace(HOURLY, catch_up="All"), cron("2026-11-29T12:00:00Z"))
    bench.now = NOON + late * HOUR + timedelta(seconds=1)
    for number in range(1, late + 1) if fires else ():
        body = scenes.held_run(f"lp-nightly-{1795953600 + number * 3600}")
        body["metadata"]["labels"] = {"workflows.argoproj.io/cron-workflow": "lp-nightly"}
        bench.api.put(body)
    bench.settle()
    bench.pass_by(HOUR)
    everything = [f"{12 + number}:00" for number in range(1, late + 2)]
    assert bench.fired() == (everything[-1:] if fires else everything)
    assert bench.status["schedule"]["skipped"] == []
    assert len(bench.runs) == late + 1


@pytest.mark.parametrize("seed", range(30))
def test_killed_at_any_write_and_on_any_clock_each_tick_fires_exactly_once(seed: int) -> None:
    """Two lines, kills before and after writes, steps of the clock, standstills, and runs that are collected at once
    when they are decided."""
    chance = random.Random(seed)
    timetable = Timetable(("*/5 * * * *", "2 * * * *"))
    bench = Bench(Schedule(timetable.lines, catch_up="All"))
    bench.settle()
    while bench.now < NOON + 6 * HOUR:
        bench.now += timedelta(seconds=chance.choice([-40, 1, 20, 60, 300, 300, 4000]))
        if chance.random() < 0.6:
            bench.api.die_at(chance.randrange(1, 5), after=chance.random() < 0.5)
        try:
            bench.settle()
        except Killed:
            bench.start()
        bench.api.live()
        until = timestamps.parse(bench.status["schedule"]["decided"])
        for name in list(bench.runs):
            if until is not None and int(name.rpartition("-")[2]) <= until.timestamp() and chance.random() < 0.7:
                bench.api.drop("Run", scenes.SPACE, name)  # retention
    bench.now = max(bench.now, NOON + 6 * HOUR)
    bench.settle()
    wanted = []
    for tick in ticks.after(timetable, NOON):
        if tick > bench.now:
            break
        wanted.append(f"{tick:%H:%M}")
    assert bench.fired() == wanted


def test_of_two_replicas_that_both_believe_to_act_the_slower_one_decides_anew() -> None:
    bench = Bench()
    bench.settle()
    bench.now += HOUR
    real = bench.api.create

    async def between(path: str, body: dict[str, Any]) -> dict[str, Any]:
        bench.api.create = real  # type: ignore[method-assign]
        other = Bench.__new__(Bench)
        other.__dict__ |= bench.__dict__
        other.start()
        await other.scheduler.handle(KEY)
        for name in bench.runs:
            bench.api.drop("Run", scenes.SPACE, name)
        raise errors.Conflict("exists", "AlreadyExists")

    bench.api.create = between  # type: ignore[method-assign]
    with pytest.raises(errors.Conflict):
        bench.handle()
    bench.queue.append(KEY)
    bench.settle()
    assert bench.fired() == ["13:00"]
