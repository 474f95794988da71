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
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains.gather import Domains
from alula_controller.runs import reconcile as runs_reconcile
from alula_controller.runs import recovery, watchdog
from alula_controller.runs.failing import Failures
from alula_controller.runs.handlers import Handlers
from alula_controller.runs.overdue import Overdue
from alula_controller.runs.reconcile import RunReconciler
from alula_controller.runs.recovery import Recovery
from alula_controller.runs.stop import Stop
from alula_controller.runs.watchdog import Watchdog
from alula_data import caches
from alula_data import errors as data_errors
from alula_data.stores import opening
from tests.controller import scenes
from tests.controller.admission import test_cache_walk
from tests.controller.fake_cluster import FakeCluster, Killed

RUN = QueueKey(scenes.SPACE, "run-1", runs_reconcile.RUN)


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
        self.reconciler = RunReconciler(
            access.api,
            self.admission,
            Recovery(access),
            Stop(access),
            failures=Failures(access),
            handlers=Handlers(access),
            overdue=Overdue(access),
        )
        self.watchdog = Watchdog(access)

    def handle(self, key: QueueKey = RUN) -> float | None:
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


def test_a_retried_run_is_looked_at_until_it_is_held_anew() -> None:
    mark = {labels.ADMITTED: "uid-of-run-1.1"}
    retried = scenes.held_run(**mark)
    hold = retried["status"]["nodes"].pop(nodes.id_of("run-1", "admit"))
    bench = Bench(run=retried)
    assert bench.handle() == reconcile.HELD_SOON
    bench.run["status"]["nodes"][hold["id"]] = hold
    assert bench.handle() is None
    assert bench.run["metadata"]["labels"][labels.ADMITTED] == "uid-of-run-1.20261122T115901Z"
    fresh = scenes.held_run()
    fresh["status"]["nodes"].clear()
    assert Bench(run=fresh).handle() is None, "its next change is told"


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
    plan = plans.from_text(scenes.revision(body)["spec"]["plan"])
    key = CacheWalk(plan, test_cache_walk.INPUTS).wanted()[0].key
    reference = {"type": "file", "digest": "c" * 64, "size": 3, "name": "x", "format": ""}
    bench.index.record(keys.CacheEntry(key, "add", {"o0": reference}, "", "r", "n"), {"o0": {"x-alula-type": "file"}})
    bench.handle()
    assert bench.node("add") is None
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Succeeded"


def test_a_run_that_was_compiled_for_another_place_than_the_domains_is_not_filled_in() -> None:
    bench = Bench(scenes.domain(storage={"root": "other"}))
    bench.cache()
    bench.handle()
    assert bench.node("add") is None
    assert bench.said[1].reason == Reason.NOT_FILLED
    assert "s3://other/demo/dev now" in bench.said[1].message


def test_a_revision_with_types_of_another_version_refuses_its_runs_with_a_message() -> None:
    revision = scenes.revision()
    text = revision["spec"]["plan"]
    revision["spec"]["plan"] = text.replace('{"type":"integer"}', '{"type":"quaternion"}')
    assert revision["spec"]["plan"] != text
    bench = Bench(revision)
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert admit["phase"] == "Failed"
    assert "of another version of alula" in admit["message"]


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
    bench = Bench(scenes.domain(fill="Disabled"))
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
    bench.api.drop("WorkflowRevision", scenes.SPACE, scenes.revision()["metadata"]["name"])
    bench.handle()
    admit = bench.node("admit")
    assert admit is not None
    assert "is gone" in admit["message"]


@pytest.mark.parametrize("plan", [None, "", "{}", '{"v":3}', '{"v":1,"template":3}', "text", "[" * 5_000, {"v": 1}])
def test_a_malformed_plan_refuses_the_run_and_raises_nothing(plan: Any) -> None:
    bench = Bench()
    revision = scenes.revision()
    revision["spec"] = {"plan": plan}
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


def test_a_run_that_is_started_again_from_the_template_of_its_replaced_revision_is_admitted() -> None:
    run = scenes.held_run()
    run["spec"]["workflowTemplateRef"]["name"] = run["metadata"]["labels"][labels.REVISION]
    bench = Bench(run=run)
    bench.handle()
    assert [event.reason for event in bench.said] == [Reason.ADMITTED]


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


def taken_up(later: timedelta = timedelta(seconds=46)) -> dict[str, Any]:
    """A run of another workflow that Argo has begun, so much later than the other one."""
    created = timestamps.parse(scenes.held_run()["metadata"]["creationTimestamp"])
    assert created is not None
    body = undigested(arguments={}, workflowTemplateRef=None)
    body["metadata"] |= {"name": "beside", "uid": "uid-of-beside", "labels": {runs.PHASE_LABEL: "Running"}}
    body["metadata"]["creationTimestamp"] = timestamps.seconds(created + later)
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
    bench = Bench(template(), taken_up(), run=run)
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
    bench = Bench(template(managed), taken_up(), run=run)
    sweep(bench, monkeypatch, age)
    assert bool(bench.api.writes) is ended


