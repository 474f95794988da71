"""A domain's queue through the dispatcher and the admission of runs, against an API server in a dictionary."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alula_api.argo import nodes, runs
from alula_api.contract import labels
from alula_api.contract.queue import Terms
from alula_controller.admission import cache_lookup
from alula_controller.admission.dispatch import KIND, Dispatcher
from alula_controller.admission.reconcile import Admission
from alula_controller.cluster import errors
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.domains.gather import Domains
from alula_controller.domains.view import NAME
from alula_controller.runs.failing import Failures
from alula_controller.runs.handlers import Handlers
from alula_controller.runs.overdue import Overdue
from alula_controller.runs.reconcile import RUN, RunReconciler
from alula_controller.runs.recovery import Recovery
from alula_controller.runs.stop import Stop
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

QUEUE = QueueKey(scenes.SPACE, NAME, KIND)


class Replica:
    """One controller's queue and admission, driven by hand: no loop, and a clock that the test moves."""

    def __init__(self, api: FakeCluster, **terms: Terms) -> None:
        self.api = api
        self.now = 1000.0
        self.looked: list[str] = []
        access = Access(api, lambda event: None)  # type: ignore[arg-type]
        self.dispatcher = Dispatcher(
            access,
            lambda namespace, plan: terms.get(plan, Terms()),
            lambda namespace: [name for name in api.all("Workflow") if name.startswith("r")],
            lambda namespace, name: self.looked.append(name),
            lambda: self.now,
        )
        lookups = cache_lookup.Lookups(5.0, 100)
        domains = Domains(access.api, scenes.SETTINGS)
        admission = Admission(access, domains, lookups, self.dispatcher.refusal)
        stop = Stop(access, self.dispatcher.refusal)
        self.runs = RunReconciler(
            access.api,
            admission,
            Recovery(access),
            stop,
            failures=Failures(access),
            handlers=Handlers(access),
            overdue=Overdue(access),
        )

    def round(self) -> float | None:
        """One round of the queue, and a look at each run that it asks for."""
        self.now += 1.0
        again = asyncio.run(self.dispatcher.handle(QUEUE))
        looked, self.looked = self.looked, []
        for name in looked:
            self.look(name)
        return again

    def look(self, name: str) -> None:
        asyncio.run(self.runs.handle(QueueKey(scenes.SPACE, name, RUN)))


def cluster(*names: str, domain: dict[str, Any], **marks: str) -> FakeCluster:
    api = FakeCluster()
    for body in (scenes.namespace(), scenes.revision(), scenes.domain(**domain)):
        api.put(body)
    for number, name in enumerate(names):
        run = scenes.held_run(name, **marks)
        run["metadata"]["creationTimestamp"] = f"2026-11-22T11:00:{number:02d}Z"
        api.put(run)
    return api


def of(api: FakeCluster, name: str) -> dict[str, Any]:
    return next(body for body in api.objects.values() if body["metadata"]["name"] == name)


def admitted(api: FakeCluster) -> list[str]:
    found = [body for body in api.objects.values() if body["metadata"]["name"].startswith("r")]
    marked = [body for body in found if (body["metadata"].get("labels") or {}).get(labels.ADMITTED)]
    return sorted(each["metadata"]["name"] for each in marked if each.get("status"))


def said(api: FakeCluster, name: str) -> str:
    """What the root node of a run says."""
    return str(nodes.read(of(api, name)["status"])[name].get("message"))


def ended(api: FakeCluster, name: str) -> None:
    run = of(api, name)
    run["status"]["phase"] = "Succeeded"
    run["metadata"]["labels"][runs.COMPLETED_LABEL] = "true"
    api.put(run)


def ledger(api: FakeCluster) -> dict[str, Any]:
    found: dict[str, Any] = of(api, "domain")["status"]["admission"]
    return found


def test_as_many_runs_as_the_quota_allows_are_let_go_and_the_next_when_one_is_over() -> None:
    api = cluster("r0", "r1", "r2", "r3", domain={"quota": {"running": 2}})
    replica = Replica(api)
    for _ in range(3):
        replica.round()
    assert admitted(api) == ["r0", "r1"]
    assert ledger(api)["running"] == 2
    assert ledger(api)["waiting"] == 2
    assert ledger(api)["oldest"] == "2026-11-22T11:00:02Z"
    assert ledger(api)["intents"] == []
    assert of(api, "r2")["status"]["message"] == "waits at place 1 of 2: 2 of 2 runs of the domain are running"
    ended(api, "r0")
    replica.round()
    replica.round()
    assert admitted(api) == ["r0", "r1", "r2"]
    assert "message" not in of(api, "r2")["status"], "it waits no more"


def test_a_run_is_not_let_go_by_a_look_alone() -> None:
    api = cluster("r0", domain={"quota": {"running": 2}})
    replica = Replica(api)
    replica.look("r0")
    assert admitted(api) == []
    assert api.writes == []


def test_what_is_wrong_with_a_run_is_said_at_first_sight_however_long_the_queue() -> None:
    api = cluster(domain={"quota": {"running": 1}})
    api.put(scenes.held_run("r0", {"x": "six"}))
    Replica(api).look("r0")
    assert "does not fit" in said(api, "r0")
    assert [verb for verb, _ in api.writes] == ["patch"]


