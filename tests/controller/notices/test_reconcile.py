"""Notices from the end of a run to a place that takes them, against an API server in a dictionary, killed anywhere."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alula_api import kinds
from alula_api.argo.runs import COMPLETED_LABEL, PHASE_LABEL
from alula_api.contract import labels
from alula_api.contract.notices import DONE, PENDING, Choice, Notice, When
from alula_controller import metrics
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.domains.gather import Domains
from alula_controller.domains.view import DomainView
from alula_controller.notices.delivery import Deliveries
from alula_controller.notices.failures import NotTaken
from alula_controller.notices.hosts import Allowed
from alula_controller.notices.outbox import Outbox
from alula_controller.notices.reconcile import RUN, NoticeKey, Notices
from alula_controller.settings import Settings
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SPACE = scenes.SPACE
TEAM = Notice("team")
HOOK = {"name": "team", "webhook": {"url": "https://hooks.acme.org/a", "signature": "Absent"}}
OTHER = {"name": "other", "webhook": {"url": "https://other.acme.org/a", "signature": "Absent"}}


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def run(name: str, phase: str = "", at: int = 0, **other: Any) -> dict[str, Any]:
    """A run of the launch plan `nightly`, created `at` minutes after noon; one with a phase that ended is over."""
    ended = phase in ("Succeeded", "Failed")
    marks = {labels.REVISION: "r", labels.LAUNCH_PLAN: "nightly", labels.WORKFLOW: "sums", labels.NOTICES: PENDING}
    marks |= {PHASE_LABEL: phase} if phase else {}
    marks |= {COMPLETED_LABEL: "true"} if ended else {}
    status: dict[str, Any] = {"phase": phase or "Running"}
    if ended:
        status["finishedAt"] = moment(NOON + timedelta(minutes=at + 1))
    if phase == "Failed":
        status["message"] = "add failed: ValueError: no rows"
    metadata = {
        "name": name,
        "namespace": SPACE,
        "uid": f"uid-of-{name}",
        "creationTimestamp": moment(NOON + timedelta(minutes=at)),
        "labels": {**marks, **other.get("labels", {})},
        "annotations": other.get("annotations", {}),
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": metadata,
        "spec": {"workflowTemplateRef": {"name": "lp-nightly"}},
        "status": {**status, **other.get("status", {})},
    }


class Places:
    """What servers got, and how they answer."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.broken: dict[str, NotTaken] = {}

    async def post(self, request: Any) -> None:
        host = request.target.host
        if host in self.broken:
            raise self.broken[host]
        self.got.append((host, json.loads(request.body)))

    async def close(self) -> None:
        pass

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(body["event"], body["run"]) for _, body in self.got]


class Bench:
    def __init__(self, *notices: Notice, **plan: Any) -> None:
        self.api = FakeCluster()
        self.text = Choice(notices or (TEAM,)).to_text()
        spec = {"notifications": [{"place": "team"}], **plan}
        for body in (
            scenes.namespace(),
            scenes.domain(notifications=[HOOK, OTHER]),
            scenes.launch_plan("nightly", **spec),
        ):
            self.api.put(body)
        self.now = NOON + timedelta(minutes=30)
        self.places = Places()
        self.said: list[Any] = []
        self.settings = Settings(
            roots=scenes.SETTINGS.roots,
            default_root="main",
            notice_hosts=(Allowed("hooks.acme.org"), Allowed("other.acme.org")),
            argo_ui="https://argo.acme.org",
            notice_secrets="",
        )
        self.clock = 0.0
        self.start()

    def start(self) -> None:
        """A controller that knows nothing but what is in the cluster."""
        access = Access(self.api, self.said.append)  # type: ignore[arg-type]
        self.awake: dict[QueueKey, None] = {}
        self.added: list[NoticeKey] = []
        self.outbox = Outbox(lambda key: self.awake.setdefault(key), lambda: self.clock, lambda: 0.5)
        self.notices = Notices(access, self.outbox, self.added.append, lambda: self.now)
        self.notices.note(SPACE, "nightly", "sums", self.text)
        domains = Domains(self.api, self.settings, clock=lambda: self.clock)  # type: ignore[arg-type]
        self.troubles: list[str] = []
        self.deliveries = Deliveries(
            access,
            self.settings,
            domains,
            self.outbox,
            choice=self.notices.choice,
            told=self.troubles.append,
            now=lambda: self.now,
            poster=self.places,  # type: ignore[arg-type]
        )

    def look(self, rounds: int = 1, key: NoticeKey | None = None) -> None:
        """Look at the plan (or at a run), and send what is owed."""

        async def once() -> None:
            await self.notices.handle(key or NoticeKey(SPACE, "nightly"))
            for place in list(self.awake):
                for _ in range(20):
                    if await self.deliveries.handle(place) != 0.0:
                        break

        for _ in range(rounds):
            self.clock += 60.0
            asyncio.run(once())

    def see(self, body: dict[str, Any], *, waits: bool = False) -> None:
        """The watch sees a run under way, and what is due by now is looked at."""
        self.notices.saw(Seen.of(body), waits=waits)
        self.notices.wake()
        added, self.added[:] = list(self.added), []
        for key in added:
            self.look(key=key)

    def run(self, name: str) -> dict[str, Any]:
        return next(
            body for key, body in self.api.objects.items() if key[0].endswith("argoproj.io/v1alpha1") and key[3] == name
        )

    def label(self, name: str) -> str:
        return str(self.run(name)["metadata"]["labels"][labels.NOTICES])

    @property
    def plan(self) -> dict[str, Any]:
        return self.api.all("LaunchPlan")["nightly"]

    @property
    def remembered(self) -> dict[str, Any]:
        return dict(self.plan["status"]["notices"])


