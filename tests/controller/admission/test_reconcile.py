"""Runs through the whole answerer: an API server in a dictionary, a store in memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from alula_api.argo import nodes, runs
from alula_api.contract import keys, labels
from alula_api.contract.graphs import plans
from alula_controller import timestamps
from alula_controller.admission import cache_lookup, reconcile
from alula_controller.admission.cache_walk import CacheWalk
from alula_controller.admission.reconcile import Admission
from alula_controller.cluster import errors
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains.gather import Domains
from alula_controller.runs import reconcile as run_reconcile
from alula_controller.runs.reconcile import RunKey, RunReconciler
from alula_controller.runs.recovery import Recovery
from alula_controller.runs.watchdog import Watchdog
from alula_data import caches
from alula_data import errors as data_errors
from alula_data.stores import opening
from tests.controller import scenes
from tests.controller.admission import test_cache_walk
from tests.controller.fake_cluster import FakeCluster, Killed

RUN = RunKey(scenes.SPACE, "run-1")


class Bench:
    def __init__(self, *bodies: dict[str, Any], run: dict[str, Any] | None = None) -> None:
        self.api = FakeCluster()
        for body in (scenes.namespace(), scenes.revision(), run or scenes.held_run(), *bodies):
            self.api.put(body)
        self.said: list[Any] = []
        self.store = opening.open_store(scenes.PLACE.store)
        for head in list(self.store.list()):
            self.store.delete(head.key)
        self.index = caches.CacheIndex(self.store)
        self.start()

    def start(self) -> None:
        access = Access(self.api, self.said.append)  # type: ignore[arg-type]
        lookups = cache_lookup.Lookups(5.0, 100)
        self.admission = Admission(access, Domains(access.api, scenes.SETTINGS), lookups)
        self.reconciler = RunReconciler(access.api, self.admission, Recovery(access))
        self.watchdog = Watchdog(access)

    def handle(self, key: RunKey = RUN) -> float | None:
        return asyncio.run(self.reconciler.handle(key))

    def cache(self, *misses: str) -> None:
        """Record everything but `misses`."""
        walk = CacheWalk(scenes.plan(), test_cache_walk.INPUTS)
        while wanted := walk.wanted():
            found = {}
            for spot, key in walk.keys.items():
                if key in {each.key for each in wanted} and spot.step.name not in misses:
                    types = {name: dict(schema) for name, schema in scenes.plan().tasks[spot.task].outputs.items()}
                    entrypoint = scenes.plan().tasks[spot.task].entrypoint
                    outputs = {name: 42 if schema == scenes.INT else "t" for name, schema in types.items()}
                    self.index.record(keys.CacheEntry(key, spot.task, outputs, "", "r", "n", entrypoint), types)
                    found[key] = outputs
            walk.answer(found)

    @property
    def run(self) -> dict[str, Any]:
        return next(
            body for (_, plural, _, name), body in self.api.objects.items() if (plural, name) == ("workflows", "run-1")
        )

    def node(self, name: str) -> nodes.Node | None:
        found = nodes.read(self.run["status"]).values()
        return next((node for node in found if node["displayName"] == name), None)


def test_a_run_is_admitted_once() -> None:
    bench = Bench()
    assert bench.handle() is None
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Succeeded"
    writes = list(bench.api.writes)
    bench.handle()
    assert bench.api.writes == writes
    assert [event.reason for event in bench.said] == [Reason.ADMITTED]


def test_what_the_cache_answers_is_filled_in() -> None:
    bench = Bench()
    bench.cache("add-2")
    bench.handle()
    assert bench.node("add") is not None
    assert bench.node("greet") is not None
    assert bench.node("add-2") is None
    assert bench.said[0].message == "2 tasks taken from the cache"


def test_a_damaged_entry_is_a_miss() -> None:
    bench = Bench()
    bench.cache()
    first = CacheWalk(scenes.plan(), test_cache_walk.INPUTS).wanted()[0]
    bench.store.put(keys.cache_path(first.key), b'{"v": 1, "oops"')
    bench.handle()
    assert bench.node("add") is None
    assert bench.node("greet") is not None


def test_an_entry_whose_object_is_gone_is_a_miss() -> None:
    body = scenes.workflow(
        tasks=[
            scenes.task("add", {"a": scenes.INT, "b": scenes.INT}, {"o0": {"x-alula-type": "file"}}),
            scenes.task("greet", {"text": scenes.STR}, {"o0": scenes.STR}),
        ],
        outputs=[],
        nodes=[{"id": "add", "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}}],
    )
    bench = Bench(scenes.revision(body), run=scenes.held_run(body=body))
    plan = plans.from_json(scenes.revision(body)["data"]["plan"])
    key = CacheWalk(plan, test_cache_walk.INPUTS).wanted()[0].key
    reference = {"type": "file", "digest": "c" * 64, "size": 3, "name": "x", "format": ""}
    bench.index.record(keys.CacheEntry(key, "add", {"o0": reference}, "", "r", "n"), {"o0": {"x-alula-type": "file"}})
    bench.handle()
    assert bench.node("add") is None
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Succeeded"


def test_a_store_that_does_not_answer_lets_the_run_go_unfilled_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise data_errors.Unavailable("s3://bucket")

    bench = Bench()
    monkeypatch.setattr(caches.CacheIndex, "find", broken)
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Succeeded"
    assert [event.reason for event in bench.said] == [Reason.ADMITTED, Reason.NOT_FILLED]
    assert "cannot be reached" in bench.said[1].message


def test_a_domain_that_turns_fill_off_has_nothing_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.domain(fill="off"))
    bench.cache()
    monkeypatch.setattr(caches.CacheIndex, "find", lambda *_: pytest.fail("looked up"))
    bench.handle()
    assert bench.node("add") is None
    assert [event.reason for event in bench.said] == [Reason.ADMITTED]


def test_a_namespace_without_a_place_reads_no_store() -> None:
    bench = Bench()
    bench.cache()
    bench.api.put(scenes.namespace(project=""))
    bench.handle()
    assert bench.node("add") is None
    assert bench.said[1].reason == Reason.NOT_FILLED


def test_bad_inputs_fail_the_run_before_any_pod() -> None:
    bench = Bench(run=scenes.held_run(arguments={"x": "six"}))
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Failed"
    assert bench.said[0].reason == Reason.RUN_REFUSED
    assert bench.said[0].warning


def test_a_run_whose_revision_is_gone_is_refused() -> None:
    bench = Bench()
    bench.api.drop("ControllerRevision", scenes.SPACE, scenes.revision()["metadata"]["name"])
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert "is gone" in admit["message"]


@pytest.mark.parametrize("plan", [None, {}, {"v": 2}, {"v": 1, "template": 3}, "text"])
def test_a_malformed_plan_refuses_the_run_and_raises_nothing(plan: Any) -> None:
    bench = Bench()
    revision = scenes.revision()
    revision["data"] = {"plan": plan}
    bench.api.put(revision)
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Failed"


def test_a_run_of_another_template_under_our_label_is_left_alone() -> None:
    run = scenes.held_run()
    run["spec"]["workflowTemplateRef"]["name"] = "theirs"
    bench = Bench(run=run)
    bench.handle()
    assert bench.api.writes == []


def test_a_run_that_moved_since_it_was_read_is_read_again() -> None:
    bench = Bench()
    real = bench.api.merge

    async def moved(path: str, patch: dict[str, Any]) -> dict[str, Any]:
        bench.api.merge = real  # type: ignore[method-assign]
        await real(path, {"metadata": {"labels": {"argo": "was here"}}})
        return await real(path, patch)

    bench.api.merge = moved  # type: ignore[method-assign]
    with pytest.raises(errors.Conflict):
        bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Running"
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Succeeded"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_around_its_only_write_a_run_is_admitted_exactly_once(after: bool) -> None:
    calm = Bench()
    calm.cache()
    calm.handle()
    killed = Bench()
    killed.cache()
    killed.api.die_at(1, after=after)
    with pytest.raises(Killed):
        killed.handle()
    killed.api.live()
    killed.start()
    killed.handle()
    assert len(killed.api.writes) == 1
    assert set(nodes.read(killed.run["status"])) == set(nodes.read(calm.run["status"]))


def test_offloaded_nodes_are_told_on_the_run_once() -> None:
    run = scenes.held_run()
    run["status"]["offloadNodeStatusVersion"] = "fnv:1"
    bench = Bench(run=run)
    for _ in range(3):
        bench.handle()
    assert bench.run["status"]["message"] == reconcile.OFFLOADED
    assert len(bench.api.writes) == 1
    assert [event.reason for event in bench.said] == [Reason.STATUS_OFFLOADED]


def test_a_crowd_in_one_domain_comes_back_later_instead_of_holding_the_workers() -> None:
    bench = Bench()

    async def crowd() -> float | None:
        lookups = bench.admission._lookups
        gate = lookups._gates.setdefault(scenes.PLACE.store, asyncio.Semaphore(cache_lookup.AT_A_TIME))
        for _ in range(cache_lookup.AT_A_TIME):
            await gate.acquire()
        return await bench.reconciler.handle(RUN)

    assert asyncio.run(crowd()) == reconcile.BUSY_AGAIN
    assert bench.api.writes == []


def test_a_run_that_has_nodes_already_is_admitted_as_it_is() -> None:
    run = scenes.held_run()
    run["status"]["nodes"]["extra"] = {
        "id": "extra",
        "name": "run-1.onExit",
        "displayName": "extra",
        "phase": "Running",
    }
    bench = Bench(run=run)
    bench.cache()
    bench.handle()
    assert bench.node("add") is None
    assert bench.said[1].reason == Reason.NOT_FILLED


def undigested(**spec: Any) -> dict[str, Any]:
    body = scenes.held_run(arguments={"label": "{{= bad(("})
    body["metadata"]["labels"] = {}
    body["status"] = {}
    body["spec"].update(spec)
    return body


def template(managed: bool = True) -> dict[str, Any]:
    marks = {labels.MANAGED_BY: labels.MANAGER} if managed else {}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "sums", "namespace": scenes.SPACE, "labels": marks},
    }


def sweep(bench: Bench, monkeypatch: pytest.MonkeyPatch, age: timedelta) -> None:
    """Look for stuck runs when those of this bench are `age` old."""
    created = timestamps.parse(scenes.held_run()["metadata"]["creationTimestamp"])
    assert created is not None
    monkeypatch.setattr(timestamps, "now", lambda: created + age)
    asyncio.run(bench.watchdog.sweep(""))


def test_a_run_that_argo_cannot_digest_is_ended_with_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    run = undigested()
    # Argo has stored the template's spec before it chokes (seen on 4.0.5).
    run["status"] = {"storedWorkflowTemplateSpec": {"workflowMetadata": {"labels": {labels.REVISION: "r-1"}}}}
    bench = Bench(template(), run=run)
    sweep(bench, monkeypatch, timedelta(minutes=1))
    assert bench.run["status"]["phase"] == "Failed"
    assert "label: the text holds {{" in bench.run["status"]["message"]
    assert bench.run["metadata"]["labels"][runs.COMPLETED_LABEL] == "true"
    sweep(bench, monkeypatch, timedelta(minutes=2))
    assert len(bench.api.writes) == 1


@pytest.mark.parametrize(
    ("text", "managed", "age", "ended"),
    [
        ("{{= bad((", True, timedelta(seconds=30), False),
        ("{{= bad((", False, timedelta(hours=1), False),
        ("{ fine }", True, timedelta(hours=1), False),
        ("{{workflow.uid}}", True, timedelta(minutes=2), False),
        ("{{workflow.uid", True, timedelta(minutes=11), True),
        ("{{= bad((", True, timedelta(seconds=50), True),
    ],
)
def test_a_run_without_a_phase_is_ended_only_if_its_text_explains_it(
    text: str, managed: bool, age: timedelta, ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = undigested(arguments={"parameters": [{"name": "label", "value": text}]})
    bench = Bench(template(managed), run=run)
    sweep(bench, monkeypatch, age)
    assert bool(bench.api.writes) is ended


def test_a_run_that_argo_took_up_meanwhile_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = undigested()
    run["status"]["phase"] = "Running"
    bench = Bench(template(), run=run)
    sweep(bench, monkeypatch, timedelta(hours=1))
    assert bench.api.writes == []


def unlabelled(**promised: str) -> dict[str, Any]:
    """A run that Argo has taken up late, without the labels that its template promises."""
    run = undigested(arguments={})
    run["metadata"]["labels"] = {runs.PHASE_LABEL: "Running", runs.COMPLETED_LABEL: "false"}
    run["status"] = {"phase": "Running", "storedWorkflowTemplateSpec": {"workflowMetadata": {"labels": promised}}}
    return run


def test_a_run_that_waited_for_argos_limits_gets_its_labels_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(template(), run=unlabelled(**{labels.REVISION: "r-1", labels.WORKFLOW: "w", "team": "a"}))
    sweep(bench, monkeypatch, timedelta(seconds=1))
    found = bench.run["metadata"]["labels"]
    assert (found[labels.REVISION], found[labels.WORKFLOW], found["team"]) == ("r-1", "w", "a")
    assert reconcile.waiting(Seen.of(bench.run))
    sweep(bench, monkeypatch, timedelta(seconds=2))
    assert len(bench.api.writes) == 1


def test_a_run_of_another_template_is_looked_at_once_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(template(), run=unlabelled(team="a"))
    sweep(bench, monkeypatch, timedelta(hours=1))
    looked = []
    find = bench.api.find

    async def counted(path: str, **options: Any) -> Any:
        looked.append(path)
        return await find(path, **options)

    monkeypatch.setattr(bench.api, "find", counted)
    sweep(bench, monkeypatch, timedelta(hours=2))
    assert looked == bench.api.writes == []


def test_a_run_that_still_waits_for_argos_limits_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = unlabelled(**{labels.REVISION: "r-1"})
    stored = run["status"].pop("storedWorkflowTemplateSpec")
    run["status"]["phase"] = "Pending"
    bench = Bench(template(), run=run)
    sweep(bench, monkeypatch, timedelta(minutes=1))
    assert bench.api.writes == []
    bench.run["status"] |= {"phase": "Running", "storedWorkflowTemplateSpec": stored}
    sweep(bench, monkeypatch, timedelta(minutes=2))
    assert bench.run["metadata"]["labels"][labels.REVISION] == "r-1"


@pytest.mark.parametrize(
    ("marks", "waits"),
    [
        ({labels.REVISION: "r"}, True),
        ({labels.REVISION: "r", labels.ADMITTED: "u"}, False),
        ({labels.REVISION: "r", labels.ADMITTED: "another"}, True),
        ({labels.REVISION: "r", runs.COMPLETED_LABEL: "true"}, False),
        ({}, False),
    ],
)
def test_labels_say_which_runs_may_wait(marks: dict[str, str], waits: bool) -> None:
    assert reconcile.waiting(Seen("n", "r", "u", "1", "", marks)) is waits


def lost_run(**annotations: str) -> dict[str, Any]:
    """A run that ended because the data of a filled-in node was damaged."""
    marks = {labels.ADMITTED: "uid-of-run-1", runs.PHASE_LABEL: "Failed", runs.COMPLETED_LABEL: "true"}
    run = scenes.held_run("run-1", {"x": "9"}, **marks)
    run["metadata"]["annotations"] = annotations
    run["spec"] |= {"shutdown": "Stop", "entrypoint": "main", "priority": 3}
    run["status"] |= {"phase": "Failed"}
    run["status"]["nodes"]["n"] = {
        "id": "n",
        "name": "run-1.add-2(0)",
        "phase": "Failed",
        "message": "main: Error (exit code 90): INPUT_LOST: the object is damaged: cas/aa (attempt 1)",
    }
    return run


def compiled_template() -> dict[str, Any]:
    body = template()
    return {**body, "spec": scenes.compiled().objects[0]["spec"]}


def started(bench: Bench) -> list[str]:
    return sorted(name for (root, plural, _, name) in bench.api.objects if plural == "workflows" and "argoproj" in root)


@pytest.mark.parametrize("death", [None, (1, False), (1, True), (2, False), (2, True)])
def test_a_run_whose_data_was_lost_is_started_again_exactly_once(death: tuple[int, bool] | None) -> None:
    bench = Bench(compiled_template(), run=lost_run())
    if death:
        bench.api.die_at(death[0], after=death[1])
        with pytest.raises(Killed):
            bench.handle()
        bench.api.live()
        bench.start()
    for _ in range(3):
        bench.handle()
    again = [name for name in started(bench) if name != "run-1"]
    assert len(again) == 1
    made = next(body for key, body in bench.api.objects.items() if key[3] == again[0])
    assert made["spec"] == {
        "workflowTemplateRef": {"name": "sums"},
        "arguments": {"parameters": [{"name": "x", "value": "9"}]},
        "priority": 3,
    }
    assert made["metadata"]["annotations"][labels.RESTARTED_FROM] == "run-1"
    assert bench.run["metadata"]["annotations"][labels.RESTARTED_AS] == again[0]
    bench.api.drop("Run", scenes.SPACE, again[0])
    bench.handle()
    assert started(bench) == ["run-1"], "not even when the second one is deleted"


def test_the_second_time_it_fails() -> None:
    bench = Bench(compiled_template(), run=lost_run(**{labels.RESTARTED_FROM: "run-0"}))
    bench.handle()
    assert bench.api.writes == []


def test_a_workflow_that_changed_since_is_not_run_in_the_place_of_the_old_one() -> None:
    changed = template()
    changed["spec"] = scenes.compiled(scenes.workflow(version="v2")).objects[0]["spec"]
    for now_there in ([changed], []):
        bench = Bench(*now_there, run=lost_run())
        for _ in range(3):
            bench.handle()
        assert started(bench) == ["run-1"]
        assert [event.reason for event in bench.said] == [Reason.NOT_STARTED_AGAIN]


def test_a_run_that_failed_for_another_reason_is_left_as_it_is() -> None:
    run = lost_run()
    run["status"]["nodes"]["n"]["message"] = "main: Error (exit code 90): ValueError: INPUT_LOST: not really"
    bench = Bench(compiled_template(), run=run)
    bench.handle()
    assert bench.api.writes == []


def test_a_run_that_found_its_data_lost_is_looked_at_for_a_day() -> None:
    created = scenes.held_run()["metadata"]["creationTimestamp"]
    moment = timestamps.parse(created)
    assert moment is not None
    marks = {
        labels.ADMITTED: "u",
        labels.REVISION: "r",
        runs.PHASE_LABEL: "Failed",
        runs.COMPLETED_LABEL: "true",
    }
    failed = Seen("n", "r", "u", "1", created, marks)
    assert run_reconcile.worth_a_look(failed, moment + timedelta(hours=23))
    assert not run_reconcile.worth_a_look(failed, moment + timedelta(hours=25))
    succeeded = Seen("n", "r", "u", "1", created, marks | {runs.PHASE_LABEL: "Succeeded"})
    assert not run_reconcile.worth_a_look(succeeded, moment)
