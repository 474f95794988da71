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
from alula_api.contract.triggers import Trigger
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions import children, decide, revisions
from alula_controller.definitions.revisions import Revision
from alula_controller.definitions.world import Compiled, World
from alula_controller.domains import view
from alula_controller.domains.places import NoPlace
from tests.controller import scenes
from tests.controller.scenes import NOW

KEY = QueueKey(scenes.SPACE, "sums", "Workflow")


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
        children.about(body): {**body, "metadata": {"uid": f"uid-{i}", "resourceVersion": "7", **body["metadata"]}}
        for i, body in enumerate(decision.apply)
    }
    stored = [
        Revision(body["metadata"]["name"], "u", "uid-of-sums", "2026-11-22T11:00:00Z") for body in decision.revisions
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
    assert names(decision.apply) == ["WorkflowTemplate/sums", "WorkflowTemplate/lp-nightly"]
    assert len(decision.revisions) == 2
    assert ready(decision, "nightly")["Ready"]["status"] == "True"


def test_templates_are_owned_by_the_definition_and_a_launch_plans_says_when_it_fires() -> None:
    decision = decide.decide(world(scenes.launch_plan()), NOW)
    for template in decision.apply:
        assert [owner["uid"] for owner in template["metadata"]["ownerReferences"]] == ["uid-of-sums"]
    _, plan = decision.apply
    assert plan["metadata"]["annotations"][labels.SCHEDULE] == '{"lines":["0 2 * * *"]}'


def test_nothing_of_the_definitions_metadata_is_copied() -> None:
    for body in decide.decide(world(scenes.launch_plan()), NOW).apply:
        assert "argocd.argoproj.io/tracking-id" not in body["metadata"]["annotations"]
        assert body["metadata"]["namespace"] == scenes.SPACE


def test_a_suspended_plan_says_so_and_is_ready() -> None:
    decision = decide.decide(world(scenes.launch_plan(suspend=True)), NOW)
    assert ready(decision, "nightly")["Ready"]["reason"] == Reason.SUSPENDED
    assert ready(decision, "nightly")["Ready"]["status"] == "True"


def test_a_field_that_was_changed_by_hand_is_put_back() -> None:
    before = settled()
    live = dict(before.live)
    edited = {**live["WorkflowTemplate", "sums"]}
    edited["spec"] = {**edited["spec"], "entrypoint": "elsewhere"}
    live["WorkflowTemplate", "sums"] = edited
    decision = decide.decide(dataclasses.replace(before, live=live), NOW)
    assert names(decision.apply) == ["WorkflowTemplate/sums"]
    assert decision.apply[0]["metadata"]["uid"] == edited["metadata"]["uid"], "only over the object that was read"
    assert decision.statuses == ()


def changed(before: World, **spec: Any) -> World:
    """The world after these fields were written into the spec of the template."""
    live = dict(before.live)
    body = live[children.TEMPLATE, "sums"]
    live[children.TEMPLATE, "sums"] = {**body, "spec": body["spec"] | spec}
    return dataclasses.replace(before, live=live)


def test_whatever_is_added_to_the_spec_by_hand_is_taken_away_and_said() -> None:
    before = settled()
    spec = before.live[children.TEMPLATE, "sums"]["spec"]
    labels_ = {**spec["workflowMetadata"]["labels"], "team": "a"}
    added = {
        "hooks": {"exit": {"templateRef": {"name": "evil", "template": "x"}}},
        "hostNetwork": True,
        "securityContext": {"runAsUser": 0},
        "workflowMetadata": {**spec["workflowMetadata"], "labels": labels_},
    }
    decision = decide.decide(changed(before, **added), NOW)
    (strip,) = decision.strip
    assert strip.patch["metadata"] == {"uid": "uid-0", "resourceVersion": "7"}
    assert strip.patch["spec"] == {
        "hooks": None,
        "hostNetwork": None,
        "securityContext": None,
        "workflowMetadata": {"labels": {"team": None}},
    }
    assert decision.apply == ()
    (event,) = decision.events
    assert (event.reason, event.warning, event.regarding["kind"]) == ("Reverted", True, "Workflow")
    for place in ("spec.hooks", "spec.hostNetwork", "spec.securityContext", "spec.workflowMetadata.labels.team"):
        assert place in event.message
    assert "evil" not in event.message


def test_what_is_changed_by_hand_is_said_and_what_we_change_is_not() -> None:
    before = settled()
    decision = decide.decide(changed(before, entrypoint="elsewhere"), NOW)
    assert names(decision.apply) == ["WorkflowTemplate/sums"] and decision.strip == ()
    assert [event.message for event in decision.events] == [
        "WorkflowTemplate sums was changed by others and is as compiled again: spec.entrypoint"
    ]
    newer = scenes.workflow(version="v2")
    ours = dataclasses.replace(before, workflow={**before.workflow, **newer}, compiled=scenes.compiled(newer))
    assert decide.decide(ours, NOW).events == ()


def test_labels_that_others_put_on_a_template_stay() -> None:
    before = settled()
    live = dict(before.live)
    body = live[children.TEMPLATE, "sums"]
    marked = {**body["metadata"], "labels": {**body["metadata"]["labels"], "team": "a"}}
    live[children.TEMPLATE, "sums"] = {**body, "metadata": marked}
    decision = decide.decide(dataclasses.replace(before, live=live), NOW)
    assert decision == decide.Decision()


def test_a_template_that_alula_did_not_make_is_not_touched() -> None:
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


@pytest.mark.parametrize(("waited", "again"), [(0, 30), (100, 50), (10_000, 600)])
def test_a_name_that_is_taken_is_looked_at_the_later_the_longer_it_has_been_taken(waited: int, again: float) -> None:
    strange = {"kind": children.TEMPLATE, "metadata": {"name": "sums", "uid": "x"}, "spec": {}}
    taken = {(children.TEMPLATE, "sums"): strange}
    first = decide.decide(world(live=taken), NOW)
    assert first.again == 30
    workflow = {**scenes.workflow(), "status": next(iter(first.statuses)).patch}
    later = decide.decide(world(live=taken, workflow=workflow), NOW + timedelta(seconds=waited))
    assert later.again == again


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
    assert decision.look_at == (QueueKey(scenes.SPACE, "other", "Workflow"),)


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


def test_plans_that_wait_for_each_other_in_a_circle_are_refused_and_one_that_waits_for_them_is_not() -> None:
    plans = [
        scenes.launch_plan("a", schedule=None, trigger={"launchPlan": "b"}),
        scenes.launch_plan("after", schedule=None, trigger={"launchPlan": "a"}),
    ]
    waits = {"b": ("other", Trigger(plan="a"))}
    decision = decide.decide(dataclasses.replace(world(*plans), waits=waits), NOW)
    assert ready(decision, "after")["Ready"]["status"] == "True"
    stalled = ready(decision, "a")["Stalled"]
    assert stalled["reason"] == Reason.INVALID
    assert "the launch plans a -> b -> a wait for each other in a circle" in stalled["message"]
    assert "WorkflowTemplate/lp-a" not in names(decision.apply)


@pytest.mark.parametrize(
    ("spec", "domains", "message"),
    [
        (None, {"dev", "staging"}, "which this domain's Domain does not list in `spec.triggers.from`"),
        (
            {"triggers": {"from": ["staging"]}},
            {"dev"},
            "no namespace that is known here is that domain of project demo",
        ),
        ({"triggers": {"from": ["staging"]}}, {"dev", "staging"}, ""),
        ({"schedules": "Disabled"}, {"dev"}, ""),
    ],
    ids=["no Domain", "no namespace", "listed", "nothing fires"],
)
def test_a_plan_that_waits_for_another_domain_needs_one_that_is_listed_and_known(
    spec: dict[str, Any] | None, domains: set[str], message: str
) -> None:
    plan = scenes.launch_plan("a", schedule=None, trigger={"launchPlan": "a", "domain": "staging"})
    domain = view.DomainView.of(scenes.domain(**spec) if spec is not None else None)
    found = dataclasses.replace(world(plan), domain=domain, domains=frozenset(domains))
    decision = decide.decide(found, NOW)
    told = ready(decision, "a")
    assert told["Ready"]["status"] == ("False" if message else "True")
    assert message in told["Ready"]["message"]
    assert decision.again == (decide.PLACE_AGAIN if "no namespace" in message else None), "its namespace may come yet"


def test_a_circle_through_another_domain_is_refused_where_it_is_closed() -> None:
    plan = scenes.launch_plan("a", schedule=None, trigger={"launchPlan": "a", "domain": "staging"})
    found = dataclasses.replace(
        world(plan),
        domain=view.DomainView.of(scenes.domain(triggers={"from": ["staging"]})),
        domains=frozenset({"dev", "staging"}),
        waits={"staging/a": ("staging/sums", Trigger(workflow="sums"))},
    )
    message = ready(decide.decide(found, NOW), "a")["Ready"]["message"]
    assert "the launch plans a -> staging/a -> a wait for each other in a circle" in message


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


def cron(plan: str = "nightly") -> dict[tuple[str, str], dict[str, Any]]:
    """The CronWorkflow that an earlier version made of a launch plan."""
    marks = {labels.WORKFLOW: "sums", labels.LAUNCH_PLAN: plan, labels.OWNER_UID: "uid-of-sums"}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": {"name": f"lp-{plan}", "uid": "uid-of-cron", "labels": {**marks, labels.MANAGED_BY: "alula"}},
        "spec": {"schedules": ["0 2 * * *"]},
    }
    return {("CronWorkflow", f"lp-{plan}"): body}