def test_a_failure_and_the_recovery_from_it_are_told_of_once_and_plain_successes_are_not() -> None:
    bench = Bench()
    for number, phase in enumerate(["Succeeded", "Failed", "Failed", "Succeeded", "Succeeded"]):
        bench.api.put(run(f"r{number}", phase, number))
    bench.look(2)
    assert bench.places.events == [("Failed", "r1"), ("Failed", "r2"), ("Recovered", "r3")]
    assert [bench.label(f"r{number}") for number in range(5)] == [DONE] * 5
    assert bench.remembered["failing"] is False
    body = bench.places.got[0][1]
    assert body["message"] == (
        "Run r1 of workflow sums (launch plan nightly, domain demo/dev) failed: add failed: ValueError: no rows"
    )
    assert body["link"] == "https://argo.acme.org/workflows/demo-dev/r1?uid=uid-of-r1"
    bench.start()
    bench.look(2)
    assert len(bench.places.got) == 3
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], bench.plan)
    assert model is not None and problems == []


def test_a_run_that_was_skipped_or_replaced_or_started_again_causes_no_notice_and_changes_nothing() -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0, labels={labels.OUTCOME: "skipped"}))
    bench.api.put(run("r1", "Failed", 1, labels={labels.OUTCOME: "replaced"}))
    bench.api.put(run("r2", "Failed", 2, annotations={labels.RESTARTED_AS: "r2-again-0123456789abcdef"}))
    bench.api.put(run("r3", "Succeeded", 3))
    bench.look()
    assert bench.places.got == []
    assert [bench.label(f"r{number}") for number in range(4)] == [DONE] * 4


def test_a_run_that_could_not_be_started_again_is_told_of() -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0, annotations={labels.RESTARTED_AS: "none-0123456789abcdef"}))
    bench.look()
    assert bench.places.events == [("Failed", "r0")]


def test_a_place_that_asks_for_successes_gets_recoveries_too() -> None:
    bench = Bench(Notice("team", (When.SUCCEEDED,)), Notice("other", (When.RECOVERED,)))
    for number, phase in enumerate(["Failed", "Succeeded", "Succeeded"]):
        bench.api.put(run(f"r{number}", phase, number))
    bench.look(2)
    assert sorted((host.partition(".")[0], body["event"], body["run"]) for host, body in bench.places.got) == [
        ("hooks", "Recovered", "r1"),
        ("hooks", "Succeeded", "r2"),
        ("other", "Recovered", "r1"),
    ]


@pytest.mark.parametrize("write", range(1, 9))
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_write_nothing_is_lost_and_the_key_says_what_is_repeated(write: int, after: bool) -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0))
    bench.api.put(run("r1", "Succeeded", 1))
    bench.api.die_at(write, after=after)
    try:
        bench.look(2)
    except Killed:
        bench.api.live()
        bench.start()
    bench.look(3)
    keys = {body["key"]: (body["event"], body["run"]) for _, body in bench.places.got}
    assert sorted(keys.values()) == [("Failed", "r0"), ("Recovered", "r1")]
    assert len(bench.places.got) <= 3
    assert bench.label("r0") == bench.label("r1") == DONE


