"""Definitions through the whole reconciler against an API server in a dictionary, killed wherever it can be killed."""

from __future__ import annotations

import asyncio
import copy
from datetime import timedelta
from typing import Any

import pytest

from alula_api.contract import labels
from alula_api.contract.graphs import plans
from alula_controller import timestamps
from alula_controller.cluster import errors
from alula_controller.cluster.access import Access
from alula_controller.cluster.echoes import Echoes
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions import compiler_process, gather, reconcile
from alula_controller.definitions.gather import Gatherer
from alula_controller.domains.gather import Domains
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

SUMS = QueueKey(scenes.SPACE, "sums", "Workflow")


class Bench:
    """A cluster, and a controller that can be killed and started anew."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.api = FakeCluster()
        for body in (scenes.namespace(), *bodies):
            self.api.put(body)
        self.events: list[Any] = []
        self.echoes = Echoes()
        self.start()

    def start(self) -> None:
        self.queue: list[QueueKey] = []
        self.may_write = True
        access = Access(self.api, self.events.append, lambda: self.may_write)  # type: ignore[arg-type]
        domains = Domains(access.api, scenes.SETTINGS)
        self.reconciler = reconcile.Reconciler(
            access,
            Gatherer(access.api, scenes.SETTINGS, domains, scenes.compile),
            domains,
            add=lambda key, _: self.queue.append(key),
            templates=lambda namespace: [Seen.of(body) for body in self.api.all("WorkflowTemplate").values()],
            wrote=self.echoes.note,
        )

    def handle(self, key: QueueKey = SUMS) -> float | None:
        return asyncio.run(self.reconciler.handle(key))

    def settle(self, key: QueueKey = SUMS) -> None:
        """As the queue does: again after an error, and whatever it asks for."""
        todo, rounds = [key], 0
        while todo:
            rounds += 1
            assert rounds < 20, "it does not settle"
            current = todo.pop(0)
            try:
                again = self.handle(current)
            except errors.Conflict:
                again = 0.2
            if again is not None and again < 10:
                self.api.collect()
                todo.append(current)
            todo += self.queue
            self.queue.clear()

    def statuses(self) -> list[str]:
        definitions = [body for kind in ("Workflow", "LaunchPlan") for body in self.api.all(kind).values()]
        waits = {Reason.WAITING_FOR_WORKFLOW}
        found = [body["status"]["conditions"][0] for body in definitions if body["apiVersion"].startswith("alula")]
        return [condition["status"] for condition in found if condition["reason"] not in waits]

    def ready(self, kind: str = "Workflow", name: str = "sums") -> dict[str, Any]:
        found = [
            body
            for body in self.api.all(kind).values()
            if body["metadata"]["name"] == name and body["apiVersion"].startswith("alula")
        ]
        return found[0]["status"]["conditions"][0]


def revision_of(bench: Bench, template: str) -> str:
    marks = bench.api.all("WorkflowTemplate")[template]["spec"]["workflowMetadata"]["labels"]
    return str(marks[labels.REVISION])


def test_a_definition_is_compiled_and_looking_again_writes_nothing() -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan())
    bench.settle()
    assert bench.ready()["status"] == bench.ready("LaunchPlan", "nightly")["status"] == "True"
    writes = list(bench.api.writes)
    for _ in range(5):
        bench.settle()
    assert bench.api.writes == writes


def by_event(**spec: Any) -> dict[str, Any]:
    return scenes.launch_plan(
        schedule=None, inputs=[{"name": "x", "value": "1"}], trigger={"event": {"name": "orders"}}, **spec
    )


def test_a_plan_that_events_start_has_a_binding_unless_it_is_suspended_or_its_domain_starts_nothing() -> None:
    bench = Bench(scenes.workflow(), by_event(), scenes.domain())
    bench.settle()
    (binding,) = bench.api.all("WorkflowEventBinding").values()
    wanted = dict(binding["spec"])
    writes = list(bench.api.writes)
    bench.settle()
    assert bench.api.writes == writes
    bench.api.put({**binding, "spec": {**wanted, "event": {"selector": "true"}}})
    bench.settle()
    (binding,) = bench.api.all("WorkflowEventBinding").values()
    assert binding["spec"] == wanted
    for held, free in (
        (by_event(suspend=True), by_event()),
        (scenes.domain(schedules="Disabled"), scenes.domain()),
        (scenes.domain(suspend=True), scenes.domain()),
    ):
        bench.api.put(held)
        bench.settle(QueueKey(scenes.SPACE, held["metadata"]["name"], held["kind"]))
        assert not bench.api.all("WorkflowEventBinding")
        bench.api.put(free)
        bench.settle(QueueKey(scenes.SPACE, free["metadata"]["name"], free["kind"]))
        assert bench.api.all("WorkflowEventBinding")


MADE = ("Workflow", "WorkflowTemplate", "WorkflowRevision")


def echoed(bench: Bench) -> dict[str, bool]:
    """Of each kind, whether what the watches say of its object says nothing new."""
    found = {kind: next(iter(bench.api.all(kind).values()))["metadata"] for kind in MADE}
    return {kind: bench.echoes.is_one(each["uid"], each["resourceVersion"]) for kind, each in found.items()}


def test_what_one_look_writes_needs_no_second_look() -> None:
    bench = Bench(scenes.workflow())
    bench.handle()
    assert echoed(bench) == dict.fromkeys(MADE, True)
    writes = list(bench.api.writes)
    bench.handle()
    assert bench.api.writes == writes


@pytest.mark.parametrize("kind", ["Workflow", "WorkflowTemplate"])
def test_a_write_into_which_others_wrote_meanwhile_is_looked_at_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(scenes.workflow())
    verb = {"Workflow": "merge", "WorkflowTemplate": "apply"}[kind]
    write = getattr(bench.api, verb)

    async def with_more(path: str, body: dict[str, Any]) -> Any:
        if kind == "Workflow":
            changed = copy.deepcopy(bench.api.all("Workflow")["sums"])
            changed["metadata"].setdefault("annotations", {})["alula.dev/suspend"] = "ada"
            bench.api.put(changed)
        answer = await write(path, body)
        return answer | {"spec": answer["spec"] | {"hostNetwork": True}} if kind == "WorkflowTemplate" else answer

    monkeypatch.setattr(bench.api, verb, with_more)
    bench.handle()
    assert echoed(bench) == dict.fromkeys(MADE, True) | {kind: False}


def test_a_revision_is_stored_before_the_template_that_names_it() -> None:
    bench = Bench(scenes.workflow())
    bench.settle()
    assert [verb for verb, _ in bench.api.writes] == ["create", "apply", "patch"]
    first = revision_of(bench, "sums")
    bench.api.put(scenes.workflow(version="v2"))
    bench.settle()
    assert bench.api.writes[3:] == [
        ("create", f"workflowrevisions/{revision_of(bench, 'sums')}"),
        ("apply", "workflowtemplates/sums"),
        ("patch", f"workflowrevisions/{first}"),
        ("patch", "workflows/sums/status"),
    ]
    assert len(bench.api.all("WorkflowRevision")) == 2
    revision = revision_of(bench, "sums")
    stored = bench.api.all("WorkflowRevision")[revision]
    assert plans.from_text(stored["spec"]["plan"]).template == "sums"
    assert stored["metadata"]["labels"][labels.OWNER_UID] == "uid-of-sums"
    assert "ownerReferences" not in stored["metadata"]


def changes() -> list[tuple[str, Any]]:
    """Ways in which a world changes; each is reconciled with a kill at every write."""

    def nothing_then_all(bench: Bench) -> None:
        pass

    def new_version(bench: Bench) -> None:
        bench.settle()
        bench.api.put(scenes.workflow(version="v2"))

    def plan_removed(bench: Bench) -> None:
        bench.settle()
        bench.api.drop("LaunchPlan", scenes.SPACE, "nightly")

    def workflow_removed(bench: Bench) -> None:
        bench.settle()
        bench.api.drop("Workflow", scenes.SPACE, "sums")
        bench.api.collect()

    def workflow_recreated(bench: Bench) -> None:
        bench.settle()
        replace(bench)

    def recreated_under_a_run(bench: Bench) -> None:
        bench.settle()
        bench.api.put(scenes.held_run(**{labels.WORKFLOW: "sums"}))
        remove(bench)
        replaced = scenes.workflow(version="v2")
        replaced["metadata"]["uid"] = "another"
        bench.api.put(replaced)

    def removed_under_a_run(bench: Bench) -> None:
        bench.settle()
        bench.api.put(scenes.held_run(**{labels.WORKFLOW: "sums"}))
        bench.api.drop("Workflow", scenes.SPACE, "sums")
        bench.api.collect()

    def template_deleted(bench: Bench) -> None:
        bench.settle()
        bench.api.drop("WorkflowTemplate", scenes.SPACE, "sums")

    def template_edited(bench: Bench) -> None:
        bench.settle()
        edited = copy.deepcopy(bench.api.all("WorkflowTemplate")["sums"])
        edited["spec"]["entrypoint"] = "elsewhere"
        bench.api.put(edited)

    def label_removed(bench: Bench) -> None:
        bench.settle()
        edited = copy.deepcopy(bench.api.all("WorkflowTemplate")["lp-nightly"])
        edited["metadata"]["labels"] = {}
        bench.api.put(edited)

    return [(f.__name__, f) for f in list(locals().values())]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("name", "change"), changes(), ids=[name for name, _ in changes()])
def test_killed_at_any_write_and_started_anew_the_end_is_the_same(name: str, change: Any, after: bool) -> None:
    def bench() -> Bench:
        made = Bench(scenes.workflow(), scenes.launch_plan())
        change(made)
        return made

    calm = bench()
    calm_writes = len(calm.api.writes)
    calm.settle()
    assert all(status == "True" for status in calm.statuses()), "the calm way must end well"
    total = len(calm.api.writes) - calm_writes
    assert total > 0, "a change that changes nothing tests nothing"
    for write in range(1, total + 1):
        killed = bench()
        killed.api.die_at(write, after=after)
        with pytest.raises(Killed):
            killed.settle()
        killed.api.live()
        killed.start()
        killed.settle()
        assert killed.api.state() == calm.api.state(), f"killed at write {write} of {total}"


def test_a_workflow_that_is_made_anew_never_takes_over_what_the_old_one_left() -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan())
    bench.settle()
    bench.api.drop("Workflow", scenes.SPACE, "sums")
    fresh = scenes.workflow()
    fresh["metadata"]["uid"] = "another"
    bench.api.put(fresh)
    bench.handle()
    assert bench.ready()["reason"] == Reason.NAME_TAKEN
    assert [owner["uid"] for owner in bench.api.all("WorkflowTemplate")["sums"]["metadata"]["ownerReferences"]] == [
        "uid-of-sums"
    ]
    bench.api.collect()
    bench.settle()
    assert bench.ready()["status"] == "True"
    assert [owner["uid"] for owner in bench.api.all("WorkflowTemplate")["sums"]["metadata"]["ownerReferences"]] == [
        "another"
    ]


def test_a_workflow_made_anew_takes_over_the_revisions_of_the_same_content() -> None:
    bench = Bench(scenes.workflow())
    bench.settle()
    replace(bench)
    bench.api.collect()
    bench.settle()
    (revision,) = bench.api.all("WorkflowRevision").values()
    assert revision["metadata"]["labels"][labels.OWNER_UID] == "another"
    assert not (revision["metadata"].get("annotations") or {}).get(labels.REPLACED)


def test_a_revision_of_this_name_with_other_content_is_not_adopted() -> None:
    bench = Bench(scenes.workflow())
    forged = scenes.revision()
    forged["metadata"]["labels"].pop(labels.OWNER_UID)
    forged["spec"]["plan"] = forged["spec"]["plan"].replace("sums", "sins")
    bench.api.put(forged)
    with pytest.raises(errors.Refused):
        bench.handle()
    assert bench.api.all("WorkflowTemplate") == {}
    assert bench.ready()["reason"] == Reason.REFUSED


def replace(bench: Bench, **spec: Any) -> None:
    """Delete the Workflow and make it anew, as `kubectl replace --force` does."""
    bench.api.drop("Workflow", scenes.SPACE, "sums")
    fresh = scenes.workflow(**spec)
    fresh["metadata"]["uid"] = "another"
    bench.api.put(fresh)


def remove(bench: Bench) -> None:
    """Delete the Workflow, and wait for what the garbage collector and we do then."""
    bench.api.drop("Workflow", scenes.SPACE, "sums")
    bench.api.collect()
    bench.settle()


def test_a_template_that_an_unfinished_run_names_outlives_its_workflow_and_goes_with_the_run() -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan())
    bench.settle()
    spec = bench.api.all("WorkflowTemplate")["sums"]["spec"]
    run = bench.api.put(scenes.held_run(**{labels.WORKFLOW: "sums"}))
    remove(bench)
    restored = bench.api.all("WorkflowTemplate")["sums"]
    assert restored["spec"] == spec
    assert "ownerReferences" not in restored["metadata"]
    assert list(bench.api.all("WorkflowTemplate")) == ["sums"], "no run names the plan's"
    run["metadata"]["labels"]["workflows.argoproj.io/completed"] = "true"
    bench.api.put(run)
    bench.settle()
    assert bench.api.all("WorkflowTemplate") == {}
    assert len(bench.api.all("WorkflowRevision")) == 2, "they stay for the retention"


@pytest.mark.parametrize("edited", [False, True])
def test_a_workflow_made_anew_takes_over_a_restored_template_unless_it_was_edited(edited: bool) -> None:
    bench = Bench(scenes.workflow())
    bench.settle()
    bench.api.put(scenes.held_run(**{labels.WORKFLOW: "sums"}))
    remove(bench)
    if edited:
        body = copy.deepcopy(bench.api.all("WorkflowTemplate")["sums"])
        body["spec"]["hostNetwork"] = True
        bench.api.put(body)
    fresh = scenes.workflow(version="v2")
    fresh["metadata"]["uid"] = "another"
    bench.api.put(fresh)
    bench.handle()
    template = bench.api.all("WorkflowTemplate")["sums"]
    owners = [owner["uid"] for owner in template["metadata"].get("ownerReferences") or ()]
    assert owners == ([] if edited else ["another"])
    assert bench.ready()["reason"] == (Reason.NAME_TAKEN if edited else Reason.COMPILED)


def test_revisions_are_collected_after_the_retention_unless_a_run_carries_them(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow(), scenes.domain(retention={"succeeded": "1h", "failed": "2d"}))
    moment = scenes.NOW
    monkeypatch.setattr(timestamps, "now", lambda: moment)
    bench.settle()
    run = scenes.held_run(**{labels.WORKFLOW: "sums", "workflows.argoproj.io/completed": "true"})
    run["metadata"]["labels"][labels.REVISION] = revision_of(bench, "sums")
    bench.api.put(run)
    bench.api.put(scenes.workflow(version="v2"))
    bench.settle()
    moment += timedelta(days=2, hours=-1)
    assert bench.handle() == 3600.0
    moment += timedelta(hours=2)
    assert bench.handle() == 3600.0
    assert len(bench.api.all("WorkflowRevision")) == 2, "a finished run still carries the old one"
    bench.api.drop("Run", scenes.SPACE, run["metadata"]["name"])
    bench.handle()
    assert list(bench.api.all("WorkflowRevision")) == [revision_of(bench, "sums")]


def test_a_revision_that_is_in_effect_again_is_not_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow())
    moment = scenes.NOW
    monkeypatch.setattr(timestamps, "now", lambda: moment)
    for version in ("v1", "v2", "v1"):
        bench.api.put(scenes.workflow(version=version))
        bench.settle()
    moment += timedelta(days=31)
    bench.settle()
    assert list(bench.api.all("WorkflowRevision")) == [revision_of(bench, "sums")]


def test_a_plan_that_does_not_compile_any_more_keeps_its_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan())
    moment = scenes.NOW
    monkeypatch.setattr(timestamps, "now", lambda: moment)
    bench.settle()
    kept = set(bench.api.all("WorkflowRevision"))
    bench.api.put(scenes.launch_plan(inputs=[{"name": "nope", "value": "1"}]))
    bench.settle()
    moment += timedelta(days=31)
    bench.settle()
    assert set(bench.api.all("WorkflowRevision")) == kept


def test_the_revisions_of_a_workflow_that_is_gone_go_too(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan())
    moment = scenes.NOW
    monkeypatch.setattr(timestamps, "now", lambda: moment)
    bench.settle()
    remove(bench)
    moment += timedelta(days=31)
    bench.settle()
    assert bench.api.all("WorkflowRevision") == {}


def reads(bench: Bench) -> list[tuple[str, bool]]:
    """What is read from now on, and whether only metadata."""
    found: list[tuple[str, bool]] = []
    get, pages = bench.api.get, bench.api.pages

    async def noted_get(path: str, *, metadata_only: bool = False) -> dict[str, Any]:
        found.append((path, metadata_only))
        return await get(path, metadata_only=metadata_only)

    def noted_pages(path: str, **selection: Any) -> Any:
        found.append(
            (f"{path}?{selection.get('fields') or selection.get('labels')}", bool(selection.get("metadata_only")))
        )
        return pages(path, **selection)

    bench.api.get, bench.api.pages = noted_get, noted_pages  # type: ignore[method-assign]
    return found


def test_of_launch_plans_only_those_of_the_workflow_are_read_and_of_templates_only_what_changed() -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan(), scenes.launch_plan("others", workflow="other"))
    bench.settle()
    bench.settle()
    found = reads(bench)
    bench.settle()
    templates = [path for path, metadata_only in found if "workflowtemplates/" in path and not metadata_only]
    assert templates == [], "they are as they were when they were compared"
    assert [path for path, _ in found if "launchplans" in path] == [
        f"/apis/alula.dev/v1alpha1/namespaces/{scenes.SPACE}/launchplans?spec.workflow=sums"
    ]
    edited = copy.deepcopy(bench.api.all("WorkflowTemplate")["sums"])
    edited["spec"]["hostNetwork"] = True
    bench.api.put(edited)
    bench.settle()
    assert "hostNetwork" not in bench.api.all("WorkflowTemplate")["sums"]["spec"]


def test_launch_plans_past_the_cap_are_told_so_and_keep_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow(), *(scenes.launch_plan(f"p{number}") for number in range(4)))
    bench.settle()
    monkeypatch.setattr(gather, "MAX_PLANS", 2)
    bench.settle()
    assert bench.ready("LaunchPlan", "p1")["status"] == "True"
    assert bench.ready("LaunchPlan", "p2")["reason"] == Reason.TOO_MANY_PLANS
    assert {f"lp-p{number}" for number in range(4)} <= set(bench.api.all("WorkflowTemplate"))
    assert bench.ready()["status"] == "True"


def test_launch_plans_that_are_too_large_together_are_not_all_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow(), *(scenes.launch_plan(f"p{number}") for number in range(4)))
    monkeypatch.setattr(gather, "MAX_PLAN_BYTES", 120)
    bench.settle()
    assert bench.ready("LaunchPlan", "p0")["status"] == "True"
    assert bench.ready("LaunchPlan", "p3")["reason"] == Reason.TOO_MANY_PLANS


def test_a_plan_waits_for_its_workflow_and_is_compiled_when_it_comes() -> None:
    bench = Bench(scenes.launch_plan())
    bench.settle(QueueKey(scenes.SPACE, "nightly", "LaunchPlan"))
    assert bench.ready("LaunchPlan", "nightly")["reason"] == Reason.WAITING_FOR_WORKFLOW
    bench.api.put(scenes.workflow())
    bench.settle()
    assert bench.ready("LaunchPlan", "nightly")["status"] == "True"


def test_a_plan_that_moves_to_another_workflow_ends_up_there_and_only_there() -> None:
    bench = Bench(scenes.workflow(), scenes.workflow("other"), scenes.launch_plan())
    bench.settle()
    bench.settle(QueueKey(scenes.SPACE, "other", "Workflow"))
    bench.api.put(scenes.launch_plan(workflow="other"))
    for _ in range(3):
        bench.settle(QueueKey(scenes.SPACE, "nightly", "LaunchPlan"))
    template = bench.api.all("WorkflowTemplate")["lp-nightly"]
    assert template["metadata"]["labels"][labels.WORKFLOW] == "other"
    assert bench.ready("LaunchPlan", "nightly")["status"] == "True"


def test_a_namespace_without_labels_gets_a_condition_and_no_templates() -> None:
    bench = Bench(scenes.workflow())
    bench.api.put(scenes.namespace(project="", domain=""))
    bench.settle()
    assert bench.ready()["reason"] == Reason.NAMESPACE_NOT_LABELLED
    assert "kubectl label namespace demo-dev alula.dev/project=" in bench.ready()["message"]
    assert bench.api.all("WorkflowTemplate") == {}
    bench.api.put(scenes.namespace())
    bench.settle(QueueKey(scenes.SPACE, "domain", "Domain"))
    assert bench.ready()["status"] == "True"


def test_a_domains_change_is_compiled_into_its_workflows() -> None:
    bench = Bench(scenes.workflow(), scenes.domain())
    bench.settle(QueueKey(scenes.SPACE, "domain", "Domain"))
    assert bench.api.all("Domain")["domain"]["status"]["store"] == "memory://scenes/demo/dev"
    bench.api.put(scenes.domain(storage={"root": "other", "secret": "keys"}))
    bench.settle(QueueKey(scenes.SPACE, "domain", "Domain"))
    assert "s3://other/demo/dev" in str(bench.api.all("WorkflowTemplate")["sums"])
    assert "s3://other/demo/dev" in bench.api.all("Domain")["domain"]["status"]["store"]


def test_a_domain_of_another_name_and_one_with_an_unknown_root_say_so() -> None:
    bench = Bench(scenes.domain("second"), scenes.domain(storage={"root": "nowhere"}))
    bench.settle(QueueKey(scenes.SPACE, "second", "Domain"))
    bench.settle(QueueKey(scenes.SPACE, "domain", "Domain"))
    assert bench.ready("Domain", "second")["reason"] == Reason.WRONG_NAME
    assert bench.ready("Domain", "domain")["reason"] == Reason.UNKNOWN_ROOT


def test_a_defect_of_the_compiler_is_a_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("deep")

    monkeypatch.setattr(compiler_process.alula_compiler, "compile", broken)
    bench = Bench(scenes.workflow())
    bench.settle()
    assert bench.ready()["reason"] == Reason.INVALID
    assert "RecursionError" in bench.ready()["message"]


def test_what_cannot_be_read_is_a_condition_and_is_not_tried_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(scenes.workflow())
    real = bench.api.get

    async def poisoned(path: str, *, metadata_only: bool = False) -> dict[str, Any]:
        if "workflowtemplates" in path and not metadata_only:
            raise errors.Poison("the object nests deeper than 200 levels")
        return await real(path)

    monkeypatch.setattr(bench.api, "get", poisoned)
    assert bench.handle() is None
    assert bench.ready()["reason"] == Reason.UNREADABLE
    assert "200 levels" in bench.ready()["message"]


@pytest.mark.parametrize("what", ["workflowtemplates/lp-big", "workflowrevisions"])
def test_a_launch_plan_that_the_api_server_refuses_spoils_only_itself(what: str) -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan("big"), scenes.launch_plan("good"))
    real = bench.api._write

    def write(verb: str, target: str, act: Any) -> Any:
        if target == what or (target.startswith("workflowrevisions/lp-big") and what in target):
            raise errors.Refused(f"{verb} {target}: 1086078 bytes are more than 1048576")
        return real(verb, target, act)

    bench.api._write = write  # type: ignore[method-assign]
    for _ in range(3):
        with pytest.raises(errors.Refused):
            bench.handle()
    assert bench.ready()["status"] == "True"
    assert bench.ready("LaunchPlan", "good")["status"] == "True"
    assert bench.ready("LaunchPlan", "big")["reason"] == Reason.REFUSED
    assert "1086078" in bench.ready("LaunchPlan", "big")["message"]
    assert set(bench.api.all("WorkflowTemplate")) == {"sums", "lp-good"}
    assert [verb for verb, target in bench.api.writes if target == "launchplans/big/status"] == ["patch"]


def test_what_the_api_server_refuses_is_a_condition_that_is_written_once() -> None:
    bench = Bench(scenes.workflow())
    bench.api.refuse["workflowtemplates/sums"] = errors.Refused("apply ...: spec is invalid")
    for _ in range(3):
        with pytest.raises(errors.Refused):
            bench.handle()
    assert bench.ready()["reason"] == Reason.REFUSED
    assert [what for _, what in bench.api.writes].count("workflows/sums/status") == 1
    bench.api.refuse.clear()
    bench.settle()
    assert bench.ready()["status"] == "True"


def test_a_replica_that_lost_the_lease_while_it_read_writes_nothing() -> None:
    bench = Bench(scenes.workflow())
    bench.may_write = False
    assert bench.handle() == 1.0
    assert bench.api.writes == []


@pytest.mark.parametrize("field", ["tasks", "graphs", "inputs", "version", "code"])
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [None], [{}], {"a": [1]}], ids=str)
def test_a_malformed_definition_is_conditioned_and_never_raises(field: str, value: object) -> None:
    bench = Bench(scenes.workflow(**{field: value}))
    bench.settle()
    assert bench.ready()["status"] in ("True", "False")
    if bench.ready()["status"] == "False":
        assert bench.ready()["reason"] == Reason.INVALID
        assert "INTERNAL" not in bench.ready()["message"]
