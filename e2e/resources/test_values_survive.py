"""Values of all types in resources come back byte for byte, however they are applied."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import pytest

from alula_api.kinds import yamltext
from e2e.cluster import clusters
from tests.kinds import layout, samples, values_of_all_types

ALULA = "alula.dev/v1alpha1"
WAYS = {
    "apply": ["apply"],
    "server-side apply": ["apply", "--server-side"],
}


def patch(kind: str, name: str, spec: dict[str, Any]) -> dict[str, str]:
    return {"patch": yamltext.dump({"apiVersion": ALULA, "kind": kind, "metadata": {"name": name}, "spec": spec})}


def values_are_whole(cluster: clusters.Cluster, namespace: str) -> None:
    for kind in ("Workflow", "LaunchPlan"):
        places = values_of_all_types.found_in(cluster.api.get(ALULA, kind, "values", namespace))
        for place, found in places.items():
            assert found == values_of_all_types.expected(), f"{kind} {place}"


@pytest.mark.parametrize("way", WAYS)
def test_two_hundred_values_survive_applying_twice(
    kinds_installed: clusters.Cluster, namespace: str, tmp_path: pathlib.Path, way: str
) -> None:
    objs = [values_of_all_types.workflow(), values_of_all_types.launch_plan()]
    assert len(values_of_all_types.ALL) >= 200
    file = tmp_path / "all.yaml"
    for description in ("first", "second", "second"):
        for obj in objs:
            obj["spec"]["description"] = description
        file.write_text(yamltext.dump_all(objs), encoding="utf-8")
        kinds_installed.kubectl(*WAYS[way], "-n", namespace, "-f", str(file))
        values_are_whole(kinds_installed, namespace)
    stored = kinds_installed.api.get(ALULA, "Workflow", "values", namespace)
    assert stored["spec"] == objs[0]["spec"]
    assert stored["metadata"]["generation"] == 2


@pytest.mark.parametrize("way", WAYS)
def test_two_hundred_values_survive_kustomize_with_a_domains_patch(
    kinds_installed: clusters.Cluster, namespace: str, tmp_path: pathlib.Path, way: str
) -> None:
    objs = [values_of_all_types.workflow(), values_of_all_types.launch_plan()]
    patches = [
        patch("Workflow", "values", {"tasks": [{"name": "first", "resources": {"requests": {"cpu": "2"}}}]}),
        patch("LaunchPlan", "values", {"suspend": True}),
    ]
    folder = layout.write(tmp_path, objs, namespace=namespace, patches=patches)
    for _ in range(2):
        kinds_installed.kubectl(*WAYS[way], "-k", str(folder))
        values_are_whole(kinds_installed, namespace)
    tasks = kinds_installed.api.get(ALULA, "Workflow", "values", namespace)["spec"]["tasks"]
    assert {task["name"]: task.get("resources") for task in tasks} == {
        "first": {"requests": {"cpu": "2"}},
        "second": None,
    }


def test_values_survive_as_an_api_client_writes_them(kinds_installed: clusters.Cluster, namespace: str) -> None:
    kinds_installed.api.create(values_of_all_types.workflow(), namespace)
    kinds_installed.api.apply(values_of_all_types.launch_plan(), namespace)
    values_are_whole(kinds_installed, namespace)


@pytest.mark.parametrize("way", WAYS)
def test_a_domains_patch_of_one_task_leaves_the_other_tasks_and_its_own_fields(
    kinds_installed: clusters.Cluster, namespace: str, tmp_path: pathlib.Path, way: str
) -> None:
    change = {
        "tasks": [{"name": "load", "resources": {"requests": {"memory": "8Gi"}}, "env": [{"name": "A", "value": "y"}]}]
    }
    folder = layout.write(tmp_path, [samples.WORKFLOW], namespace=namespace)
    kinds_installed.kubectl(*WAYS[way], "-k", str(folder))
    layout.write(
        tmp_path, [samples.WORKFLOW], namespace=namespace, patches=[patch("Workflow", "penguins-train", change)]
    )
    kinds_installed.kubectl(*WAYS[way], "-k", str(folder))
    expected = copy.deepcopy(samples.WORKFLOW)["spec"]
    expected["tasks"][0]["resources"]["requests"]["memory"] = "8Gi"
    expected["tasks"][0]["env"].append({"name": "A", "value": "y"})
    found = kinds_installed.api.get(ALULA, "Workflow", "penguins-train", namespace)["spec"]
    assert by_name(found) == by_name(expected)
    layout.write(tmp_path, [samples.WORKFLOW], namespace=namespace)
    kinds_installed.kubectl(*WAYS[way], "-k", str(folder))
    assert by_name(kinds_installed.api.get(ALULA, "Workflow", "penguins-train", namespace)["spec"]) == by_name(
        samples.WORKFLOW["spec"]
    )


def by_name(value: Any) -> Any:
    """The value with lists of named things in one order: kustomize puts patched ones first."""
    if isinstance(value, dict):
        return {key: by_name(inner) for key, inner in value.items()}
    if isinstance(value, list):
        found = [by_name(item) for item in value]
        if found and all(isinstance(item, dict) and ("name" in item or "id" in item) for item in found):
            return sorted(found, key=lambda item: item.get("name", item.get("id")))
        return found
    return value


def test_ten_thousand_nodes_in_a_chain_are_stored(
    kinds_installed: clusters.Cluster, namespace: str, tmp_path: pathlib.Path
) -> None:
    """The largest graph that the schema takes also fits into etcd, managed fields included."""
    nodes = [
        {"id": f"step-{i}", "task": "step", "inputs": {"x": {"node": f"step-{i - 1}", "output": "o0"}}}
        for i in range(1, 10_001)
    ]
    task = {"name": "step", "entrypoint": "flows.chain:step"}
    obj = {
        "apiVersion": ALULA,
        "kind": "Workflow",
        "metadata": {"name": "chain"},
        "spec": {
            "version": "v1",
            "code": {"image": "none", "runtime": 1},
            "tasks": [task],
            "graphs": [{"name": "main", "nodes": nodes}],
        },
    }
    file = tmp_path / "chain.json"
    file.write_text(json.dumps(obj))
    kinds_installed.kubectl("apply", "--server-side", "-n", namespace, "-f", str(file))
    assert kinds_installed.api.get(ALULA, "Workflow", "chain", namespace)["spec"] == obj["spec"]
