"""Definitions on a real API server: what they become, what their conditions say, what puts itself right."""

from __future__ import annotations

import json
import time

import pytest

from alula_api.contract.graphs import plans
from e2e.cluster import api
from e2e.controller import definitions
from e2e.controller.conftest import Scene, condition, until, writes

ALULA = "alula.dev/v1alpha1"
ARGO = "argoproj.io/v1alpha1"


def test_a_definition_becomes_a_template_with_its_revision_and_says_so(scene: Scene) -> None:
    scene.define(
        definitions.workflow("made"), definitions.launch_plan("made-nightly", "made", schedule={"cron": ["0 2 * * *"]})
    )
    template = scene.api.get(ARGO, "WorkflowTemplate", "made", scene.space)
    workflow = scene.api.get(ALULA, "Workflow", "made", scene.space)
    assert template["metadata"]["ownerReferences"][0]["uid"] == workflow["metadata"]["uid"]
    revision = template["spec"]["workflowMetadata"]["labels"]["alula.dev/revision"]
    assert workflow["status"]["revision"] == revision
    assert workflow["status"]["version"] == "v1"
    stored = scene.api.get(ALULA, "WorkflowRevision", revision, scene.space)
    assert plans.from_text(stored["spec"]["plan"]).template == "made"
    assert json.loads(stored["spec"]["spec"]) == template["spec"]
    with pytest.raises(api.ApiError, match="must not change"):
        scene.api.patch(ALULA, "WorkflowRevision", revision, scene.space, {"spec": {"plan": "{}"}})
    assert revision in scene.place.cluster.kubectl("get", "arev", "-n", scene.space).stdout
    assert scene.api.list(ARGO, "CronWorkflow", scene.space) == []
    assert until(lambda: scene.events("made")) == ["Compiled"]


def test_nothing_is_written_while_nothing_changes(scene: Scene) -> None:
    scene.define(
        definitions.workflow("idle"), definitions.launch_plan("idle-plan", "idle", schedule={"cron": ["0 2 * * *"]})
    )
    made = scene.api.list(ARGO, "WorkflowTemplate", scene.space)
    written = []
    for team in "abc":  # a write may be for what another scenario left: none may come each time
        time.sleep(2)
        before = writes()
        mark = (f"team={team}", "-n", scene.space, "--overwrite")
        scene.place.cluster.kubectl("label", "workflows.alula.dev", "idle", *mark)
        scene.place.cluster.kubectl("annotate", "workflowtemplate", "idle", *mark)
        time.sleep(4)
        written.append(writes() - before)
        if not written[-1]:
            break
    assert 0 in written, written
    assert len(made) == len(scene.api.list(ARGO, "WorkflowTemplate", scene.space))


def test_what_is_changed_or_deleted_by_hand_is_put_back(scene: Scene) -> None:
    scene.define(definitions.workflow("drift"))
    made = scene.api.get(ARGO, "WorkflowTemplate", "drift", scene.space)
    scene.api.patch(ARGO, "WorkflowTemplate", "drift", scene.space, {"spec": {"entrypoint": "elsewhere"}})

    def back() -> bool:
        try:
            return bool(scene.api.get(ARGO, "WorkflowTemplate", "drift", scene.space)["spec"] == made["spec"])
        except api.ApiError:
            return False

    until(back, 30)
    scene.api.delete(ARGO, "WorkflowTemplate", "drift", scene.space)
    until(back, 30)


def test_what_is_added_by_hand_is_taken_away_and_said(scene: Scene) -> None:
    scene.define(definitions.workflow("grown"))
    made = scene.api.get(ARGO, "WorkflowTemplate", "grown", scene.space)["spec"]
    evil = {"name": "evil", "template": "x"}
    added = {
        "hooks": {"exit": {"templateRef": evil}},
        "hostNetwork": True,
        "templateDefaults": {"container": {"envFrom": [{"secretRef": {"name": "alula-store"}}]}},
        "securityContext": {"runAsUser": 0},
        "workflowMetadata": {"labels": {"team": "a"}},
    }
    scene.api.patch(ARGO, "WorkflowTemplate", "grown", scene.space, {"spec": added})
    until(lambda: scene.api.get(ARGO, "WorkflowTemplate", "grown", scene.space)["spec"] == made, 30)
    until(lambda: "Reverted" in scene.events("grown"), 30)
    time.sleep(2)
    assert scene.events("grown").count("Reverted") == 1
    found = scene.api.list("v1", "Event", scene.space)
    reverted = [each for each in found if each["reason"] == "Reverted"]
    (message,) = [each["message"] for each in reverted if each["involvedObject"]["name"] == "grown"]
    assert "spec.hooks" in message and "spec.securityContext" in message and "evil" not in message


