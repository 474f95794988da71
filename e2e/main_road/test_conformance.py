"""The cases of `tests/engine` in Argo, with pods as local processes: each ends as it does in the local runner."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import lists
from e2e import installing
from e2e.main_road.conftest import Road
from tests.engine.cases import CASES, PROJECT, Case

IMAGE = "registry.example.org/conformance:1"


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The project, registered and applied, with its code "in the image"."""
    project = tmp_path_factory.mktemp("conformance") / "flows"
    shutil.copytree(PROJECT, project)
    (project / "pyproject.toml").write_text(f'[tool.alula]\nproject = "conformance"\nimage = "{IMAGE}"\n')
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    installation.cluster.pods.image(IMAGE, env={"PYTHONPATH": str(project)})
    found = Road(installation.place("conformance", "dev"), project, gitops)
    found.register(*sorted(path.name for path in project.glob("*.py")))
    found.apply()
    return found


@pytest.fixture(scope="module")
def ended(road: Road) -> dict[str, installing.Object]:
    """The run of each case in Argo: all are started before the first is waited for."""
    for name in sorted({_object(case) for case in CASES}):
        road.place.ready("Workflow", name)
    started = {
        case.name: road.place.run(_object(case), {name: json.dumps(value) for name, value in case.inputs.items()})
        for case in CASES
    }
    return {name: road.place.ended(run, 300) for name, run in started.items()}


def _object(case: Case) -> str:
    file, _, function = case.workflow.partition(":")
    return f"{file.removesuffix('.py')}-{function}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_argo_it_ends_as_it_must(road: Road, ended: dict[str, installing.Object], case: Case) -> None:
    run = ended[case.name]
    status = run["status"]
    nodes = argo.read(status)
    shown = {node["name"]: (node["phase"], node.get("message", "")) for node in nodes.values()}
    assert status["phase"] in (("Failed", "Error") if case.outputs is None else ("Succeeded",)), shown
    start = len(run["metadata"]["name"]) + 1
    ran = {node["name"][start:] for node in nodes.values() if node["phase"] in ("Succeeded", "Failed", "Running")}
    assert not ran.intersection(case.absent)
    if case.outputs is None:
        assert case.message in json.dumps([node.get("message", "") for node in nodes.values()])
        return
    root = nodes[run["metadata"]["name"]]
    made = {each["name"]: _value(json.loads(each["value"])) for each in root["outputs"]["parameters"]}
    assert {name: made[name] for name in case.outputs} == case.outputs


def _value(wire: Any) -> Any:
    """An output as it travels; of a list that no pod collected its items, which are short here."""
    listed = lists.read(wire)
    return wire if listed is None else listed.values()


def test_no_more_items_of_a_map_run_at_one_time_than_its_concurrency(ended: dict[str, installing.Object]) -> None:
    nodes = argo.read(ended["limited-3"]["status"]).values()
    items = [node for node in nodes if node["type"] == "Pod" and node["templateName"] == "seven"]
    assert len(items) == 3
    for item in items:
        others = (each for each in items if each["startedAt"] <= item["startedAt"] < each["finishedAt"])
        assert len([item, *(each for each in others if each is not item)]) <= 2


@pytest.mark.parametrize(
    ("workflow", "n", "output", "pods"),
    [
        ("whole", 4, 43, 0),
        ("whole", 2, 21, 0),
        ("partly", 5, 54, 2),
        ("items", 3, 12, 0),
        ("items", 4, 13, 2),
        ("texts", 3, 900, 0),
        ("rounds", 11, 15, 0),
        ("further", 11, 19, 3),  # whose first rounds are those of `rounds`
    ],
)
def test_a_second_run_finds_what_is_cached_through_conditionals_and_maps(
    road: Road, ended: dict[str, installing.Object], workflow: str, n: int, output: int, pods: int
) -> None:
    assert "Failed" not in {
        ended[name]["status"]["phase"] for name in ("whole-4", "partly-5", "items-3", "texts-3", "rounds-11")
    }
    run = road.place.ended(road.place.run(f"remembered-{workflow}", {"n": str(n)}), 300)
    nodes = argo.read(run["status"])
    shown = {node["name"]: (node["phase"], node.get("message", "")) for node in nodes.values()}
    assert run["status"]["phase"] == "Succeeded", shown
    made = {each["name"]: json.loads(each["value"]) for each in nodes[run["metadata"]["name"]]["outputs"]["parameters"]}
    assert made["o0"] == output
    started = road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)
    assert len(started) == pods, shown


def test_a_run_after_a_failed_one_repeats_only_the_item_that_had_failed(
    road: Road, ended: dict[str, installing.Object]
) -> None:
    assert ended["unfinished-0"]["status"]["phase"] == "Failed"
    run = road.place.ended(road.place.run("remembered-unfinished", {"n": "0"}), 300)
    assert run["status"]["phase"] == "Failed"
    shown = {node["displayName"]: node.get("message", "") for node in argo.read(run["status"]).values()}
    assert (shown["item(0:0)"], shown["item(1:1)"]) == ("cached", "cached")
    assert len(road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)) == 1


def test_a_thousand_cached_items_end_without_a_pod(road: Road, ended: dict[str, installing.Object]) -> None:
    assert ended["many-[7]"]["status"]["phase"] == "Succeeded"
    run = road.place.ended(road.place.run("remembered-many", {"xs": json.dumps([7] * 1000)}), 300)
    nodes = argo.read(run["status"])
    shown = {(node["type"], node["phase"], node.get("message", "")) for node in nodes.values()}
    assert run["status"]["phase"] == "Succeeded", shown
    (made,) = nodes[run["metadata"]["name"]]["outputs"]["parameters"]
    assert _value(json.loads(made["value"])) == [8] * 1000
    assert not road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)