def test_a_dead_place_delays_no_other_and_gets_all_when_it_lives_again() -> None:
    bench = Bench(TEAM, Notice("other", (When.FAILED,)))
    bench.places.broken["hooks.acme.org"] = NotTaken("hooks.acme.org answered 503")
    for number in range(3):
        bench.api.put(run(f"r{number}", "Failed", number))
    bench.look()
    assert [host for host, _ in bench.places.got] == ["other.acme.org"] * 3
    assert bench.label("r0") == PENDING
    assert bench.troubles == [SPACE]
    view = DomainView.of(bench.api.all("Domain")["domain"])
    told = bench.deliveries.condition(SPACE, view)
    assert told is not None and (told.status, told.message) == ("False", "team: hooks.acme.org answered 503")
    bench.places.broken.clear()
    bench.look(2)
    assert sorted(body["run"] for host, body in bench.places.got if host == "hooks.acme.org") == ["r0", "r1", "r2"]
    assert [bench.label(f"r{number}") for number in range(3)] == [DONE] * 3
    told = bench.deliveries.condition(SPACE, view)
    assert told is not None and told.status == "True"


def test_a_notice_that_was_decided_is_not_decided_again_while_its_place_is_dead() -> None:
    bench = Bench()
    bench.places.broken["hooks.acme.org"] = NotTaken("hooks.acme.org answered 503")
    bench.api.put(run("r0", "Failed", 0))
    bench.look()
    bench.api.put(run("r1", "Succeeded", 1))
    bench.look(3)
    assert bench.remembered["failing"] is False
    bench.places.broken.clear()
    bench.start()
    bench.look(2)
    assert bench.places.events == [("Failed", "r0"), ("Recovered", "r1")]


def test_what_is_never_taken_is_given_up_after_a_day_and_said_where_it_belongs() -> None:
    metrics.NOTICES.clear()
    bench = Bench()
    bench.places.broken["hooks.acme.org"] = NotTaken("hooks.acme.org answered 503")
    bench.api.put(run("r0", "Failed", 0))
    bench.look(3)
    assert "dead" not in bench.remembered
    bench.now = NOON + timedelta(days=1, minutes=2)
    bench.clock += 3600
    bench.look()
    assert bench.remembered["dead"] == 1
    (lost,) = bench.remembered["lost"]
    assert (lost["place"], lost["when"], lost["about"], lost["reason"]) == (
        "team",
        "Failed",
        "r0",
        "hooks.acme.org answered 503",
    )
    assert bench.label("r0") == DONE
    assert [each.reason for each in bench.said] == ["NoticeLost"]
    sample = metrics.NOTICES.labels(namespace=SPACE, service="Webhook", result="dead")
    assert sample._value.get() == 1
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], bench.plan)
    assert model is not None and problems == []


def test_what_a_service_refuses_is_given_up_after_an_hour_and_holds_nothing_else_up() -> None:
    bench = Bench()
    bench.places.broken["hooks.acme.org"] = NotTaken("hooks.acme.org answered 400", for_good=True)
    bench.api.put(run("r0", "Failed", 0))
    bench.look()
    bench.now = NOON + timedelta(hours=1, minutes=2)
    bench.clock += 3600
    bench.look()
    assert "dead" not in bench.remembered, "it was tried twice"
    bench.clock += 3600
    bench.look()
    assert bench.remembered["dead"] == 1 and bench.label("r0") == DONE


def test_a_host_that_is_not_allowed_is_sent_nothing_and_named() -> None:
    bench = Bench()
    hook = {"name": "team", "webhook": {"url": "http://169.254.169.254/latest", "signature": "Absent"}}
    bench.api.put(scenes.domain(notifications=[hook]))
    bench.api.put(run("r0", "Failed", 0))
    bench.look()
    assert bench.places.got == []
    told = bench.deliveries.condition(SPACE, DomainView.of(bench.api.all("Domain")["domain"]))
    assert told is not None and told.message == (
        "team: http://169.254.169.254:80 is not among the hosts that the installation allows (ALULA_NOTICE_HOSTS)"
    )


