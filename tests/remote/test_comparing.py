"""What counts as another definition, and what a domain may change without being another."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from alula.remote import comparing
from alula_api.contract.graphs.specs import LaunchPlanSpec, WorkflowSpec
from tests.remote import worlds

SPEC: dict[str, Any] = {
    **worlds.SPEC,
    "inputs": [
        {"name": "seed", "type": "int", "default": "7", "description": "Seeds it."},
        {"name": "title", "type": "str", "default": '"Straße"'},
        {"name": "forest", "type": "Forest", "default": "null"},
    ],
    "types": [{"name": "Forest", "fields": [{"name": "trees", "type": "int", "default": "60"}]}],
}


def differences(local: dict[str, Any], cluster: dict[str, Any]) -> list[str]:
    return comparing.differences(WorkflowSpec.from_json(local), WorkflowSpec.from_json(cluster))


def plan_differences(local: dict[str, Any], cluster: dict[str, Any]) -> list[str]:
    return comparing.plan_differences(LaunchPlanSpec.from_json(local), LaunchPlanSpec.from_json(cluster))


def changed(change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The differences after a change on the cluster."""
    there = copy.deepcopy(SPEC)
    change(there)
    return differences(SPEC, there)


def test_a_definition_does_not_differ_from_itself() -> None:
    assert differences(SPEC, copy.deepcopy(SPEC)) == []


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "another release": lambda spec: spec.update(version="other", code={"image": "mirror/penguins:1", "runtime": 1}),
    "another description": lambda spec: spec["inputs"][0].update(description="Other words."),
    "a name with the module before it": lambda spec: (
        spec["inputs"].__setitem__(2, {"name": "forest", "type": "flows.a.Forest", "default": "null"})
        or spec["types"][0].update(name="flows.a.Forest")
    ),
    "a class that nothing uses": lambda spec: spec["types"].append({"name": "Other"}),
    "resources": lambda spec: spec["tasks"][0].update(resources={"requests": {"cpu": "4"}}),
    "retries, timeout, image, env and secrets": lambda spec: spec["tasks"][1].update(
        retries={"limit": 9}, timeout="1h", image="other:1", env=[{"name": "A", "value": "b"}], secrets=[]
    ),
    "the order that kustomize gives to lists it patched": lambda spec: (
        [spec[part].reverse() for part in ("inputs", "tasks", "graphs")]
        + [graph["nodes"].reverse() for graph in spec["graphs"]]
    ),
    "another text of the same value": lambda spec: spec["inputs"][1].update(default='"Stra\\u00dfe"'),
    "keys that the API server sorted": lambda spec: spec.update(json.loads(json.dumps(spec, sort_keys=True))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_domain_may_change_is_no_difference(change: Callable[[dict[str, Any]], object]) -> None:
    assert changed(change) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda spec: spec["tasks"][0].update(cache={"version": "2"}), "task load differs (code)"),
        (lambda spec: spec["tasks"][0].update(entrypoint="flows.other:load"), "task load differs (entrypoint)"),
        (lambda spec: spec["tasks"].pop(2), "task score is only in the file"),
        (
            lambda spec: spec["tasks"].append({"name": "extra", "entrypoint": "a:b"}),
            "task extra is only on the cluster",
        ),
        (lambda spec: spec["inputs"][0].update(default="8"), "input seed differs (default)"),
        (lambda spec: spec["inputs"][0].pop("default"), "input seed differs (default)"),
        (lambda spec: spec["inputs"][0].update(type="float"), "input seed differs (type)"),
        (lambda spec: spec["types"][0]["fields"][0].update(type="float"), "input forest differs (type)"),
        (lambda spec: spec["types"][0]["fields"][0].update(default="61"), "input forest differs (type)"),
        (
            lambda spec: spec["outputs"][0].update({"from": {"node": "load", "output": "o0"}}),
            "output o0 differs (from)",
        ),
        (lambda spec: spec["graphs"][0]["nodes"][2].update(after=["load"]), "graph main differs (nodes)"),
        (lambda spec: spec["graphs"][1]["nodes"].pop(), "graph training differs (nodes)"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_changes_the_results_is_named(change: Callable[[dict[str, Any]], object], said: str) -> None:
    assert changed(change) == [said]


@pytest.mark.parametrize("name", ["source", "line", "description", "default", "value", "type", "name"])
def test_an_input_may_be_called_as_a_field_is(name: str) -> None:
    here, there = (
        {
            **worlds.SPEC,
            "graphs": [{"name": "main", "nodes": [{"id": "a", "task": "a", "inputs": {name: {"value": text}}}]}],
        }
        for text in ("1", "2")
    )
    assert differences(here, here) == []
    assert differences(here, there) == ["graph main differs (nodes)"]


PLAN = {
    "workflow": "train",
    "inputs": [{"name": "title", "value": '"a"'}],
    "fixedInputs": [{"name": "seed", "value": "1"}],
}


def test_a_launch_plan_differs_by_its_workflow_and_values_and_not_by_its_schedule() -> None:
    assert plan_differences(PLAN, {**PLAN, "suspend": True, "schedule": {"cron": ["0 1 * * *"]}}) == []
    there = {"workflow": "other", "inputs": [{"name": "title", "value": '"b"'}]}
    assert plan_differences(PLAN, there) == [
        "on the cluster it runs other",
        "value title differs (value)",
        "fixed value seed is only in the file",
    ]
