"""Definitions through the whole reconciler against an API server in a dictionary, killed wherever it can be killed."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from alula_api.contract import labels
from alula_controller.cluster import errors
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions import compilation, reconcile
from alula_controller.definitions.gather import Gatherer
from alula_controller.definitions.world import Key
from alula_controller.domains.gather import Domains
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

SUMS = Key("Workflow", scenes.SPACE, "sums")


class Bench:
    """A cluster, and a controller that can be killed and started anew."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.api = FakeCluster()
        for body in (scenes.namespace(), *bodies):
            self.api.put(body)
        self.events: list[Any] = []
        self.start()

    def start(self) -> None:
        self.queue: list[Key] = []
        self.may_write = True
        access = Access(self.api, self.events.append, lambda: self.may_write)  # type: ignore[arg-type]
        domains = Domains(access.api, scenes.SETTINGS)
        self.reconciler = reconcile.Reconciler(
            access,
            Gatherer(access.api, scenes.SETTINGS, domains),
            domains,
            add=lambda key, _: self.queue.append(key),
            templates=lambda: [Seen.of(body) for body in self.api.all("WorkflowTemplate").values()],
        )

    def handle(self, key: Key = SUMS) -> float | None:
        return asyncio.run(self.reconciler.handle(key))

    def settle(self, key: Key = SUMS) -> None:
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
        found = [body["status"]["conditions"][0] for body in definitions]
        return [condition["status"] for condition in found if condition["reason"] not in waits]

    def ready(self, kind: str = "Workflow", name: str = "sums") -> dict[str, Any]:
        found = [
            body
            for body in self.api.all(kind).values()
            if body["metadata"]["name"] == name and body["apiVersion"].startswith("alula")
        ]
        return found[0]["status"]["conditions"][0]


def test_a_definition_is_compiled_and_looking_again_writes_nothing() -> None:
    bench = Bench(scenes.workflow(), scenes.launch_plan())
    bench.settle()
    assert bench.ready()["status"] == bench.ready("LaunchPlan", "nightly")["status"] == "True"
    writes = list(bench.api.writes)
    for _ in range(5):
        bench.settle()
    assert bench.api.writes == writes


def test_a_revision_is_stored_before_the_template_that_names_it() -> None:
    bench = Bench(scenes.workflow())
    bench.settle()
    assert [verb for verb, _ in bench.api.writes] == ["create", "apply", "patch"]
    bench.api.put(scenes.workflow(version="v2"))
    bench.settle()
    assert [verb for verb, _ in bench.api.writes[3:]] == ["create", "apply", "patch"]
    assert len(bench.api.all("ControllerRevision")) == 2
    revision = bench.api.all("WorkflowTemplate")["sums"]["spec"]["workflowMetadata"]["labels"][labels.REVISION]
    assert bench.api.all("ControllerRevision")[revision]["data"]["plan"]["template"] == "sums"


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
        bench.api.drop("Workflow", scenes.SPACE, "sums")
        fresh = scenes.workflow()
        fresh["metadata"]["uid"] = "another"
        bench.api.put(fresh)

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


def test_an_orphaned_revision_of_the_same_content_is_adopted() -> None:
    bench = Bench(scenes.workflow())
    bench.settle()
    orphan = copy.deepcopy(next(iter(bench.api.all("ControllerRevision").values())))
    orphan["metadata"].pop("ownerReferences")
    bench.api.put(orphan)
    bench.settle()
    adopted = bench.api.all("ControllerRevision")[orphan["metadata"]["name"]]
    assert [owner["uid"] for owner in adopted["metadata"]["ownerReferences"]] == ["uid-of-sums"]


def test_a_revision_of_this_name_with_other_content_is_not_adopted() -> None:
    bench = Bench(scenes.workflow())
    forged = scenes.revision()
    forged["metadata"].pop("ownerReferences")
    forged["data"]["plan"]["inputs"] = []
    bench.api.put(forged)
    with pytest.raises(errors.Refused):
        bench.handle()
    assert bench.api.all("WorkflowTemplate") == {}
    assert bench.ready()["reason"] == Reason.REFUSED


def test_a_plan_waits_for_its_workflow_and_is_compiled_when_it_comes() -> None:
    bench = Bench(scenes.launch_plan())
    bench.settle(Key("LaunchPlan", scenes.SPACE, "nightly"))
    assert bench.ready("LaunchPlan", "nightly")["reason"] == Reason.WAITING_FOR_WORKFLOW
    bench.api.put(scenes.workflow())
    bench.settle()
    assert bench.ready("LaunchPlan", "nightly")["status"] == "True"


def test_a_plan_that_moves_to_another_workflow_ends_up_there_and_only_there() -> None:
    bench = Bench(scenes.workflow(), scenes.workflow("other"), scenes.launch_plan())
    bench.settle()
    bench.settle(Key("Workflow", scenes.SPACE, "other"))
    bench.api.put(scenes.launch_plan(workflow="other"))
    for _ in range(3):
        bench.settle(Key("LaunchPlan", scenes.SPACE, "nightly"))
    template = bench.api.all("WorkflowTemplate")["lp-nightly"]
    assert template["metadata"]["labels"][labels.WORKFLOW] == "other"
    assert bench.ready("LaunchPlan", "nightly")["status"] == "True"
    assert bench.api.all("CronWorkflow")["lp-nightly"]["metadata"]["labels"][labels.OWNER_UID] == "uid-of-other"


def test_a_namespace_without_labels_gets_a_condition_and_no_templates() -> None:
    bench = Bench(scenes.workflow())
    bench.api.put(scenes.namespace(project="", domain=""))
    bench.settle()
    assert bench.ready()["reason"] == Reason.NAMESPACE_NOT_LABELLED
    assert "kubectl label namespace demo-dev alula.dev/project=" in bench.ready()["message"]
    assert bench.api.all("WorkflowTemplate") == {}
    bench.api.put(scenes.namespace())
    bench.settle(Key("Domain", scenes.SPACE, "domain"))
    assert bench.ready()["status"] == "True"


def test_a_domains_change_is_compiled_into_its_workflows() -> None:
    bench = Bench(scenes.workflow(), scenes.domain())
    bench.settle(Key("Domain", scenes.SPACE, "domain"))
    assert bench.api.all("Domain")["domain"]["status"]["store"] == "memory://scenes/demo/dev"
    bench.api.put(scenes.domain(storage={"root": "other", "secret": "keys"}))
    bench.settle(Key("Domain", scenes.SPACE, "domain"))
    assert "s3://other/demo/dev" in str(bench.api.all("WorkflowTemplate")["sums"])
    assert "s3://other/demo/dev" in bench.api.all("Domain")["domain"]["status"]["store"]


def test_a_domain_of_another_name_and_one_with_an_unknown_root_say_so() -> None:
    bench = Bench(scenes.domain("second"), scenes.domain(storage={"root": "nowhere"}))
    bench.settle(Key("Domain", scenes.SPACE, "second"))
    bench.settle(Key("Domain", scenes.SPACE, "domain"))
    assert bench.ready("Domain", "second")["reason"] == Reason.WRONG_NAME
    assert bench.ready("Domain", "domain")["reason"] == Reason.UNKNOWN_ROOT


def test_a_defect_of_the_compiler_is_a_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("deep")

    monkeypatch.setattr(compilation.alula_compiler, "compile", broken)
    bench = Bench(scenes.workflow())
    bench.settle()
    assert bench.ready()["reason"] == Reason.INVALID
    assert "RecursionError" in bench.ready()["message"]


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
