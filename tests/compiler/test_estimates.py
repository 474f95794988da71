"""What a run is taken to request at its peak, and the pools that its tasks are in."""

from __future__ import annotations

from typing import Any

import pytest

from alula_api.kinds import domains, workflows
from alula_api.kinds import reading as kinds_reading
from alula_compiler import estimates, reading


def workflow(nodes: list[dict[str, Any]], *graphs: dict[str, Any], inputs: Any = ()) -> Any:
    tasks = {
        "small": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}},
        "large": {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "4", "nvidia.com/gpu": "1"}},
        "plain": None,
    }
    found = [
        {
            "name": name,
            "entrypoint": f"flows:{name}",
            "inputs": [{"name": "x", "type": "int", "default": "1"}],
            "outputs": [{"name": "o0", "type": "int"}],
            **({"resources": resources} if resources else {}),
            **({"pool": "gpu"} if name == "large" else {}),
        }
        for name, resources in tasks.items()
    ]
    body = {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {
            "version": "1",
            "code": {"image": "i", "runtime": 1},
            "inputs": list(inputs),
            "tasks": found,
            "graphs": [{"name": "main", "nodes": nodes}, *graphs],
        },
    }
    model, problems = kinds_reading.read(workflows.Workflow, body)
    assert model is not None, problems
    return model


def peak(nodes: list[dict[str, Any]], *graphs: dict[str, Any], inputs: Any = ()) -> dict[str, str]:
    return estimates.peak(reading.program(workflow(nodes, *graphs, inputs=inputs)))


GI = str(1024**3)
TWO_GI = str(2 * 1024**3)


def test_one_after_the_other_take_what_the_dearest_takes() -> None:
    chain = [{"id": "a", "task": "small"}, {"id": "b", "task": "large", "after": ["a"]}]
    assert peak(chain) == {"cpu": "2", "memory": GI, "nvidia.com/gpu": "1"}


def test_beside_each_other_they_take_the_sum() -> None:
    assert peak([{"id": f"n{n}", "task": "small"} for n in range(3)]) == {"cpu": "1500m", "memory": str(3 * 1024**3)}


def test_a_graph_counts_where_it_is_called_each_time() -> None:
    inner = {"name": "inner", "nodes": [{"id": "a", "task": "small"}, {"id": "b", "task": "plain"}]}
    twice = [{"id": "one", "graph": "inner"}, {"id": "two", "graph": "inner"}]
    assert peak(twice, inner) == {"cpu": "1", "memory": TWO_GI}


def test_a_map_counts_the_items_that_run_at_one_time_and_one_where_it_does_not_say() -> None:
    mapped = {"task": "small", "over": ["x"], "outputs": ["o0"]}
    node = {"id": "m", "map": mapped, "inputs": {"x": {"value": "[1, 2]"}}}
    assert peak([node]) == {"cpu": "500m", "memory": GI}
    assert peak([{**node, "map": {**mapped, "concurrency": 3}}]) == {"cpu": "1500m", "memory": str(3 * 1024**3)}


def test_a_branch_counts_its_dearest_side_resource_by_resource() -> None:
    sides = [{"name": name, "nodes": [{"id": "a", "task": name}]} for name in ("small", "large")]
    branch = {
        "id": "c",
        "branch": {
            "reads": [{"name": "x", "type": "int"}],
            "cases": [{"name": "then", "when": "x > 1", "graph": "small"}],
            "otherwise": "large",
        },
        "inputs": {"x": {"input": "x"}},
    }
    inputs = [{"name": "x", "type": "int"}]
    assert peak([branch], *sides, inputs=inputs) == {"cpu": "2", "memory": GI, "nvidia.com/gpu": "1"}


def test_a_workflow_that_requests_nothing_has_no_estimate() -> None:
    assert peak([{"id": "a", "task": "plain"}]) == {}


@pytest.mark.parametrize(("pools", "known"), [([], ()), ([{"name": "gpu", "limit": 2}], ("gpu",))])
def test_pools_are_those_of_the_tasks(pools: list[dict[str, Any]], known: tuple[str, ...]) -> None:
    body = {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "Domain",
        "metadata": {"name": "domain"},
        "spec": {"pools": pools},
    }
    domain, problems = kinds_reading.read(domains.Domain, body)
    assert not problems
    program = reading.program(workflow([{"id": "a", "task": "large"}]), domain=domain)
    assert (estimates.pools(program), program.domain.pools) == (("gpu",), known)
