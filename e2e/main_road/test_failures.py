"""What becomes of a run after a failure, in Argo: each case of `tests/engine` ends as it does in the local runner.

Apart from `test_conformance`, because time counts here: a task fails while another one is at work.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import Any

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import labels
from e2e import installing
from e2e.main_road.conftest import Road
from tests.engine.cases import FAILURES, PROJECT, Case

IMAGE = "registry.example.org/failures:1"


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The workflows, registered and applied, with their code "in the image"."""
    project = tmp_path_factory.mktemp("failures") / "flows"
    project.mkdir()
    shutil.copy(PROJECT / "failures.py", project)
    (project / "pyproject.toml").write_text(f'[tool.alula]\nproject = "failures"\nimage = "{IMAGE}"\n')
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    installation.cluster.pods.image(IMAGE, env={"PYTHONPATH": str(project)})
    found = Road(installation.place("failures", "dev"), project, gitops)
    found.register("failures.py")
    found.apply()
    return found


def _object(case: Case) -> str:
    return f"failures-{case.workflow.partition(':')[2]}"


@pytest.fixture(scope="module")
def ended(road: Road) -> dict[str, installing.Object]:
    """The run of each case, half of them at a time: what fails must not wait for a place among the pods while what it
    stops is at work.
    """
    for case in FAILURES:
        road.place.ready("Workflow", _object(case))
    half = len(FAILURES) // 2
    return _ended(road, FAILURES[:half]) | _ended(road, FAILURES[half:])


def _ended(road: Road, cases: tuple[Case, ...]) -> dict[str, installing.Object]:
    """The run of each: all are started before the first is waited for."""
    runs = {
        case.name: road.place.run(_object(case), {name: json.dumps(value) for name, value in case.inputs.items()})
        for case in cases
    }
    return {name: road.place.ended(run, 300) for name, run in runs.items()}


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case.name)
def test_in_argo_it_ends_as_it_must(road: Road, ended: dict[str, installing.Object], case: Case) -> None:
    run = ended[case.name]
    status = run["status"]
    start = len(run["metadata"]["name"]) + 1
    nodes: dict[str, Any] = {node["name"][start:]: node for node in argo.read(status).values()}
    shown = {path: (node["phase"], node.get("message", "")) for path, node in nodes.items()}
    assert status["phase"] == "Failed", shown
    assert [shown[path][0] for path in case.done] == ["Succeeded"] * len(case.done), shown
    assert [shown[path][0] for path in case.failed] == ["Failed"] * len(case.failed), shown
    began = {
        path for path, (phase, message) in shown.items() if phase in ("Succeeded", "Running") or case.message in message
    }
    assert not began.intersection(case.absent), shown
    pods = road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)
    assert len(pods) == len(case.done) + len(case.failed), shown
    api, name = road.place.cluster.api, run["metadata"]["name"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = api.get("argoproj.io/v1alpha1", "Workflow", name, road.place.namespace)
        said = now["status"].get("message", "")
        if now["status"]["storedWorkflowTemplateSpec"].get("activeDeadlineSeconds") != 1 and case.message in said:
            first = "the run took" if "deadline" in case.message else f"{case.failed[0]} failed: ValueError: failed on"
            assert said.startswith(first)
            return
        time.sleep(0.5)
    raise AssertionError(f"{now['status'].get('message')}; {now['status']['storedWorkflowTemplateSpec']}")


# Handlers


def _handlers(road: Road, run: str) -> dict[str, installing.Object]:
    """The handlers' runs of a run, ended, by what they were started on, once it is marked that they were."""
    api, namespace = road.place.cluster.api, road.place.namespace
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = api.get("argoproj.io/v1alpha1", "Workflow", run, namespace)
        if found["metadata"]["labels"].get(labels.HANDLERS) == "done":
            break
        time.sleep(0.5)
    else:
        raise AssertionError(f"{run} was not looked at")
    listed = api.list("argoproj.io/v1alpha1", "Workflow", namespace)
    reasons = {each["metadata"]["name"]: each["metadata"].get("annotations", {}).get(labels.REASON) for each in listed}
    events = {"failure": f"on failure of {run}", "exit": f"on exit of {run}"}
    names = {
        event: next((name for name, said in reasons.items() if said == text), "") for event, text in events.items()
    }
    return {event: road.place.ended(name, 180) for event, name in names.items() if name}


def _made(run: installing.Object, path: str) -> str:
    """The first output of a node."""
    nodes = {node["name"]: node for node in argo.read(run["status"]).values()}
    found = nodes[f"{run['metadata']['name']}.{path}"]
    assert found["phase"] == "Succeeded", found
    return str(json.loads(found["outputs"]["parameters"][0]["value"]))


def test_handlers_run_after_a_failure_and_get_what_failed_and_after_a_success_only_that_of_the_exit(road: Road) -> None:
    road.place.ready("Workflow", "failures-handled")
    failed, well, worse = (road.place.run("failures-handled", {"n": str(n)}) for n in (2, 1, 4))
    assert road.place.ended(failed)["status"]["phase"] == "Failed"
    found = _handlers(road, failed)
    assert {event: run["status"]["phase"] for event, run in found.items()} == {
        "failure": "Succeeded",
        "exit": "Succeeded",
    }
    said = _made(found["failure"], "failures-mend.note")
    assert said.startswith("all failed at even: ValueError: { {=1+1} } is not odd: 2")
    assert _made(found["exit"], "note").startswith("it failed at even: ValueError: { {=1+1} } is not odd: 2")
    assert road.place.ended(well)["status"]["phase"] == "Succeeded"
    found = _handlers(road, well)
    assert list(found) == ["exit"]
    assert _made(found["exit"], "note") == "it ended well"
    ended = road.place.ended(worse)
    found = _handlers(road, worse)
    assert {run["status"]["phase"] for run in found.values()} == {"Failed"}, "a handler's failure is its own"
    assert ended["status"]["message"].startswith("even failed: ValueError: { {=1+1} } is not odd: 4")


def test_a_handler_runs_after_a_stop_and_not_after_a_termination_or_a_refusal(road: Road) -> None:
    road.place.ready("Workflow", "failures-stopped")
    refused = road.place.run("failures-stopped", {"n": '"no number"'})
    stopped, terminated = (road.place.run("failures-stopped", {"n": "1"}) for _ in range(2))
    cluster, namespace = road.place.cluster, road.place.namespace
    assert road.place.ended(refused)["status"]["phase"] == "Failed"
    assert _handlers(road, refused) == {}
    for run in (stopped, terminated):
        deadline = time.monotonic() + 120
        while not cluster.pods.started(run, namespace) and time.monotonic() < deadline:
            time.sleep(0.5)
    installing.alula(cluster, "stop", stopped, "--namespace", namespace, "--why", "enough", cwd=road.project)
    patch = {"spec": {"shutdown": "Terminate"}}
    cluster.kubectl(
        "-n", namespace, "patch", "workflows.argoproj.io", terminated, "--type=merge", "-p", json.dumps(patch)
    )
    assert "stopped: enough" in road.place.ended(stopped)["status"]["message"]
    found = _handlers(road, stopped)
    assert list(found) == ["exit"]
    assert _made(found["exit"], "note") == "it failed at : stopped: enough"
    road.place.ended(terminated)
    assert _handlers(road, terminated) == {}
