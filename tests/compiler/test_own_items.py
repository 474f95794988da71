"""A mapped graph that decides by its own item gets a part of it beside it, which who makes the list publishes."""

from __future__ import annotations

import json
from typing import Any

import pytest

import alula_compiler
from alula_api.contract import jsontext, lists, pods
from alula_api.contract.graphs import calls, comparables, plans, pod_versions, specs, walks
from alula_api.contract.graphs.bindings import value_of
from alula_compiler.argo import texts
from tests.compiler.test_maps import PLAIN, texts_in

ROWS = {"name": "rows", "entrypoint": "m:rows", "outputs": [{"name": "o0", "type": "list[Row]"}]}
ROW = {"name": "Row", "fields": [{"name": "size", "type": "int"}, {"name": "tags", "type": "list[int]"}]}
TAKES = {
    "name": "take",
    "entrypoint": "m:take",
    "inputs": [{"name": "row", "type": "Row"}],
    "outputs": [{"name": "o0", "type": "int"}],
}
SIZE = {"input": "row", "path": ["size"]}
CHOOSE = {
    "id": "choose",
    "branch": {
        "reads": [{"name": "size", "type": "int"}],
        "cases": [{"name": "then", "when": "size > 3", "graph": "then"}],
    },
    "inputs": {"size": SIZE, "row": {"input": "row"}},
}
INNER = {
    "id": "inner",
    "map": {"task": "double", "over": ["x"], "outputs": ["o0"]},
    "inputs": {"x": {"input": "row", "path": ["tags"]}},
}
BY = {"node": "rows", "output": "o0"}
TAKE = {"id": "take", "task": "take", "inputs": {"row": {"input": "row"}}}


def resource(*nodes: dict[str, Any], over: dict[str, Any] = BY, runtime: int = pods.EACH) -> Any:
    each = {"id": "each", "map": {"graph": "sub", "over": ["row"], "outputs": ["o0"]}, "inputs": {"row": over}}
    row = {"name": "row", "type": "Row"}
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": runtime},
        "types": [ROW],
        "inputs": [{"name": "given", "type": "list[Row]"}],
        "tasks": [ROWS, TAKES, PLAIN],
        "graphs": [
            {"name": "main", "nodes": [{"id": "rows", "task": "rows"}, each]},
            {
                "name": "sub",
                "inputs": [row],
                "outputs": [{"name": "o0", "type": "int", "from": {"node": "take", "output": "o0"}}],
                "nodes": [TAKE, *nodes],
            },
            {"name": "then", "inputs": [row], "nodes": [TAKE]},
        ],
    }
    return {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "own"}, "spec": spec}


def templates(compiled: alula_compiler.Compiled) -> dict[str, Any]:
    assert compiled.ok, compiled.diagnostics
    return {each["name"]: each for each in compiled.objects[0]["spec"]["templates"]}


