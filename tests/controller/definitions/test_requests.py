"""What annotations ask for: once for each new value, and never for what was answered elsewhere."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from alula_api.contract import labels
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions import children, decide, requests, revisions
from alula_controller.definitions.revisions import Revision
from alula_controller.definitions.world import Stored, World
from tests.controller import scenes
from tests.controller.definitions.test_decide import ready, settled, world
from tests.controller.scenes import NOW

FAILED = {
    "metadata": {"name": "lp-nightly-xyz", "namespace": scenes.SPACE, "uid": "u"},
    "spec": {
        "workflowTemplateRef": {"name": "lp-nightly"},
        "arguments": {"parameters": [{"name": "n", "value": "7"}]},
        "shutdown": "Stop",
    },
}


def annotated(before: World, **annotations: str) -> World:
    """The world with annotations on its one launch plan."""
    (plan,) = before.launch_plans
    metadata = {
        **plan["metadata"],
        "annotations": {f"alula.dev/{key.replace('_', '-')}": v for key, v in annotations.items()},
    }
    return dataclasses.replace(before, launch_plans=(requests.effective({**plan, "metadata": metadata}),))


def plan_of(before: World) -> dict[str, Any]:
    return dict(before.launch_plans[0])


def decided(before: World) -> decide.Decision:
    return decide.decide(before, NOW)


def answers(decision: decide.Decision) -> dict[str, Any]:
    (status,) = (each for each in decision.statuses if each.body["kind"] == "LaunchPlan")
    return {key: value for key, value in status.patch.items() if key in requests.ANSWERED.values()}


def test_a_new_value_starts_one_run_and_the_status_repeats_it() -> None:
    asked = annotated(settled(scenes.launch_plan()), run_requested="ada at noon")
    decision = decided(asked)
    name = plan_of(asked)["metadata"]["name"]
    (run,) = decision.runs
    assert run["spec"] == {"workflowTemplateRef": {"name": f"lp-{name}"}}
    assert run["metadata"]["annotations"] == {labels.REASON: "asked for: ada at noon"}
    assert run["metadata"]["name"].startswith(f"lp-{name}-asked-")
    assert answers(decision) == {"lastHandledRunAt": "ada at noon"}
    assert decided(asked).runs == decision.runs, "decided again before the status was written, it is the same run"


def test_a_run_that_is_asked_for_gets_the_time_of_asking_where_its_schedule_gives_one() -> None:
    plan = scenes.launch_plan(schedule={"cron": ["0 2 * * *"], "input": "label"})
    (run,) = decided(annotated(settled(plan), run_requested="1")).runs
    assert run["spec"]["arguments"] == {"parameters": [{"name": "label", "value": '"2026-11-22T12:00:00Z"'}]}


def test_what_is_answered_starts_nothing_and_another_value_starts_another_run() -> None:
    before = settled(scenes.launch_plan())
    (first,) = decided(annotated(before, run_requested="1")).runs
    (plan,) = before.launch_plans
    known = {**plan, "status": {**plan["status"], "lastHandledRunAt": "1"}}
    before = dataclasses.replace(before, launch_plans=(known,))
    assert decided(annotated(before, run_requested="1")).runs == ()
    (second,) = decided(annotated(before, run_requested="2")).runs
    assert second["metadata"]["name"] != first["metadata"]["name"]


def test_a_definition_without_a_status_records_and_starts_nothing() -> None:
    asked = annotated(world(scenes.launch_plan()), run_requested="before the disaster", retry_requested="too")
    decision = decided(asked)
    assert decision.runs == ()
    assert answers(decision) == {"lastHandledRunAt": "before the disaster", "lastHandledRetryAt": "too"}


def test_a_request_waits_until_the_definition_is_ready() -> None:
    asked = annotated(settled(scenes.launch_plan()), run_requested="1")
    assert asked.compiled is not None
    name = plan_of(asked)["metadata"]["name"]
    from alula_api.contract.codes import Code
    from alula_api.contract.diagnostics import Diagnostic

    bad = dataclasses.replace(
        asked.compiled, plan_objects={}, plan_diagnostics={name: (Diagnostic(Code.UNKNOWN_INPUT, "no input"),)}
    )
    decision = decided(dataclasses.replace(asked, compiled=bad))
    assert (decision.runs, answers(decision)) == ((), {})


def failed(revision: str) -> dict[str, Any]:
    return {**FAILED, "metadata": {**FAILED["metadata"], "labels": {labels.REVISION: revision}}}


def test_the_last_failed_run_is_started_again_with_its_inputs_alone() -> None:
    asked = annotated(settled(scenes.launch_plan()), retry_requested="1")
    name = plan_of(asked)["metadata"]["name"]
    assert decided(asked).runs == (), "there is none"
    current = plan_of(asked)["status"]["revision"]
    for last in (FAILED, failed(current)):
        decision = decided(dataclasses.replace(asked, failed={name: last}))
        (run,) = decision.runs
        assert run["spec"] == {
            "arguments": FAILED["spec"]["arguments"],
            "workflowTemplateRef": {"name": f"lp-{name}"},
        }
        assert run["metadata"]["annotations"][labels.RESTARTED_FROM] == "lp-nightly-xyz"
        assert decision.apply == ()


OLD = "lp-nightly-0a1b2c3d"
"""A revision that was replaced since."""
OLD_SPEC = {
    "templates": [{"name": "old"}],
    "workflowMetadata": {
        "labels": {labels.REVISION: OLD, labels.WORKFLOW: "sums", labels.LAUNCH_PLAN: "nightly", labels.VERSION: "v0"}
    },
}
STORED = Stored(
    {"metadata": {"name": OLD, "namespace": scenes.SPACE, "labels": {
        labels.MANAGED_BY: labels.MANAGER, labels.WORKFLOW: "sums", labels.LAUNCH_PLAN: "nightly"}}},
    OLD_SPEC,
)  # fmt: skip


def retried(**changes: Any) -> World:
    """A plan that is asked to start its last failed run again, which was of a revision that was replaced since."""
    asked = annotated(settled(scenes.launch_plan()), retry_requested="1")
    seen = Revision(OLD, "u0", "uid-of-sums", "2026-11-21T11:00:00Z", "2026-11-22T10:59:00Z")
    given = {"failed": {"nightly": failed(OLD)}, "stored": {OLD: STORED}, "revisions": (*asked.revisions, seen)}
    return dataclasses.replace(asked, **{**given, **changes})


def test_a_run_of_a_revision_that_was_replaced_is_started_again_as_it_was_compiled_then() -> None:
    asked = retried()
    decision = decided(asked)
    (template,), (run,) = decision.apply, decision.runs
    assert (template["metadata"]["name"], template["spec"]) == (OLD, OLD_SPEC)
    assert "ownerReferences" not in template["metadata"]
    assert run["spec"]["workflowTemplateRef"] == {"name": OLD}
    assert run["metadata"]["labels"] == OLD_SPEC["workflowMetadata"]["labels"]

    # The template stays while that run goes on, and goes after it.
    (plan,) = asked.launch_plans
    answered = {**plan, "status": {**plan["status"], "lastHandledRetryAt": "1"}}
    live = {**asked.live, children.about(template): {**template, "metadata": {**template["metadata"], "uid": "t"}}}
    going = Seen(scenes.SPACE, run["metadata"]["name"], "u9", "9", labels=run["metadata"]["labels"])
    after = dataclasses.replace(asked, launch_plans=(answered,), live=live, failed={}, unfinished=(going,))
    then = decided(after)
    assert (then.delete, then.apply, then.runs) == ((), (), ())
    assert then.again is not None
    ended = decided(dataclasses.replace(after, unfinished=()))
    assert [(each.kind, each.name) for each in ended.delete] == [("WorkflowTemplate", OLD)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"stored": {}}, f"its revision {OLD} is gone"),
        ({"live": {("WorkflowTemplate", OLD): {"kind": "WorkflowTemplate", "metadata": {"name": OLD, "uid": "x"}}}},
         f"the name {OLD} is taken"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_started_as_it_was_is_not_started_otherwise(changes: dict[str, Any], why: str) -> None:
    decision = decided(retried(**changes))
    assert decision.runs == ()
    (event,) = (each for each in decision.events if each.reason == Reason.NOT_STARTED_AGAIN)
    assert event.message == f"run lp-nightly-xyz cannot be started again: {why}; start a new run"
    assert answers(decision) == {"lastHandledRetryAt": "1"}


def test_the_name_of_a_replaced_template_fits_argos_label() -> None:
    long = revisions.template_for("a" * 62 + "." + "-0a1b2c3d")
    assert long == "a" * 54 + "-0a1b2c3d"
    assert revisions.template_for(OLD) == OLD


def test_a_workflow_is_asked_like_a_plan() -> None:
    before = settled()
    assert before.workflow is not None
    body = {**before.workflow, "metadata": {**before.workflow["metadata"], "annotations": {labels.RUN_REQUESTED: "1"}}}
    (run,) = decided(dataclasses.replace(before, workflow=body)).runs
    assert run["spec"] == {"workflowTemplateRef": {"name": "sums"}}


def test_a_plan_that_is_held_by_hand_is_suspended_and_says_by_whom() -> None:
    plan = scenes.launch_plan()
    held = requests.effective(
        {**plan, "metadata": {**plan["metadata"], "annotations": {labels.SUSPENDED: "ada: a move"}}}
    )
    assert held["spec"]["suspend"] is True
    condition = ready(decided(world(held)), plan["metadata"]["name"])["Ready"]
    assert (condition["status"], condition["reason"]) == ("True", Reason.SUSPENDED)
    assert condition["message"].startswith("suspended by hand: ada: a move; compiled to ")
    assert requests.effective(plan) is plan


def test_values_of_any_length_are_cut_as_the_status_allows() -> None:
    asked = annotated(settled(scenes.launch_plan()), run_requested="x" * 5_000)
    decision = decided(asked)
    assert len(decision.runs) == 1
    assert answers(decision) == {"lastHandledRunAt": "x" * 256}
