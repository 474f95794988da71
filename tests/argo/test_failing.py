"""Where a run began to fail."""

from __future__ import annotations

from typing import Any

from alula_api.argo import failing, nodes
from alula_api.argo.failing import Failing

TEMPLATES = [
    {
        "name": "main",
        "dag": {
            "tasks": [
                {"name": "load", "template": "load"},
                {"name": "fit", "template": "fit", "depends": "load.Succeeded"},
                {"name": "score", "template": "map", "depends": "load.Succeeded"},
                {"name": "after", "template": "load", "depends": "re-load.AnySucceeded"},
            ]
        },
    },
    {
        "name": "map",
        "dag": {
            "tasks": [
                {"name": "item", "template": "fit"},
                {"name": "collect", "template": "fit", "depends": "item.Succeeded || item.Failed"},
            ]
        },
    },
]


def run(*found: dict[str, Any]) -> tuple[dict[str, Any], nodes.Nodes]:
    root = {"id": "r", "name": "r", "type": "DAG", "phase": "Running", "templateName": "main"}
    made = {"r": root, **{node["id"]: node for node in found}}
    return {"metadata": {"name": "r"}, "status": {"storedWorkflowTemplateSpec": {"templates": TEMPLATES}}}, made


def node(path: str, phase: str = "Failed", type: str = "Pod", **more: Any) -> dict[str, Any]:
    around, _, name = path.rpartition(".")
    boundary = nodes.id_of("r", around) if around else "r"
    return {
        "id": nodes.id_of("r", path),
        "name": f"r.{path}",
        "displayName": name,
        "type": type,
        "phase": phase,
        "boundaryID": boundary,
        "finishedAt": "2026-11-30T03:00:00Z",
        **more,
    }


def test_nothing_failed() -> None:
    assert failing.first(*run(node("load", "Succeeded"), node("fit", "Running"))) is None


def test_a_task_without_retries_failed_with_its_message() -> None:
    found = failing.first(*run(node("load", message="main: Error (exit code 90): {{=1+1}} é")))
    assert found == Failing("load", nodes.id_of("r", "load"), "{{=1+1}} é", "2026-11-30T03:00:00Z")
    assert found.text == "load failed: {{=1+1}} é"


def test_an_attempt_that_is_followed_by_another_is_no_failure() -> None:
    attempt = node("load(0)")
    assert failing.first(*run(attempt, node("load", "Running", "Retry", children=[attempt["id"]]))) is None


def test_the_message_of_the_last_attempt_is_that_of_the_task() -> None:
    attempts = [
        node("load(0)", message="first", startedAt="2026-11-30T02:00:00Z"),
        node("load(1)", message="second", startedAt="2026-11-30T02:30:00Z"),
    ]
    retried = node("load", type="Retry", message="No more retries", children=[each["id"] for each in attempts])
    found = failing.first(*run(*attempts, retried))
    assert found is not None
    assert (found.path, found.message) == ("load", "second")


def test_the_earliest_failure_is_the_first_and_of_equal_ones_the_innermost() -> None:
    late = node("fit", finishedAt="2026-11-30T03:00:01Z")
    around = node("score", type="DAG", templateName="sub")
    found = failing.first(*run(late, around, node("score.inner", message="inner")))
    assert found is not None
    assert found.path == "score.inner"


def test_an_item_is_no_failure_where_the_map_goes_on_without_it() -> None:
    whole = node("score", "Running", "DAG", templateName="map")
    group = node("score.item", "Failed", "TaskGroup")
    item = node("score.item(3:3)")
    assert failing.first(*run(whole, group, item)) is None
    inside = {**node("score.item(4:4)", type="DAG", templateName="sub")}
    deeper = node("score.item(4:4).fit")
    assert failing.first(*run(whole, group, inside, deeper)) is None


def test_the_map_itself_failed() -> None:
    whole = node("score", "Failed", "DAG", templateName="map", message="too few", finishedAt="2026-11-30T03:00:02Z")
    found = failing.first(*run(whole, node("score.item(3:3)"), node("score.collect", message="too few")))
    assert found is not None
    assert found.path == "score.collect"


def test_a_task_with_a_longer_name_is_another_task() -> None:
    found = failing.first(*run(node("load")))
    assert found is not None, "re-load is waited for, and not load"


def test_what_was_skipped_or_omitted_did_not_fail() -> None:
    assert failing.first(*run(node("load", "Skipped", "Skipped"), node("fit", "Omitted", "Skipped"))) is None


def test_only_what_has_a_pod_at_work_runs() -> None:
    _, found = run(node("load", "Pending"), node("fit", "Running", "Retry"), node("admit", "Running", "Suspend"))
    assert not failing.running(found)
    _, found = run(node("load", "Running"))
    assert failing.running(found)
