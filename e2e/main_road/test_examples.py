"""Every example of a feature gives in Argo, with pods as local processes, what it gives here."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
from collections.abc import Mapping

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import lists
from e2e import installing
from e2e.main_road.conftest import Road

EXAMPLES = installing.ROOT / "examples" / "features"
IMAGE = "registry.example.org/features:1"
INPUTS: Mapping[str, Mapping[str, str]] = {
    "deciding.py:station": {"site": '{"name": "east", "probes": [1.0, 2.0], "trusted": true}'},
    "mapping.py:station": {"name": "oslo", "offset": "0.5"},
    "nesting.py:quadruple": {"x": "3"},
}
"""Of workflows without defaults."""


IMPERATIVE: Mapping[str, str] = {"imperative.py:OSLO": "forecast-oslo", "imperative.py:LIMA": "forecast-lima"}
"""Workflows that a program puts together, and their objects."""


def workflows() -> list[str]:
    """As `alula run` names them."""
    found = []
    for file in sorted(EXAMPLES.glob("*.py")):
        for each in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(each, ast.FunctionDef) and any(
                "workflow" in ast.unparse(mark) for mark in each.decorator_list
            ):
                found.append(f"{file.name}:{each.name}")
    found += IMPERATIVE
    return [each for each in found if not each.endswith(":checked")]  # a part of another


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The folder of examples, registered and applied."""
    project = tmp_path_factory.mktemp("features") / "features"
    shutil.copytree(EXAMPLES, project, ignore=shutil.ignore_patterns("golden", ".alula", "__pycache__"))
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    installation.cluster.pods.image(IMAGE, env={"PYTHONPATH": str(project)})
    place = installation.place("features", "dev")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "weather-api"}, "stringData": {"token": "t"}}
    installation.cluster.apply(secret, place.namespace)
    found = Road(place, project, gitops)
    found.register(*sorted(path.name for path in project.glob("*.py")))
    found.apply()
    return found


@pytest.fixture(scope="module")
def started(road: Road) -> dict[str, str]:
    """The run of each workflow: all are started before the first is waited for."""
    for each in workflows():
        road.place.ready("Workflow", _object(each))
    return {each: road.place.run(_object(each), INPUTS.get(each, {})) for each in workflows()}


def _object(workflow: str) -> str:
    return IMPERATIVE.get(workflow) or workflow.replace(".py:", "-").replace("_", "-")


@pytest.mark.parametrize("workflow", workflows())
def test_an_example_gives_the_same_here_and_in_argo(road: Road, started: dict[str, str], workflow: str) -> None:
    flags = [word for name, value in INPUTS.get(workflow, {}).items() for word in (f"--{name}", value)]
    here = json.loads(road.alula("run", "--json", workflow, *flags).stdout)["outputs"]
    status = road.place.ended(started[workflow], 300)["status"]
    nodes = argo.read(status)
    shown = {node["name"]: (node["phase"], node.get("message", "")) for node in nodes.values()}
    assert status["phase"] == "Succeeded", shown
    made = nodes[started[workflow]].get("outputs", {}).get("parameters", ())
    wires = {each["name"]: json.loads(each["value"]) for each in made}
    listed = {name: lists.read(wire) for name, wire in wires.items()}
    there = {name: wire if (found := listed[name]) is None else found.values() for name, wire in wires.items()}
    assert {name: there[name] for name in here} == here
