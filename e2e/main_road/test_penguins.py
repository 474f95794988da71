"""From a Python file through git to pods: outputs in the store, the second run without a pod, one input changed."""

from __future__ import annotations

import time

import pytest

from alula_api.contract import labels
from alula_api.contract.graphs import plans
from alula_controller.admission import check, earlier_run
from alula_data.stores import opening
from e2e import installing
from e2e.main_road.conftest import Road

TASKS = {"load", "clean", "split", "fit", "score", "report"}


def memoized(run: installing.Object) -> set[str]:
    """The tasks that Argo's own status marks as taken from a cache."""
    found = installing.nodes(run)
    return {name for name in TASKS if found[name].get("memoizationStatus", {}).get("hit")}


def keys_told_by(road: Road, run: installing.Object) -> set[str]:
    """The cache keys that the nodes of a run say that it came to."""
    revision = road.place.cluster.api.get(
        "alula.dev/v1alpha1", "WorkflowRevision", run["metadata"]["labels"][labels.REVISION], road.place.namespace
    )
    plan, name = plans.from_text(revision["spec"]["plan"]), run["metadata"]["name"]
    inputs = check.check(plan, run["spec"].get("arguments") or {}, name).inputs
    return set(earlier_run.guesses(plan, inputs, name, run["status"], 100))


def pods_of(road: Road, run: installing.Object) -> int:
    return len(road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace))


def test_a_file_becomes_a_run_and_the_second_run_has_no_pod(penguins: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    penguins.register("flows/penguins.py")
    assert "nothing changed" in penguins.register("flows/penguins.py")
    penguins.apply()
    penguins.place.ready("Workflow", "penguins-train")
    penguins.place.ready("LaunchPlan", "nightly")

    first, outputs = penguins.remote("flows/penguins.py:train")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    assert pods_of(penguins, first) == len(TASKS)
    assert 0.9 < outputs["scores"]["accuracy"] <= 1
    report = outputs["report"]
    for name, value in penguins.place.bucket.environment().items():
        monkeypatch.setenv(name, value)
    store = opening.open_store(penguins.place.prefix, endpoint=penguins.place.bucket.endpoint)
    assert report.startswith(f"{penguins.place.prefix}/cas/") and report.endswith("/report.html")
    page = store.get(report.removeprefix(f"{penguins.place.prefix}/")).decode()
    assert "Which penguin is it?" in page

    second, again = penguins.remote("flows/penguins.py:train")
    assert second["status"]["phase"] == "Succeeded", second["status"].get("message")
    assert again == outputs
    assert pods_of(penguins, second) == 0
    assert memoized(second) == TASKS
    told = [node.get("memoizationStatus") for node in installing.nodes(second).values()]
    assert keys_told_by(penguins, first) == {each["key"] for each in told if each}, "by what its pods made"
    assert first["metadata"]["labels"][labels.INPUTS] == second["metadata"]["labels"][labels.INPUTS]


def test_with_one_input_changed_exactly_what_depends_on_it_runs_again(penguins: Road) -> None:
    run, _ = penguins.remote("flows/penguins.py:train", "--seed", "8")
    assert run["status"]["phase"] == "Succeeded"
    assert memoized(run) == {"load", "clean"}
    assert pods_of(penguins, run) == len(TASKS - {"load", "clean"})


def test_a_title_reruns_the_report_alone_also_when_the_controller_is_killed_in_the_middle(
    penguins: Road, installation: installing.Installation
) -> None:
    pods = penguins.place.cluster.pods
    pods.hold("*report*")
    try:
        name = penguins.place.run("penguins-train", {"title": "Killed in the middle"})
        deadline = time.monotonic() + 60
        while not pods.started(workflow=name, namespace=penguins.place.namespace):
            assert time.monotonic() < deadline, "the report's pod was never made"
            time.sleep(0.2)
        installation.kill()
    finally:
        pods.release("*report*")
    installation.start()
    run = penguins.place.ended(name)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert memoized(run) == TASKS - {"report"}
    assert pods_of(penguins, run) == 1


def test_a_run_that_is_created_while_the_controller_is_down_starts_when_it_returns(
    penguins: Road, installation: installing.Installation
) -> None:
    installation.kill()
    name = penguins.place.run("penguins-train", {"seed": "7"})
    installation.start()
    run = penguins.place.ended(name)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert memoized(run) == TASKS
    assert pods_of(penguins, run) == 0


def test_a_launch_plan_runs_with_its_fixed_inputs_and_refuses_others(penguins: Road) -> None:
    run, _ = penguins.remote("flows/penguins.py:nightly")
    assert run["status"]["phase"] == "Succeeded"
    admitted = {each["name"]: each["value"] for each in installing.nodes(run)["admit"]["outputs"]["parameters"]}
    assert (admitted["seed"], admitted["title"]) == ("42", '"Penguins, last night"')
    refused = penguins.place.ended(penguins.place.run("lp-nightly", {"seed": "1"}))
    assert refused["status"]["phase"] in ("Failed", "Error")
    assert "seed" in refused["status"]["message"]
    assert pods_of(penguins, refused) == 0


def test_a_value_that_does_not_fit_fails_at_admit_with_a_message_and_without_a_pod(penguins: Road) -> None:
    run = penguins.place.ended(penguins.place.run("penguins-train", {"seed": "many", "held_out": '"half"'}))
    assert run["status"]["phase"] in ("Failed", "Error")
    assert "seed" in run["status"]["message"] and "held_out" in run["status"]["message"]
    assert pods_of(penguins, run) == 0