def tasks(template: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = template.get("dag", {}).get("tasks", [])
    return found


def arguments(task: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in task["arguments"]["parameters"]}


@pytest.mark.parametrize(
    ("node", "part", "flag"),
    [
        (CHOOSE, "o0--each-part-size", ['[[],["size"]]', "scalar", "0"]),
        (INNER, "o0--each-items-tags", ['[[],["tags"]]', "items", "0"]),
    ],
)
def test_the_task_that_makes_the_list_publishes_a_part_of_each_item_and_an_item_gets_its_own(
    node: dict[str, Any], part: str, flag: list[str]
) -> None:
    named = templates(alula_compiler.compile(resource(node)))
    words = named["rows"]["container"]["args"]
    at = words.index("--part-each")
    assert words[at + 1 : at + 6] == [part, "o0", *flag]
    (each,) = (task for name in named for task in tasks(named[name]) if task["name"] == "each")
    asked = f"{{{{tasks.rows.outputs.parameters.{part}}}}}"
    (own,) = (name for name, value in arguments(each).items() if value == asked)
    (item,) = tasks(named["each"])
    assert arguments(item)[own] == "{{=fromJSON(inputs.parameters['" + own + "'])['$stored']['items'][asInt(item)]}}"
    tags = [text for text in texts_in(list(named.values())) if "{{" in text]
    assert tags and not [stray for text in tags for stray in texts.stray_tags(text)]


def test_an_input_of_the_run_is_published_by_admit() -> None:
    named = templates(alula_compiler.compile(resource(CHOOSE, over={"input": "given"})))
    assert "given--each-part-size" in [each["name"] for each in named["admit"]["outputs"]["parameters"]]
    assert "--part-each" not in named["rows"]["container"]["args"]


def test_the_plan_has_a_version_of_its_own_and_a_walk_of_it_decides_as_each_item_says() -> None:
    compiled = alula_compiler.compile(resource(CHOOSE, INNER))
    stored = compiled.plans["own"]
    assert stored["v"] == 4 < plans.VERSION
    assert plans.to_json(plans.from_json(stored)) == json.loads(json.dumps(stored))
    rows = [{"size": 5, "tags": [1]}, {"size": 1, "tags": []}, {"size": 9, "tags": [2, 3]}]
    plan = plans.from_json(json.loads(json.dumps(stored)))
    walk = walks.Walk(plan, {"given": []}, compiled=True)
    ran = []
    while (spot := walk.take()) is not None:
        ran.append(spot.path)
        task = plan.tasks[spot.task]
        made: dict[str, Any] = {"o0": rows} if spot.task == "rows" else {"o0": 7}
        published = comparables.publish(task.parts, made, task.outputs)
        walk.finish(spot, made | {name: value_of(each) for name, each in published.items()})
    assert walk.over and walk.root.state.value == "done"
    chosen = [f"each({index}).choose.then.take" for index in (0, 2)]
    inner = ["each(0).inner(0)", "each(2).inner(0)", "each(2).inner(1)"]
    assert sorted(ran) == sorted(["rows", *(f"each({index}).take" for index in range(3)), *chosen, *inner])


def test_items_that_are_written_in_the_workflow_are_published_when_it_is_compiled() -> None:
    written = {"value": jsontext.dumps([{"size": 5, "tags": []}, {"size": 2, "tags": [1, 2]}])}
    stored = alula_compiler.compile(resource(CHOOSE, INNER, over=written)).plans["own"]
    (each,) = (step for step in stored["graphs"]["main"]["steps"] if step["name"] == "each")
    given = {name: json.loads(binding["value"]) for name, binding in each["inputs"].items() if name != "row"}
    sizes, tags = (lists.read(given[name]) for name in sorted(given, reverse=True))
    assert isinstance(sizes, lists.Listed) and [json.loads(text) for text in sizes.texts] == [5, 2]
    assert isinstance(tags, lists.Listed)
    assert [json.loads(text) for text in tags.texts] == [comparables.items([]), comparables.items([1, 2])]


def test_a_release_whose_pods_cannot_publish_it_is_refused_with_the_version_that_can() -> None:
    (problem,) = alula_compiler.compile(resource(CHOOSE, runtime=2)).diagnostics
    assert (problem.code, problem.expected) == ("RUNTIME_VERSION", "3")
    assert "a mapped workflow decides by a part of its own item" in problem.message


@pytest.mark.parametrize(("node", "needs"), [(CHOOSE, 3), (INNER, 3), (TAKE | {"id": "again"}, 1)])
def test_a_workflow_needs_that_version_only_where_it_is_used(node: dict[str, Any], needs: int) -> None:
    spec = specs.WorkflowSpec.from_json(resource(node)["spec"])
    assert pod_versions.needed(spec.graphs) == needs


def test_what_only_a_batch_s_pods_know_of_items_is_refused_with_what_to_do() -> None:
    body = resource(CHOOSE)
    main = body["spec"]["graphs"][0]
    make = {"name": "make", "entrypoint": "m:make", "inputs": [{"name": "x", "type": "int"}],
            "outputs": [{"name": "o0", "type": "Row"}]}  # fmt: skip
    body["spec"]["tasks"].append(make)
    batched = {"task": "make", "over": ["x"], "outputs": ["o0"], "batch": 2}
    main["nodes"].insert(1, {"id": "made", "map": batched, "inputs": {"x": {"value": "[1, 2, 3]"}}})
    main["nodes"][2]["inputs"] = {"row": {"node": "made", "output": "o0"}}
    (problem,) = alula_compiler.compile(body).diagnostics
    assert "it looks into the list that the map made makes, which is nowhere in one piece" in problem.message
    assert problem.hint == "let a task take the list and return what is needed"


def test_a_call_says_which_parts_it_hands_out() -> None:
    plain = calls.MapCall(calls.TaskCall("t"), ("x",), ("o0",))
    found = calls.MapCall(
        calls.TaskCall("t"), ("x",), ("o0",), along=("x--part",), parts=(("o0--each-part", "o0--part"),)
    )
    assert calls.hands_out_parts(found) and not calls.hands_out_parts(plain)
    assert calls.from_json(calls.to_json(found, dict), dict) == found