@pytest.mark.parametrize("other", [timedelta(seconds=20), None], ids=["one that came soon after", "none"])
def test_a_run_is_not_failed_while_argo_may_be_down(other: timedelta | None, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(template(), *([taken_up(other)] if other else []), run=undigested())
    for hours in (1, 2, 3):
        sweep(bench, monkeypatch, timedelta(hours=hours))
    assert [key for key in bench.api.writes if "run-1" in key[1]] == []
    assert [event.reason for event in bench.said] == [Reason.NOT_BEGUN], "it is said once"
    bench.api.put(taken_up(timedelta(hours=4)))
    sweep(bench, monkeypatch, timedelta(hours=5))
    assert bench.run["status"]["phase"] == "Failed"


@pytest.mark.parametrize("spec", [{"workflowTemplateRef": True}, {"arguments": {"parameters": ["x"]}}])
def test_a_run_that_is_not_shaped_as_one_is_left_alone(spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    body = scenes.held_run()
    body["spec"].update(spec)
    bench = Bench(run=body)
    assert bench.handle() is None
    body["metadata"]["labels"] = {}
    bench.api.put(body)
    sweep(bench, monkeypatch, timedelta(hours=1))
    assert bench.api.writes == []


def test_a_later_run_that_argo_took_up_counts_though_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(template(), run=undigested())
    bench.watchdog.taken_up.saw(Seen.of(taken_up()))
    bench.watchdog.taken_up.saw(Seen.of(taken_up(timedelta(seconds=-10))))
    sweep(bench, monkeypatch, timedelta(minutes=1))
    assert bench.run["status"]["phase"] == "Failed"


def test_runs_of_other_namespaces_or_without_a_phase_do_not_show_that_argo_is_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(template(), run=undigested())
    elsewhere, unseen = taken_up(), taken_up()
    elsewhere["metadata"]["namespace"] = "elsewhere"
    unseen["metadata"]["labels"] = {}
    for body in (elsewhere, unseen):
        bench.watchdog.taken_up.saw(Seen.of(body))
    sweep(bench, monkeypatch, timedelta(minutes=5))
    assert bench.api.writes == []
    bench.watchdog.taken_up.forget("elsewhere")
    assert bench.watchdog.taken_up.youngest == {}


def test_a_sweep_reads_a_bounded_number_of_runs_and_each_version_of_one_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(template(), run=undigested(arguments={}))
    for number in range(2 * watchdog.MAX_READ):
        run = undigested(arguments={})
        run["metadata"] |= {"name": f"r-{number}", "uid": f"uid-{number}"}
        bench.api.put(run)
    looked: list[str] = []
    find = bench.api.find

    async def counted(path: str, **options: Any) -> Any:
        looked.append(path)
        return await find(path, **options)

    monkeypatch.setattr(bench.api, "find", counted)
    for expected in (watchdog.MAX_READ, 2 * watchdog.MAX_READ, 2 * watchdog.MAX_READ + 1, 2 * watchdog.MAX_READ + 1):
        sweep(bench, monkeypatch, timedelta(hours=1))
        assert len(looked) == len(set(looked)) == expected


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
    bench.api.put(bench.run)
    sweep(bench, monkeypatch, timedelta(minutes=2))
    assert bench.run["metadata"]["labels"][labels.REVISION] == "r-1"


@pytest.mark.parametrize(
    ("marks", "waits"),
    [
        ({labels.REVISION: "r"}, True),
        ({labels.REVISION: "r", labels.ADMITTED: "u.1", runs.COMPLETED_LABEL: "false"}, False),
        ({labels.REVISION: "r", labels.ADMITTED: "another.1", runs.COMPLETED_LABEL: "false"}, True),
        ({labels.REVISION: "r", runs.COMPLETED_LABEL: "true"}, False),
        ({}, False),
    ],
)
def test_labels_say_which_runs_may_wait(marks: dict[str, str], waits: bool) -> None:
    assert reconcile.waiting(Seen("n", "r", "u", "1", "", marks)) is waits


def lost_run(**annotations: str) -> dict[str, Any]:
    """A run that ended because the data of a filled-in node was damaged."""
    marks = {labels.ADMITTED: "uid-of-run-1.1", runs.PHASE_LABEL: "Failed", runs.COMPLETED_LABEL: "true"}
    run = scenes.held_run("run-1", {"x": "9"}, **marks)
    run["metadata"]["annotations"] = annotations
    run["spec"] |= {"shutdown": "Stop", "entrypoint": "main", "priority": 3}
    run["status"] |= {"phase": "Failed"}
    run["status"]["nodes"]["n"] = {
        "id": "n",
        "name": "run-1.add-2(0)",
        "type": "Pod",
        "phase": "Failed",
        "message": "main: Error (exit code 92): INPUT_LOST: the object is damaged: cas/aa (attempt 1)",
        "outputs": {"exitCode": "92"},
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


def renamed(run: dict[str, Any], name: str) -> dict[str, Any]:
    """The run under another name: its nodes are not looked at but for what failed."""
    run["metadata"]["name"] = name
    return run


def test_the_second_time_it_fails() -> None:
    first = lost_run()
    second = renamed(lost_run(**{labels.RESTARTED_FROM: "run-1"}), recovery.successor_name(first))
    assert recovery.lost(first)
    assert recovery.lost(second) == ""


@pytest.mark.parametrize("followed", [True, False], ids=["started again", "not started again"])
def test_what_a_copy_of_a_run_says_of_its_restart_is_of_the_run_that_it_was_copied_from(followed: bool) -> None:
    first = lost_run()
    name = recovery.successor_name(first) if followed else ""
    marked = lost_run(**recovery.mark(first, name)["metadata"]["annotations"])
    assert recovery.lost(marked) == ""
    copy = renamed(marked, "run-1-x7k2p")
    copy["metadata"]["uid"] = "uid-of-the-copy"
    assert recovery.lost(copy)
    second = renamed(lost_run(**{labels.RESTARTED_FROM: "run-1"}), recovery.successor_name(first) + "-x7k2p")
    assert recovery.lost(second), "a copy of a run that took another one's place is started again once too"


def test_a_run_of_a_template_outside_its_namespace_is_not_started_again() -> None:
    run = lost_run()
    run["spec"]["workflowTemplateRef"]["clusterScope"] = True
    assert recovery.successor(run, "add", compiled_template()) is None


def test_a_workflow_that_changed_since_is_not_run_in_the_place_of_the_old_one() -> None:
    changed = template()
    changed["spec"] = scenes.compiled(scenes.workflow(version="v2")).objects[0]["spec"]
    for now_there in ([changed], []):
        bench = Bench(*now_there, run=lost_run())
        for _ in range(3):
            bench.handle()
        assert started(bench) == ["run-1"]
        assert [event.reason for event in bench.said] == [Reason.NOT_STARTED_AGAIN]


@pytest.mark.parametrize(
    "node",
    [
        {"outputs": {"exitCode": "90"}},
        {"outputs": None},
        {"type": "Suspend"},
        {"type": "Retry"},
        {"phase": "Succeeded"},
    ],
    ids=str,
)
def test_no_text_of_a_failed_node_starts_a_run_again(node: dict[str, Any]) -> None:
    run = lost_run()
    run["status"]["nodes"]["n"] |= node
    bench = Bench(compiled_template(), run=run)
    bench.handle()
    assert started(bench) == ["run-1"]
    assert labels.RESTARTED_AS not in bench.run["metadata"].get("annotations", {})


def test_a_run_that_found_its_data_lost_is_looked_at_for_a_day() -> None:
    created = scenes.held_run()["metadata"]["creationTimestamp"]
    moment = timestamps.parse(created)
    assert moment is not None
    marks = {
        labels.ADMITTED: "u.1",
        labels.REVISION: "r",
        runs.PHASE_LABEL: "Failed",
        runs.COMPLETED_LABEL: "true",
    }
    failed = Seen("n", "r", "u", "1", created, marks)
    assert recovery.candidate(failed, moment + timedelta(hours=23))
    assert not recovery.candidate(failed, moment + timedelta(hours=25))
    succeeded = Seen("n", "r", "u", "1", created, marks | {runs.PHASE_LABEL: "Succeeded"})
    assert not recovery.candidate(succeeded, moment)


@pytest.mark.parametrize(
    "mark",
    [{labels.TRIGGERED: "uid-of-run-0"}, {labels.TRIGGERED: "uid-of-run-1"}, {}],
    ids=["a copy", "a retry", "none"],
)
def test_a_run_under_way_that_carries_the_marks_of_an_end_loses_them_though_it_passes_admit_no_more(
    mark: dict[str, str],
) -> None:
    bench = Bench()
    bench.handle()
    run = bench.run
    run["metadata"]["labels"] |= mark
    run["metadata"]["annotations"] = {**(run["metadata"].get("annotations") or {}), labels.TRIGGERED_IN: "u demo-prod"}
    bench.api.put(run)
    bench.handle()
    assert labels.TRIGGERED not in bench.run["metadata"]["labels"]
    assert labels.TRIGGERED_IN not in bench.run["metadata"]["annotations"]
    before = len(bench.api.writes)
    bench.handle()
    assert len(bench.api.writes) == before