def test_a_change_makes_a_new_revision_and_keeps_the_old_one(scene: Scene) -> None:
    scene.define(definitions.workflow("grows"))
    scene.define(definitions.workflow("grows", version="v2"))
    revisions = list(scene.api.list(ALULA, "WorkflowRevision", scene.space, "alula.dev/workflow=grows"))
    assert len(revisions) == 2
    status = scene.api.get(ALULA, "Workflow", "grows", scene.space)["status"]
    assert status["version"] == "v2"


def test_a_template_that_alula_did_not_make_is_left_alone(scene: Scene) -> None:
    spec = {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]}
    scene.apply({"apiVersion": ARGO, "kind": "WorkflowTemplate", "metadata": {"name": "taken"}, "spec": spec})
    scene.apply(definitions.workflow("taken"))
    found = scene.place.condition("Workflow", "taken", "Stalled", "True")
    assert condition(found, "Stalled")["reason"] == "NameTaken"
    assert scene.api.get(ARGO, "WorkflowTemplate", "taken", scene.space)["spec"] == spec
    scene.api.delete(ARGO, "WorkflowTemplate", "taken", scene.space)
    scene.place.ready("Workflow", "taken", 60)


def test_a_plan_waits_for_its_workflow(scene: Scene) -> None:
    scene.apply(definitions.launch_plan("early", "late"))
    found = scene.place.condition("LaunchPlan", "early", "Ready", "False")
    assert condition(found, "Ready")["reason"] == "WaitingForWorkflow"
    scene.define(definitions.workflow("late"))
    scene.place.ready("LaunchPlan", "early", 30)


def test_a_deleted_workflow_takes_its_launch_plans_templates_with_it_and_a_new_one_of_its_name_works(
    scene: Scene,
) -> None:
    bodies = (
        definitions.workflow("again"),
        definitions.launch_plan("again-plan", "again", schedule={"cron": ["0 2 * * *"]}),
    )
    scene.define(*bodies)
    scene.api.delete(ALULA, "Workflow", "again", scene.space)
    until(
        lambda: (
            "lp-again-plan"
            not in [each["metadata"]["name"] for each in scene.api.list(ARGO, "WorkflowTemplate", scene.space)]
        )
    )
    scene.define(*bodies)
    workflow = scene.api.get(ALULA, "Workflow", "again", scene.space)
    template = scene.api.get(ARGO, "WorkflowTemplate", "again", scene.space)
    assert template["metadata"]["ownerReferences"][0]["uid"] == workflow["metadata"]["uid"]


@pytest.mark.parametrize("bad", ["type", "task"])
def test_a_definition_that_does_not_compile_says_what_is_wrong_and_holds_up_no_other(scene: Scene, bad: str) -> None:
    nodes = {
        "type": [definitions.node("greet", "greet", text={"input": "x"})],
        "task": [definitions.node("nope", "missing", a={"value": "1"})],
    }
    scene.apply(*(definitions.workflow(f"poison-{bad}-{number}", nodes[bad]) for number in range(5)))
    began = time.monotonic()
    scene.define(definitions.workflow(f"healthy-beside-{bad}"))
    assert time.monotonic() - began < 20
    found = scene.place.condition("Workflow", f"poison-{bad}-0", "Stalled", "True")
    stalled = condition(found, "Stalled")
    assert stalled["reason"] == "Invalid"
    assert {"type": "EDGE_TYPE", "task": "UNKNOWN_TASK"}[bad] in stalled["message"]


def test_a_namespace_without_labels_says_what_to_label_and_works_when_it_is_labelled(scene: Scene) -> None:
    cluster = scene.place.cluster
    cluster.namespace("unlabelled")
    cluster.apply(definitions.workflow("lost"), "unlabelled")

    def found() -> dict[str, object] | None:
        status = scene.api.get(ALULA, "Workflow", "lost", "unlabelled").get("status") or {}
        return next((each for each in status.get("conditions", []) if each["type"] == "Ready"), None)

    until(lambda: (found() or {}).get("reason") == "NamespaceNotLabelled", 30)
    cluster.kubectl("label", "namespace", "unlabelled", "alula.dev/project=lost", "alula.dev/domain=found")
    until(lambda: (found() or {}).get("status") == "True", 30)
    cluster.namespace("younger", {"alula.dev/project": "lost", "alula.dev/domain": "found"})
    cluster.apply(definitions.workflow("thief"), "younger")
    until(
        lambda: [
            each
            for each in (scene.api.get(ALULA, "Workflow", "thief", "younger").get("status") or {}).get("conditions", [])
            if each["reason"] == "PairClaimed"
        ],
        30,
    )


def test_text_of_all_planes_in_a_definition_reaches_the_template(scene: Scene) -> None:
    text = "tabs\tand\nlines, \xa0, é世🐦\U000e0067, {{workflow.uid}} {{=1+1}} $$ $(HOME)"
    body = definitions.workflow("odd-text", description=text)
    body["spec"]["inputs"][1]["default"] = '"\\u0007 🐦 {{= bad(("'
    scene.define(body)
    run = scene.run("odd-text")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