def test_a_credential_is_read_of_the_own_namespace_only(tmp_path: Path) -> None:
    bench = Bench()
    (tmp_path / f"{SPACE}.team").write_text("secret")
    (tmp_path / "other-dev.team").write_text("https://hooks.slack.com/x")
    bench.settings = Settings(
        roots=bench.settings.roots,
        default_root="main",
        notice_hosts=(Allowed("hooks.slack.com"),),
        notice_secrets=str(tmp_path),
    )
    bench.start()
    bench.api.put(scenes.domain(notifications=[{"name": "team", "slack": {}}]))
    bench.api.put(run("r0", "Failed", 0))
    bench.look()
    told = bench.deliveries.condition(SPACE, DomainView.of(bench.api.all("Domain")["domain"]))
    assert told is not None and told.message == "team: its credential must be a URL that begins with https://"


LATE = Notice("team", (When.LATE, When.QUEUED), late_after=1800, queued_for=600)


def scheduled(name: str, **other: Any) -> dict[str, Any]:
    return run(name, "Running", 0, annotations={labels.TICK: moment(NOON)}, **other)


def test_a_scheduled_run_that_has_not_ended_in_time_is_late_once_whatever_is_killed() -> None:
    bench = Bench(LATE)
    bench.api.put(scheduled("r0", labels={labels.ADMITTED: "uid-of-r0.then"}))
    bench.now = NOON + timedelta(minutes=29)
    bench.see(bench.run("r0"))
    assert bench.places.got == []
    bench.now = NOON + timedelta(minutes=31)
    bench.see(bench.run("r0"))
    bench.see(bench.run("r0"))
    assert bench.places.events == [("Late", "r0")]
    assert bench.places.got[0][1]["message"] == (
        "Run r0 of workflow sums (launch plan nightly, domain demo/dev) was scheduled for 2026-11-29T12:00:00Z and is"
        " still running."
    )
    assert bench.places.got[0][1]["at"] == "2026-11-29T12:30:00Z"
    bench.start()
    bench.see(bench.run("r0"))
    bench.look(2)
    assert len(bench.places.got) == 1
    assert bench.label("r0") == PENDING, "its end is still to be told of"


def test_a_run_that_waits_for_too_long_is_told_of_and_one_that_was_admitted_or_backfilled_is_not() -> None:
    bench = Bench(LATE)
    bench.api.put(run("r0", "Running", 0))
    bench.api.put(run("r1", "Running", 0, labels={labels.ADMITTED: "uid-of-r1.then"}))
    notes = {labels.TICK: moment(NOON - timedelta(days=9)), labels.BACKFILL: "true"}
    bench.api.put(run("r2", "Running", 0, annotations=notes, labels={labels.ADMITTED: "uid-of-r2.then"}))
    for name in ("r0", "r1", "r2"):
        bench.see(bench.run(name), waits=name == "r0")
    assert bench.places.events == [("Queued", "r0")]


def test_what_was_late_when_it_was_killed_is_told_of_after_the_end_too() -> None:
    bench = Bench(LATE)
    bench.api.put(scheduled("r0", labels={labels.ADMITTED: "uid-of-r0.then"}))
    bench.places.broken["hooks.acme.org"] = NotTaken("hooks.acme.org answered 503")
    bench.now = NOON + timedelta(minutes=31)
    bench.see(bench.run("r0"))
    bench.places.broken.clear()
    over = bench.run("r0")
    over["metadata"]["labels"] |= {COMPLETED_LABEL: "true", PHASE_LABEL: "Succeeded"}
    over["status"] |= {"phase": "Succeeded", "finishedAt": moment(bench.now)}
    bench.start()
    bench.look(2)
    assert bench.places.events == [("Late", "r0")]
    assert bench.places.got[0][1]["message"].endswith("and ended at 2026-11-29T12:31:00Z.")
    assert bench.label("r0") == DONE


def skipped(*each: tuple[int, str]) -> dict[str, Any]:
    listed = [{"tick": moment(NOON + timedelta(minutes=at)), "reason": reason} for at, reason in each]
    return {"schedule": {"decided": moment(NOON), "timetable": "x", "state": "Active", "skipped": listed}}


MISSED = "missed: no controller was there in time, and catchUp does not ask for it"
BUSY = "1 of 1 runs of launch plan nightly are under way"


def test_scheduled_times_without_a_run_are_late_once_and_the_first_sight_tells_of_none() -> None:
    bench = Bench(LATE)
    bench.plan["status"] = skipped((0, MISSED))
    bench.look()
    assert bench.places.got == [] and bench.remembered["missed"] == moment(NOON)
    bench.plan["status"]["schedule"] = skipped((3, BUSY), (2, MISSED), (1, MISSED), (0, MISSED))["schedule"]
    bench.places.broken["hooks.acme.org"] = NotTaken("hooks.acme.org answered 503")
    bench.look()
    bench.places.broken.clear()
    bench.start()
    bench.look(3)
    ((_, body),) = bench.places.got
    assert body["message"] == (
        "Launch plan nightly of workflow sums (domain demo/dev) has no run for 2026-11-29T12:02:00Z: "
        + MISSED
        + " (and 1 before it)"
    )
    assert bench.remembered["owed"] == []
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], bench.plan)
    assert model is not None and problems == []


