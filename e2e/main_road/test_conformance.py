"""The cases of `tests/engine` in Argo, with pods as local processes: each ends as it does in the local runner.

In the middle of all of them both controllers are killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from alula.remote import outline as outlines
from alula_api.argo import nodes as argo
from alula_api.contract.graphs import specs
from e2e import conformance, installing
from e2e.main_road.conftest import Road, engine, registered
from tests.engine import outlined, table
from tests.engine.cases import BUDGETS, CASES, Case, begun

TRIED = "tried"
RUNS = conformance.Runs(CASES)
AT_ONCE = 24


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The project, registered and applied, with its code "in the image"."""
    files = {**engine(), "together.py": RUNS.module()}
    only = (*RUNS.objects(), "remembered-further")
    folder = tmp_path_factory.mktemp("conformance")
    return registered(installation, folder, "conformance", files, folders={"TRIED": TRIED}, only=only)


@pytest.fixture(scope="module")
def ended(road: Road, installation: installing.Installation) -> dict[str, conformance.Ended]:
    """What became of each case."""
    return RUNS.run(road.place, 300, AT_ONCE, lambda: _restart(road, installation))


def _restart(road: Road, installation: installing.Installation) -> None:
    """Kill both controllers while branches, maps and repeats are under way, and start them again."""
    deadline = time.monotonic() + 60
    while len(road.place.cluster.pods.started(namespace=road.place.namespace)) < 12 and time.monotonic() < deadline:
        time.sleep(0.2)
    installation.kill()
    road.place.cluster.restart_argo()
    installation.start()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_argo_it_ends_as_it_must(
    ended: dict[str, conformance.Ended], case: Case, record_property: Callable[[str, object], None]
) -> None:
    record_property(table.PROCESSES, case.name)
    conformance.check(case, ended[case.name])


@pytest.mark.parametrize("case", [case for case in CASES if case.failed], ids=lambda case: case.name)
def test_in_argo_a_failure_keeps_from_running_what_it_does_here_and_nothing_else(
    road: Road, ended: dict[str, conformance.Ended], case: Case
) -> None:
    run = ended[case.name]
    outline = _outline(road, case)
    expected = {*case.done, *case.failed}
    ran: set[str] = set()
    for pod in road.place.cluster.pods.started(run.run, road.place.namespace):
        path = pod.node.removeprefix(f"{run.run}.").rpartition("(")[0]  # without the number of the attempt
        items = outlined.tasks(outline, path, expected)
        assert run.nodes[path]["phase"] == ("Failed" if items.intersection(case.failed) else "Succeeded"), path
        ran |= items
    assert ran == expected
    found = road.place.cluster.api.get(installing.ARGO, "Workflow", run.run, road.place.namespace)
    place, _, said = found["status"]["message"].partition(" failed: ")
    assert case.failed[0] in outlined.tasks(outline, place, expected)
    assert case.message in said


@pytest.mark.parametrize("case", BUDGETS, ids=lambda case: case.name)
def test_in_argo_the_code_is_begun_as_often_as_its_budgets_allow(
    road: Road, ended: dict[str, conformance.Ended], case: Case
) -> None:
    assert (road.project / TRIED / case.inputs["attempts"]).read_text() == begun(case), ended[case.name].nodes


def _outline(road: Road, case: Case) -> outlines.Outline:
    spec = road.place.cluster.api.get(installing.ALULA, "Workflow", conformance.workflow(case), road.place.namespace)[
        "spec"
    ]
    return outlines.Outline(specs.WorkflowSpec.from_json(spec))


def test_no_more_items_of_a_map_run_at_one_time_than_its_concurrency(ended: dict[str, conformance.Ended]) -> None:
    nodes = ended["limited-3"].nodes.values()
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
        ("decided", 4, 14, 0),
        ("rows", 4, 10, 0),
        ("further", 11, 19, 3),  # whose first rounds are those of `rounds`
    ],
)
def test_a_second_run_finds_what_is_cached_through_conditionals_and_maps(
    road: Road, ended: dict[str, conformance.Ended], workflow: str, n: int, output: int, pods: int
) -> None:
    assert "Failed" not in {ended[name].phase for name in ("whole-4", "partly-5", "items-3", "texts-3", "rounds-11")}
    run = road.place.ended(road.place.run(f"remembered-{workflow}", {"n": str(n)}), 300)
    nodes = argo.read(run["status"])
    shown = {node["name"]: (node["phase"], node.get("message", "")) for node in nodes.values()}
    assert run["status"]["phase"] == "Succeeded", shown
    made = {each["name"]: json.loads(each["value"]) for each in nodes[run["metadata"]["name"]]["outputs"]["parameters"]}
    assert made["o0"] == output
    started = road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)
    assert len(started) == pods, shown


def test_a_run_after_a_failed_one_repeats_only_the_item_that_had_failed(
    road: Road, ended: dict[str, conformance.Ended]
) -> None:
    assert ended["unfinished-0"].phase == "Failed"
    run = road.place.ended(road.place.run("remembered-unfinished", {"n": "0"}), 300)
    assert run["status"]["phase"] == "Failed"
    shown = {node["displayName"]: node.get("message", "") for node in argo.read(run["status"]).values()}
    assert (shown["item(0:0)"], shown["item(1:1)"]) == ("cached", "cached")
    assert len(road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)) == 1


def test_a_thousand_cached_items_end_without_a_pod(road: Road, ended: dict[str, conformance.Ended]) -> None:
    assert ended["many-[7]"].phase == "Succeeded"
    run = road.place.ended(road.place.run("remembered-many", {"xs": json.dumps([7] * 1000)}), 300)
    nodes = argo.read(run["status"])
    shown = {(node["type"], node["phase"], node.get("message", "")) for node in nodes.values()}
    assert run["status"]["phase"] == "Succeeded", shown
    (made,) = nodes[run["metadata"]["name"]]["outputs"]["parameters"]
    assert conformance.value(json.loads(made["value"])) == [8] * 1000
    assert not road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)