def test_a_cronworkflow_of_an_earlier_version_goes_when_it_is_recorded_how_far_it_came() -> None:
    before = settled(scenes.launch_plan())
    before = dataclasses.replace(before, live={**before.live, **cron()})
    assert decide.decide(before, NOW).delete == ()
    (plan,) = before.launch_plans
    schedule = {"decided": "2026-11-22T02:00:00Z", "timetable": "x", "state": "Active"}
    recorded = {**plan, "status": {**plan["status"], "schedule": schedule}}
    decision = decide.decide(dataclasses.replace(before, launch_plans=(recorded,)), NOW)
    assert [(each.kind, each.name, each.orphan) for each in decision.delete] == [("CronWorkflow", "lp-nightly", True)]


def test_a_cronworkflow_of_a_plan_that_has_no_schedule_any_more_goes_at_once() -> None:
    plan = scenes.launch_plan()
    del plan["spec"]["schedule"]
    decision = decide.decide(dataclasses.replace(settled(plan), live={**settled(plan).live, **cron()}), NOW)
    assert [each.kind for each in decision.delete] == ["CronWorkflow"]


def test_the_schedules_of_a_workflow_that_is_gone_go_and_leave_their_runs() -> None:
    decision = decide.decide(World(KEY, None, live={**settled(scenes.launch_plan()).live, **cron()}), NOW)
    assert [(each.kind, each.name, each.orphan) for each in decision.delete] == [("CronWorkflow", "lp-nightly", True)]