def test_a_domain_without_a_quota_has_no_queue_and_one_that_loses_it_lets_all_go() -> None:
    api = cluster("r0", "r1", domain={"suspend": True})
    replica = Replica(api)
    replica.round()
    assert admitted(api) == []
    assert of(api, "r0")["status"]["message"] == "waits at place 1 of 2: the domain is suspended"
    api.put(scenes.domain())
    replica.round()
    assert admitted(api) == ["r0", "r1"]
    assert replica.round() is None
    assert replica.looked == []


def test_the_first_twenty_are_told_their_place_and_one_that_is_overtaken_that_it_is_not_among_them() -> None:
    names = [f"r{number:02d}" for number in range(22)]
    api = cluster(*names, domain={"suspend": True})
    replica = Replica(api)

    def message(name: str) -> str:
        return str(of(api, name)["status"].get("message") or "")

    replica.round()
    assert [name for name in names if message(name)] == names[:20]
    assert message("r19") == "waits at place 20 of 22: the domain is suspended"
    urgent = scenes.held_run("urgent")
    urgent["metadata"] |= {"annotations": {labels.PRIORITY: "9"}, "creationTimestamp": "2026-11-22T11:59:00Z"}
    api.put(urgent)
    replica.round()
    assert message("urgent") == "waits at place 1 of 23: the domain is suspended"
    assert message("r19") == "waits beyond place 20 of 23"
    assert message("r00") == "waits at place 1 of 22: the domain is suspended", "it is renewed once a minute"
    replica.now += 60
    replica.round()
    assert message("r00") == "waits at place 2 of 23: the domain is suspended"


def test_a_place_says_how_long_it_waits_once_it_was_seen_how_often_runs_are_let_go() -> None:
    names = [f"r{number:02d}" for number in range(18)]
    api = cluster(*names, domain={"quota": {"running": 1}})
    replica = Replica(api)
    for name in names[:6]:
        replica.round()
        replica.now += 9.0
        ended(api, name)
    replica.round()
    assert admitted(api)[-1] == "r06"
    replica.now += 60.0
    replica.round()
    told = {name: str(of(api, name)["status"]["message"]).partition(":")[0] for name in names[7:]}
    assert told["r07"] == "waits at place 1 of 11 for about 30s"
    assert told["r17"] == "waits at place 11 of 11 for about 5m"
    assert ledger(api)["pace"] == 20, "`alula queue` says the same"


def test_a_run_that_waited_for_too_long_fails_with_the_reason() -> None:
    api = cluster("r0", domain={"suspend": True}, **{labels.LAUNCH_PLAN: "nightly"})
    replica = Replica(api, nightly=Terms(queue_seconds=60))
    replica.round()
    assert said(api, "r0") == "it waited for longer than 60 s"


def test_a_run_that_its_plan_skips_fails_with_the_reason_and_the_label_of_its_outcome() -> None:
    plan = {labels.LAUNCH_PLAN: "nightly"}
    api = cluster("r0", "r1", domain={"quota": {"running": 5}}, **plan)
    replica = Replica(api, nightly=Terms(running=1, policy="Skip"))
    for _ in range(3):
        replica.round()
    assert admitted(api) == ["r0"]
    assert said(api, "r1") == "skipped: 1 of 1 runs of launch plan nightly are running"
    assert of(api, "r1")["metadata"]["labels"][labels.OUTCOME] == "skipped"
    assert labels.OUTCOME not in of(api, "r0")["metadata"]["labels"]


REPLACED = "replaced: r1 is newer, and launch plan nightly runs 1 at a time"


