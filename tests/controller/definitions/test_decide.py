"""What is decided for a Workflow in each state of the world."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from alula_api import kinds
from alula_api.contract import labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions import children, decide, revisions
from alula_controller.definitions.world import Compiled, Key, World
from alula_controller.domains.places import NoPlace
from tests.controller import scenes
from tests.controller.scenes import NOW

KEY = Key("Workflow", scenes.SPACE, "sums")


def world(*launch_plans: dict[str, Any], **changes: Any) -> World:
    given = {
        "key": KEY,
        "workflow": scenes.workflow(),
        "launch_plans": launch_plans,
        "place": scenes.PLACE,
        "compiled": scenes.compiled(scenes.workflow(), *launch_plans),
    }
    return World(**{**given, **changes})


def settled(*launch_plans: dict[str, Any], **changes: Any) -> World:
    """The world after its decision was written."""
    before = world(*launch_plans, **changes)
    decision = decide.decide(before, NOW)
    live = {
        children.about(body): {**body, "metadata": {"uid": f"uid-{i}", **body["metadata"]}}
        for i, body in enumerate(decision.apply)
    }
    stored = [
        Seen(scenes.SPACE, body["metadata"]["name"], "u", "1", "2026-11-22T11:00:00Z", {}, "uid-of-sums")
        for body in decision.revisions
    ]
    patches = {status.body["metadata"]["uid"]: status.patch for status in decision.statuses}

    def with_status(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "status": patches.get(body["metadata"]["uid"], {})}

    assert before.workflow is not None
    return dataclasses.replace(
        before,
        workflow=with_status(dict(before.workflow)),
        launch_plans=tuple(with_status(dict(plan)) for plan in before.launch_plans),
        live=live,
        revisions=tuple(stored),
    )


def ready(decision: decide.Decision, name: str = "sums") -> dict[str, Any]:
    patch = next(status.patch for status in decision.statuses if status.body["metadata"]["name"] == name)
    return {condition["type"]: condition for condition in patch["conditions"]}


def names(bodies: Any) -> list[str]:
    return [f"{body['kind']}/{body['metadata']['name']}" for body in bodies]


def test_a_new_workflow_becomes_a_revision_then_a_template_then_a_condition() -> None:
    decision = decide.decide(world(), NOW)
    assert names(decision.apply) == ["WorkflowTemplate/sums"]
    assert [body["metadata"]["name"] for body in decision.revisions] == [revisions.name_of(decision.apply[0])]
    assert ready(decision)["Ready"]["reason"] == Reason.COMPILED
    assert decision.statuses[0].patch["version"] == "v1"
    assert decision.statuses[0].patch["revision"] == revisions.name_of(decision.apply[0])
    assert [event.reason for event in decision.events] == ["Compiled"]


def test_a_settled_world_needs_nothing() -> None:
    assert decide.decide(settled(scenes.launch_plan()), NOW + timedelta(hours=3)) == decide.Decision()


def test_a_schedule_is_written_after_the_template_that_it_starts() -> None:
    decision = decide.decide(world(scenes.launch_plan()), NOW)
    assert names(decision.apply) == ["WorkflowTemplate/sums", "WorkflowTemplate/lp-nightly", "CronWorkflow/lp-nightly"]
    assert len(decision.revisions) == 2
    assert ready(decision, "nightly")["Ready"]["status"] == "True"


def test_templates_are_owned_by_the_definition_and_schedules_are_not() -> None:
    decision = decide.decide(world(scenes.launch_plan()), NOW)
    template, _, cron = decision.apply
    assert [owner["uid"] for owner in template["metadata"]["ownerReferences"]] == ["uid-of-sums"]
    assert "ownerReferences" not in cron["metadata"]
    assert cron["metadata"]["labels"][labels.OWNER_UID] == "uid-of-sums"


def test_nothing_of_the_definitions_metadata_is_copied() -> None:
    for body in decide.decide(world(scenes.launch_plan()), NOW).apply:
        assert "argocd.argoproj.io/tracking-id" not in body["metadata"]["annotations"]
        assert body["metadata"]["namespace"] == scenes.SPACE


def test_a_suspended_plan_says_so_and_is_ready() -> None:
    decision = decide.decide(world(scenes.launch_plan(suspend=True)), NOW)
    assert ready(decision, "nightly")["Ready"]["reason"] == Reason.SUSPENDED
    assert ready(decision, "nightly")["Ready"]["status"] == "True"


def test_a_field_that_somebody_changed_is_put_back() -> None:
    before = settled()
    live = dict(before.live)
    edited = {**live["WorkflowTemplate", "sums"]}
    edited["spec"] = {**edited["spec"], "entrypoint": "elsewhere"}
    live["WorkflowTemplate", "sums"] = edited
    decision = decide.decide(dataclasses.replace(before, live=live), NOW)
    assert names(decision.apply) == ["WorkflowTemplate/sums"]
    assert decision.apply[0]["metadata"]["uid"] == edited["metadata"]["uid"], "only over the object that was read"
    assert decision.statuses == ()


def test_a_field_that_somebody_added_beside_ours_stays() -> None:
    before = settled()
    live = {
        key: {**body, "metadata": {**body["metadata"], "labels": {**body["metadata"]["labels"], "team": "a"}}}
        for key, body in before.live.items()
    }
    assert decide.decide(dataclasses.replace(before, live=live), NOW) == decide.Decision()


def test_a_template_of_somebody_else_is_not_touched() -> None:
    foreign = {
        "kind": "WorkflowTemplate",
        "apiVersion": "argoproj.io/v1alpha1",
        "metadata": {"name": "sums", "uid": "theirs"},
    }
    decision = decide.decide(world(live={("WorkflowTemplate", "sums"): foreign}), NOW)
    assert decision.apply == decision.revisions == decision.delete == ()
    assert ready(decision)["Stalled"]["reason"] == Reason.NAME_TAKEN
    assert decision.again


def test_a_template_of_a_workflow_that_had_this_name_is_waited_for() -> None:
    before = settled()
    decision = decide.decide(
        world(
            workflow={**scenes.workflow(), "metadata": {**scenes.workflow()["metadata"], "uid": "newer"}},
            live=before.live,
        ),
        NOW,
    )
    assert decision.apply == ()
    assert "Stalled" not in ready(decision)
    assert ready(decision)["Reconciling"]["reason"] == Reason.NAME_TAKEN
    assert decision.again is not None
    assert decision.again < 10


def test_a_plan_that_moved_waits_until_its_old_workflow_lets_go() -> None:
    plan = scenes.launch_plan()
    theirs = {
        "kind": "WorkflowTemplate",
        "apiVersion": "argoproj.io/v1alpha1",
        "metadata": {"name": "lp-nightly", "uid": "t", "labels": {labels.WORKFLOW: "other"}},
    }
    decision = decide.decide(world(plan, live={("WorkflowTemplate", "lp-nightly"): theirs}), NOW)
    assert names(decision.apply) == ["WorkflowTemplate/sums"]
    assert ready(decision, "nightly")["Reconciling"]["reason"] == Reason.NAME_TAKEN
    assert decision.look_at == (Key("Workflow", scenes.SPACE, "other"),)


def test_a_workflow_that_does_not_compile_says_everything_and_keeps_what_it_had() -> None:
    before = settled(scenes.launch_plan())
    wrong = (
        Diagnostic(Code.EDGE_TYPE, "a str is not an int", source="flows/sums.py:12"),
        Diagnostic(Code.CYCLE, "a circle"),
    )
    assert before.compiled is not None
    decision = decide.decide(dataclasses.replace(before, compiled=type(before.compiled)(diagnostics=wrong)), NOW)
    assert decision.apply == decision.delete == ()
    stalled = ready(decision)["Stalled"]
    assert stalled["reason"] == Reason.INVALID
    assert "flows/sums.py:12: error EDGE_TYPE" in stalled["message"]
    assert "CYCLE" in stalled["message"]
    assert ready(decision, "nightly")["Ready"]["reason"] == Reason.WORKFLOW_NOT_READY
    assert all(event.warning for event in decision.events)


def test_a_bad_plan_spoils_only_itself() -> None:
    bad = scenes.launch_plan("bad", inputs=[{"name": "nope", "value": "1"}])
    decision = decide.decide(world(scenes.launch_plan(), bad), NOW)
    assert "WorkflowTemplate/lp-nightly" in names(decision.apply)
    assert ready(decision)["Ready"]["status"] == "True"
    assert ready(decision, "nightly")["Ready"]["status"] == "True"
    assert ready(decision, "bad")["Stalled"]["reason"] == Reason.INVALID
    assert "nope" in ready(decision, "bad")["Stalled"]["message"]


def test_a_plan_that_went_bad_keeps_its_last_good_schedule() -> None:
    before = settled(scenes.launch_plan())
    bad = scenes.launch_plan(inputs=[{"name": "nope", "value": "1"}])
    decision = decide.decide(
        dataclasses.replace(before, launch_plans=(bad,), compiled=scenes.compiled(scenes.workflow(), bad)), NOW
    )
    assert decision.delete == ()


def test_without_a_place_nothing_is_compiled_and_the_condition_says_what_to_label() -> None:
    nowhere = NoPlace(Reason.NAMESPACE_NOT_LABELLED, "label it")
    decision = decide.decide(world(scenes.launch_plan(), place=nowhere, compiled=None), NOW)
    assert decision.apply == ()
    assert ready(decision)["Stalled"]["message"] == "label it"
    assert decision.again == decide.PLACE_AGAIN


def test_plans_wait_for_a_workflow_that_is_not_there() -> None:
    decision = decide.decide(World(KEY, None, (scenes.launch_plan(),)), NOW)
    assert ready(decision, "nightly")["Ready"]["reason"] == Reason.WAITING_FOR_WORKFLOW
    assert "sums" in ready(decision, "nightly")["Ready"]["message"]


def test_the_schedules_of_a_workflow_that_is_gone_go_and_leave_their_runs() -> None:
    before = settled(scenes.launch_plan())
    decision = decide.decide(World(KEY, None, live=before.live), NOW)
    assert [(each.kind, each.name, each.orphan) for each in decision.delete] == [("CronWorkflow", "lp-nightly", True)]


def test_a_schedule_of_an_older_workflow_of_this_name_goes() -> None:
    before = settled(scenes.launch_plan())
    newer = {**scenes.workflow(), "metadata": {**scenes.workflow()["metadata"], "uid": "newer"}}
    live = {key: body for key, body in before.live.items() if key[0] == "CronWorkflow"}
    decision = decide.decide(world(workflow=newer, live=live), NOW)
    assert [each.name for each in decision.delete] == ["lp-nightly"]


def test_what_a_removed_plan_had_goes_schedule_first() -> None:
    before = settled(scenes.launch_plan())
    decision = decide.decide(dataclasses.replace(before, launch_plans=(), compiled=scenes.compiled()), NOW)
    assert [(each.kind, each.name) for each in decision.delete] == [
        ("CronWorkflow", "lp-nightly"),
        ("WorkflowTemplate", "lp-nightly"),
    ]


@pytest.mark.parametrize(("completed", "deleted"), [("false", False), ("true", True)])
def test_a_template_stays_while_an_unfinished_run_names_it(completed: str, deleted: bool) -> None:
    before = settled(scenes.launch_plan())
    named = revisions.name_of(before.live["WorkflowTemplate", "lp-nightly"])
    run = Seen(scenes.SPACE, "r", "u", "1", "", {labels.REVISION: named, "workflows.argoproj.io/completed": completed})
    gone = dataclasses.replace(before, launch_plans=(), compiled=scenes.compiled(), runs=(run,))
    decision = decide.decide(gone, NOW)
    assert (("WorkflowTemplate", "lp-nightly") in [(each.kind, each.name) for each in decision.delete]) is deleted
    assert ("CronWorkflow", "lp-nightly") in [(each.kind, each.name) for each in decision.delete]


def old_revisions(count: int) -> tuple[Seen, ...]:
    return tuple(
        Seen(scenes.SPACE, f"sums-{i:08x}", f"r{i}", "1", f"2026-11-21T{i % 24:02d}:00:00Z", {}, "uid-of-sums")
        for i in range(count)
    )


def test_old_revisions_go_but_not_those_that_runs_carry() -> None:
    before = settled()
    run = Seen(
        scenes.SPACE, "r", "u", "1", "", {labels.REVISION: "sums-00000001", "workflows.argoproj.io/completed": "true"}
    )
    decision = decide.decide(
        dataclasses.replace(before, revisions=before.revisions + old_revisions(8), runs=(run,)), NOW
    )
    gone = {each.name for each in decision.delete}
    assert gone == {"sums-00000000", "sums-00000002", "sums-00000003"}, "the current one and the four before it stay"


def test_young_revisions_stay_for_runs_that_carry_no_label_yet() -> None:
    before = settled()
    young = tuple(dataclasses.replace(seen, created="2026-11-22T11:30:00Z") for seen in old_revisions(8))
    assert decide.decide(dataclasses.replace(before, revisions=before.revisions + young), NOW).delete == ()


def test_revisions_of_another_workflow_of_this_name_are_not_ours_to_delete() -> None:
    before = settled()
    theirs = tuple(dataclasses.replace(seen, owner="older") for seen in old_revisions(8))
    assert decide.decide(dataclasses.replace(before, revisions=before.revisions + theirs), NOW).delete == ()


def test_a_definition_that_is_being_deleted_is_left_alone() -> None:
    body = scenes.workflow()
    body["metadata"]["deletionTimestamp"] = "2026-11-22T11:00:00Z"
    decision = decide.decide(world(scenes.launch_plan(), workflow=body), NOW)
    assert decision.apply == decision.revisions == decision.statuses == ()


def test_a_request_to_look_again_is_repeated_in_the_status() -> None:
    before = settled()
    assert before.workflow is not None
    body = {**before.workflow, "metadata": {**before.workflow["metadata"], "annotations": {labels.RECONCILE: "now"}}}
    decision = decide.decide(dataclasses.replace(before, workflow=body), NOW)
    assert decision.statuses[0].patch["lastHandledReconcileAt"] == "now"
    assert decision.events == ()
    body["metadata"]["annotations"] = {labels.RECONCILE: "x" * 5_000}
    patch = decide.decide(dataclasses.replace(before, workflow=body), NOW).statuses[0].patch
    assert len(patch["lastHandledReconcileAt"]) == 256


def test_a_condition_keeps_its_time_while_its_status_does_not_change() -> None:
    before = settled()
    assert before.workflow is not None
    changed = {**before.workflow, "metadata": {**before.workflow["metadata"], "generation": 2}}
    decision = decide.decide(dataclasses.replace(before, workflow=changed), NOW + timedelta(hours=1))
    condition = ready(decision)["Ready"]
    assert condition["observedGeneration"] == 2
    assert condition["lastTransitionTime"] == scenes.MOMENT


def test_what_is_written_into_a_status_is_what_its_schema_allows() -> None:
    long = tuple(Diagnostic(Code.CYCLE, "x" * 900) for _ in range(100))
    plan = scenes.launch_plan()
    for compiled in (scenes.compiled(scenes.workflow(), plan), scenes.compiled(), Compiled(diagnostics=long)):
        decision = decide.decide(world(plan, compiled=compiled), NOW)
        for status in decision.statuses:
            kind = kinds.KINDS[str(status.body["kind"])]
            model, problems = kinds.read(kind, {**status.body, "status": dict(status.patch)})
            assert problems == []
            assert model is not None