def test_a_schedule_of_an_older_workflow_of_this_name_goes() -> None:
    newer = {**scenes.workflow(), "metadata": {**scenes.workflow()["metadata"], "uid": "newer"}}
    decision = decide.decide(world(workflow=newer, live=cron()), NOW)
    assert [each.name for each in decision.delete] == ["lp-nightly"]


def test_what_a_removed_plan_had_goes_schedule_first() -> None:
    before = settled(scenes.launch_plan())
    live = {**before.live, **cron()}
    decision = decide.decide(dataclasses.replace(before, live=live, launch_plans=(), compiled=scenes.compiled()), NOW)
    assert [(each.kind, each.name) for each in decision.delete] == [
        ("CronWorkflow", "lp-nightly"),
        ("WorkflowTemplate", "lp-nightly"),
    ]


@pytest.mark.parametrize(("completed", "deleted"), [("false", False), ("true", True)])
def test_a_template_stays_while_an_unfinished_run_names_it(completed: str, deleted: bool) -> None:
    before = settled(scenes.launch_plan())
    named = revisions.name_of(before.live["WorkflowTemplate", "lp-nightly"])
    run = Seen(scenes.SPACE, "r", "u", "1", "", {labels.REVISION: named, "workflows.argoproj.io/completed": completed})
    gone = dataclasses.replace(
        before, launch_plans=(), compiled=scenes.compiled(), unfinished=(run,) if completed == "false" else ()
    )
    decision = decide.decide(gone, NOW)
    assert (("WorkflowTemplate", "lp-nightly") in [(each.kind, each.name) for each in decision.delete]) is deleted


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