def pod(run: str, phase: str = "Running") -> dict[str, Any]:
    metadata = {"name": f"{run}-pod", "namespace": scenes.SPACE, "labels": {"workflows.argoproj.io/workflow": run}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": phase}}


def test_a_run_that_replaces_an_older_one_starts_when_the_pods_of_that_are_gone() -> None:
    api = cluster("r0", domain={"quota": {"running": 5}}, **{labels.LAUNCH_PLAN: "nightly"})
    replica = Replica(api, nightly=Terms(running=1, policy="Replace"))
    replica.round()
    assert admitted(api) == ["r0"]
    newer = scenes.held_run("r1", **{labels.LAUNCH_PLAN: "nightly"})
    newer["metadata"]["creationTimestamp"] = "2026-11-22T11:30:00Z"
    api.put(newer)
    api.put(pod("r0"))
    for _ in range(3):
        replica.round()
    assert said(api, "r0") == REPLACED
    assert of(api, "r0")["metadata"]["labels"][labels.OUTCOME] == "replaced"
    assert of(api, "r0")["status"]["storedWorkflowTemplateSpec"]["activeDeadlineSeconds"] == 1
    assert admitted(api) == ["r0"]
    ended(api, "r0")
    assert replica.round() == 1.0, "it asks again soon"
    assert admitted(api) == ["r0"], "its pod is there"
    api.put(pod("r0", "Failed"))
    api.put(pod("another"))
    for _ in range(2):
        replica.round()
    assert admitted(api) == ["r0", "r1"]


def test_a_run_that_waits_while_a_newer_one_of_its_plan_comes_ends_at_its_hold() -> None:
    api = cluster("r0", "r1", domain={"quota": {"running": 1}}, **{labels.LAUNCH_PLAN: "nightly"})
    api.put(scenes.held_run("running", **{labels.ADMITTED: "uid-of-running.1"}))
    replica = Replica(api, nightly=Terms(running=1, policy="Replace"))
    replica.round()
    assert said(api, "r0") == REPLACED
    assert nodes.read(of(api, "r0")["status"])[nodes.id_of("r0", "admit")]["phase"] == "Failed"
    assert of(api, "r0")["metadata"]["labels"][labels.OUTCOME] == "replaced"
    assert "activeDeadlineSeconds" not in of(api, "r0")["status"].get("storedWorkflowTemplateSpec", {})


def test_a_copy_of_a_run_that_was_replaced_loses_the_label_when_it_is_let_go() -> None:
    api = cluster("r0", domain={"quota": {"running": 1}}, **{labels.OUTCOME: "replaced"})
    Replica(api).round()
    assert admitted(api) == ["r0"]
    assert labels.OUTCOME not in of(api, "r0")["metadata"]["labels"]


def test_what_is_decided_of_one_domain_takes_nothing_back_of_another() -> None:
    api = cluster("r0", domain={"suspend": True}, **{labels.LAUNCH_PLAN: "nightly"})
    replica = Replica(api, nightly=Terms(queue_seconds=60))
    replica.now += 1.0
    asyncio.run(replica.dispatcher.handle(QUEUE))
    other = scenes.domain(quota={"running": 1})
    other["metadata"] |= {"namespace": "other", "uid": "uid-of-other"}
    api.put(other)
    asyncio.run(replica.dispatcher.handle(QueueKey("other", NAME, KIND)))
    assert replica.dispatcher.refusal(scenes.SPACE, "uid-of-r0") == ("it waited for longer than 60 s", "")


def test_a_forced_run_is_let_go_whatever_the_quota_says_and_only_with_its_own_uid() -> None:
    api = cluster("r0", "r1", "r2", domain={"quota": {"running": 1}})
    replica = Replica(api)
    for name, value in (("r1", "uid-of-r1 a-person"), ("r2", "uid-of-r1 a-person")):
        run = of(api, name)
        run["metadata"]["annotations"] = {labels.FORCED: value}
        api.put(run)
    for _ in range(3):
        replica.round()
    assert admitted(api) == ["r1"], "it counts: the others wait"


def test_a_run_whose_hold_begins_anew_queues_again() -> None:
    api = cluster("r0", domain={"suspend": True})
    run = of(api, "r0")
    run["metadata"]["labels"][labels.ADMITTED] = f"{run['metadata']['uid']}.20261122T100000Z"
    api.put(run)
    Replica(api).look("r0")
    assert labels.ADMITTED not in of(api, "r0")["metadata"]["labels"]


def test_a_domain_is_listed_once_a_second_at_most_and_not_at_rest() -> None:
    api = cluster("r0", domain={"quota": {"running": 1}})
    replica = Replica(api)
    replica.round()
    assert asyncio.run(replica.dispatcher.handle(QUEUE)) == pytest.approx(1.0)
    replica.round()
    assert replica.round() is None, "nothing waits, nothing is intended: only a change asks for another round"
    ended(api, "r0")
    again = replica.round()
    assert ledger(api)["running"] == 0 or again is not None, "counts that were written lately are written later"
    replica.now += again or 0.0
    replica.round()
    assert ledger(api)["running"] == 0


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(1, 8))
def test_killed_at_any_write_it_neither_exceeds_the_quota_nor_loses_a_run(write: int, after: bool) -> None:
    api = cluster("r0", "r1", "r2", "r3", domain={"quota": {"running": 2}})
    api.die_at(write, after=after)
    replica = Replica(api)
    gone: list[str] = []
    for _ in range(30):
        try:
            replica.round()
        except Killed:
            api.live()
            replica = Replica(api)
        except errors.Conflict:
            pass
        running = [name for name in admitted(api) if name not in gone]
        assert len(running) <= 2
        if len(running) == 2 or (running and len(gone) == 3):
            ended(api, running[0])
            gone.append(running[0])
    assert gone == ["r0", "r1", "r2", "r3"]


def test_two_replicas_that_both_believe_to_act_do_not_exceed_the_quota() -> None:
    api = cluster(*(f"r{number}" for number in range(9)), domain={"quota": {"running": 2}})
    one, other = Replica(api), Replica(api)
    gone: list[str] = []
    for number in range(60):
        for replica in (one, other) if number % 2 else (other, one):
            try:
                replica.round()
            except errors.Conflict:
                pass
        running = [name for name in admitted(api) if name not in gone]
        assert len(running) <= 2
        if running:
            ended(api, running[0])
            gone.append(running[0])
    assert sorted(gone) == [f"r{number}" for number in range(9)]