def test_a_run_that_argo_has_not_begun_is_awaited_by_the_status_of_its_plan() -> None:
    bench = Bench(LATE)
    body = scheduled("r0")
    body["metadata"]["labels"] = {labels.LAUNCH_PLAN: "nightly"}
    body["status"] = {}
    bench.api.put(body)
    bench.plan["status"] = {"runs": [{"name": "r0", "phase": "Pending", "created": moment(NOON), "tick": moment(NOON)}]}
    bench.look()
    bench.notices.wake()
    assert bench.added == [NoticeKey(SPACE, "r0", RUN, "nightly")]
    bench.look(key=bench.added[0])
    assert ("Late", "r0") in bench.places.events
    assert any("has not begun" in body["message"] for _, body in bench.places.got)


def test_a_run_that_is_retried_by_hand_is_told_of_again() -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0))
    bench.look(2)
    again = bench.run("r0")
    del again["metadata"]["labels"][COMPLETED_LABEL]
    again["metadata"]["labels"][PHASE_LABEL] = "Running"
    bench.see(again)
    assert bench.label("r0") == PENDING
    again = bench.run("r0")
    again["metadata"]["labels"] |= {COMPLETED_LABEL: "true", PHASE_LABEL: "Succeeded"}
    again["status"] |= {"phase": "Succeeded", "finishedAt": moment(NOON + timedelta(minutes=9))}
    bench.look(2)
    assert bench.places.events == [("Failed", "r0"), ("Recovered", "r0")]


def test_marks_that_were_copied_from_another_run_say_nothing() -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0))
    bench.look(2)
    notes = dict(bench.run("r0")["metadata"]["annotations"])
    bench.api.put(run("r1", "Failed", 1, annotations=notes))
    bench.look(2)
    assert bench.places.events == [("Failed", "r0"), ("Failed", "r1")]


def test_a_run_that_is_gone_is_told_of_with_what_is_known() -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0))
    asyncio.run(bench.notices.handle(NoticeKey(SPACE, "nightly")))
    bench.api.drop("Run", SPACE, "r0")
    bench.look()
    assert bench.places.events == [("Failed", "r0")]
    assert "has been deleted since" in bench.places.got[0][1]["error"]


def test_a_plan_whose_template_is_not_seen_yet_settles_nothing_and_one_without_notices_any_more_settles_all() -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0))
    bench.notices.note(SPACE, "nightly", "sums", "")
    bench.look()
    assert bench.label("r0") == PENDING
    del bench.plan["spec"]["notifications"]
    bench.look()
    assert bench.label("r0") == DONE and bench.places.got == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"uid": 1}', '{"uid": "uid-of-r0", "end": "x", "owed": "Failed/team", "told": 1}', "x" * 9000]
)
def test_an_annotation_of_another_writer_is_no_obstacle(text: str) -> None:
    bench = Bench()
    bench.api.put(run("r0", "Failed", 0, annotations={labels.NOTIFIED: text}))
    bench.look(2)
    assert bench.label("r0") == DONE


def test_what_another_writer_marks_as_owed_is_told_to_places_of_the_plan_only() -> None:
    bench = Bench()
    written = {"uid": "uid-of-r0", "end": "Failed", "owed": [f"Failed/p{n}" for n in range(500)], "told": []}
    bench.api.put(run("r0", "Failed", 0, annotations={labels.NOTIFIED: json.dumps(written)}))
    bench.look(2)
    assert bench.places.got == [] and bench.label("r0") == DONE and len(bench.outbox) == 0


def test_a_place_that_the_plan_does_not_name_any_more_is_owed_nothing() -> None:
    bench = Bench(TEAM, Notice("other"))
    bench.places.broken["other.acme.org"] = NotTaken("other.acme.org answered 503")
    bench.api.put(run("r0", "Failed", 0))
    bench.look()
    assert bench.label("r0") == PENDING
    bench.text = Choice((TEAM,)).to_text()
    bench.start()
    bench.look()
    assert bench.label("r0") == DONE
