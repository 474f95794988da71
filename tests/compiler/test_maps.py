"""Maps in a resource: what is refused before anything is compiled of it, and what stands in Argo's terms."""

from __future__ import annotations

import json
from typing import Any

import pytest

import alula_compiler
from alula_compiler.argo import texts

LIST = {"name": "numbers", "entrypoint": "m:numbers", "outputs": [{"name": "o0", "type": "list[int]"}]}
PLAIN = {
    "name": "double",
    "entrypoint": "m:double",
    "inputs": [{"name": "x", "type": "int"}, {"name": "plus", "type": "int", "default": "0"}],
    "outputs": [{"name": "o0", "type": "int"}],
}
NUMBERS = {"node": "numbers", "output": "o0"}


def compiled(
    *nodes: dict[str, Any], outputs: tuple[dict[str, Any], ...] = (), runtime: int = 1
) -> alula_compiler.Compiled:
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": runtime},
        "inputs": [{"name": "n", "type": "int"}, {"name": "given", "type": "list[int]"}],
        "outputs": list(outputs),
        "tasks": [LIST, PLAIN],
        "graphs": [{"name": "main", "nodes": [{"id": "numbers", "task": "numbers"}, *nodes]}],
    }
    resource = {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "maps"}, "spec": spec}
    return alula_compiler.compile(resource)


def each(id: str = "each", over: tuple[str, ...] = ("x",), made: tuple[str, ...] = ("o0",), **inputs: Any) -> Any:
    return {"id": id, "map": {"task": "double", "over": list(over), "outputs": list(made)}, "inputs": inputs}


def batched(size: int, id: str = "batched", **inputs: Any) -> Any:
    made = each(id, **inputs)
    return {**made, "map": {**made["map"], "batch": size}}


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([each(over=("y",), y=NUMBERS, x=NUMBERS)], "it goes over `y`, and task double has no such input"),
        ([each()], "input `x` of the map of task double must be given"),
        ([each(over=("plus",), x={"input": "n"})], "input `plus` of the map of task double must be given"),
        ([each(made=("o1",), x=NUMBERS)], "task double has no output `o1`"),
        ([each(x={"input": "n"})], "input `n`: int is not list[int]"),
        ([each(x={"value": "3"})], "the value must be an array, not 3"),
        (
            [each(x={"value": str([0] * 1001)})],
            "has 1,001 items, and a map without batches takes at most 1,000: batch=2 would do",
        ),
        (
            [{**each(x=NUMBERS), "map": {**each()["map"], "parallel": 3}}],
            "`parallel` says how many items of a batch run at one time, and there is no `batch`",
        ),
        ([batched(20, x=NUMBERS)], "it maps in batches, of which version 1 of the pod's contract knows nothing"),
        ([batched(2000, x=NUMBERS)], "map.batch: must be at most 1000, not 2000"),
        (
            [each(x=NUMBERS), each("again", x={"items": [{**NUMBERS, "path": ["0"]}]})],
            "a map takes a list of whole values, and this one has a part of a value in it",
        ),
        (
            [
                each(x=NUMBERS),
                {
                    "id": "choose",
                    "branch": {
                        "reads": [{"name": "first", "type": "int"}],
                        "cases": [{"name": "then", "when": "first > 3", "graph": "sub"}],
                    },
                    "inputs": {"first": {"node": "each", "output": "o0", "path": ["0"]}},
                },
            ],
            "it looks into the list that the map each makes",
        ),
    ],
)
def test_a_map_that_cannot_be_compiled_is_refused_with_its_reason(nodes: list[dict[str, Any]], message: str) -> None:
    found = compiled(*nodes)
    if any("branch" in node for node in nodes):
        found = with_branch(*nodes)
    assert not found.objects
    assert message in "\n".join(each.message for each in found.diagnostics)


def with_branch(*nodes: dict[str, Any]) -> alula_compiler.Compiled:
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "tasks": [LIST, PLAIN],
        "graphs": [
            {"name": "main", "nodes": [{"id": "numbers", "task": "numbers"}, *nodes]},
            {"name": "sub", "nodes": [{"id": "numbers", "task": "numbers"}]},
        ],
    }
    resource = {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "maps"}, "spec": spec}
    return alula_compiler.compile(resource)


def test_lists_of_every_origin_are_compiled_and_nothing_else_is_live_than_may_be() -> None:
    found = compiled(
        each(x=NUMBERS),
        each("over-a-map", x={"node": "each", "output": "o0"}),
        each("over-an-input", x={"input": "given"}),
        each("over-a-constant", x={"value": "[1, 2]"}),
        each("over-items", over=("x", "plus"), x={"items": [{"input": "n"}, {"value": "7"}]}, plus=NUMBERS),
        each("bound", x=NUMBERS, plus={"node": "each", "output": "o0", "path": ["0"]}),
        outputs=({"name": "o0", "type": "list[int]", "from": {"node": "over-a-map", "output": "o0"}},),
    )
    assert found.ok, found.diagnostics
    (template,) = found.objects
    named = {each["name"]: each for each in template["spec"]["templates"]}
    tasks = {task["name"]: task for task in named["main"]["dag"]["tasks"]}

    def argument(node: str, name: str) -> str:
        return next(str(each["value"]) for each in tasks[node]["arguments"]["parameters"] if each["name"] == name)

    assert argument("each", "x") == "{{tasks.numbers.outputs.parameters.o0--items}}"
    assert argument("over-a-map", "x") == "{{tasks.each.outputs.parameters.o0}}"
    assert argument("over-an-input", "x") == "{{tasks.admit.outputs.parameters.given--items}}"
    assert json.loads(argument("over-a-constant", "x")) == {"$stored": {"items": ['"=1"', '"=2"']}}
    admitted = [each["name"] for each in named["admit"]["outputs"]["parameters"]]
    assert admitted == ["n", "given", "given--items"]
    published = [each["name"] for each in named["double"]["outputs"]["parameters"]]
    assert published == ["o0", "o0--item"]
    wrapper = named[tasks["each"]["template"]]
    (item,) = wrapper["dag"]["tasks"]
    assert item["template"] == "double" and item["withSequence"]["count"].startswith("{{=string(len(")
    tags = [text for text in texts_in(template["spec"]["templates"]) if "{{" in text]
    assert tags and not [stray for text in tags for stray in texts.stray_tags(text)]


def test_a_concurrency_is_the_parallelism_of_the_map_and_of_no_other_map() -> None:
    few = each("few", x=NUMBERS)
    few["map"]["concurrency"] = 3
    (template,) = compiled(each(x=NUMBERS), few).objects
    found = {each["name"]: each.get("parallelism") for each in template["spec"]["templates"] if "dag" in each}
    assert found == {"main": None, "each": None, "few": 3}


def test_an_item_that_may_fail_lies_in_a_graph_that_never_does_and_a_last_task_counts_the_successes() -> None:
    some = each("some", x=NUMBERS)
    some["map"] |= {"minSuccesses": 2, "minSuccessRatio": "0.75"}
    found = compiled(each(x=NUMBERS), some)
    assert found.ok, found.diagnostics
    named = {each["name"]: each for each in found.objects[0]["spec"]["templates"]}
    item, enough = named["some"]["dag"]["tasks"]
    assert item["template"] == "some-item" and enough["depends"] == "item.Succeeded"
    assert ">= max(2, int((3 * len(" in enough["withSequence"]["count"]
    tried, after = named["some-item"]["dag"]["tasks"]
    assert (tried["template"], after["template"]) == ("double", "nothing")
    assert [each["name"] for each in named["some-item"]["outputs"]["parameters"]] == ["succeeded--item", "o0--item"]
    tags = [text for text in texts_in(found.objects[0]["spec"]["templates"]) if "{{" in text]
    assert not [stray for text in tags for stray in texts.stray_tags(text)]


@pytest.mark.parametrize("wrong", [{"minSuccesses": 0}, {"minSuccessRatio": "1.5"}, {"minSuccessRatio": "0.1234567"}])
def test_a_share_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    some = each("some", x=NUMBERS)
    some["map"] |= wrong
    assert not compiled(some).ok


X, O0 = {"input": "x"}, {"node": "one", "output": "o0"}
ONE = {"id": "one", "task": "double", "inputs": {"x": X}}


def of_graphs(nodes: list[dict[str, Any]], output: dict[str, Any]) -> alula_compiler.Compiled:
    """A map over a graph with these nodes and this output."""
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "inputs": [{"name": "n", "type": "int"}],
        "tasks": [LIST, PLAIN],
        "graphs": [
            {
                "name": "main",
                "nodes": [
                    {"id": "numbers", "task": "numbers"},
                    {
                        "id": "each",
                        "map": {"graph": "sub", "over": ["x"], "outputs": ["o0"]},
                        "inputs": {"x": NUMBERS, "bound": {"input": "n"}},
                    },
                ],
            },
            {
                "name": "sub",
                "inputs": [{"name": "x", "type": "int"}, {"name": "bound", "type": "int"}],
                "outputs": [{"name": "o0", "type": "int", "from": output}],
                "nodes": nodes,
            },
            {"name": "then", "nodes": [{"id": "numbers", "task": "numbers"}]},
        ],
    }
    resource = {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "maps"}, "spec": spec}
    return alula_compiler.compile(resource)


def test_a_graph_gets_its_item_in_a_list_of_it_alone_and_publishes_what_it_makes() -> None:
    found = of_graphs([{**ONE, "inputs": {"x": X, "plus": {"input": "bound"}}}], O0)
    assert found.ok, found.diagnostics
    named = {each["name"]: each for each in found.objects[0]["spec"]["templates"]}
    (item,) = named["each"]["dag"]["tasks"]
    sub = named[item["template"]]
    assert [each["name"] for each in sub["outputs"]["parameters"]] == ["o0", "o0--item"]
    assert [each["name"] for each in item["arguments"]["parameters"]] == ["x", "bound"]
    (one,) = sub["dag"]["tasks"]
    assert {"name": "x--path", "value": '["0"]'} in one["arguments"]["parameters"]


def test_what_only_a_pod_could_know_of_an_item_is_refused_with_what_to_do() -> None:
    inner = {"id": "inner", "map": {"task": "double", "over": ["x"], "outputs": ["o0"]}, "inputs": {"x": X}}
    asks = {
        "id": "choose",
        "branch": {
            "reads": [{"name": "x", "type": "int"}],
            "cases": [{"name": "then", "when": "x > 3", "graph": "then"}],
        },
        "inputs": {"x": X},
    }
    for nodes, output, message in [
        ([ONE], X, "the graph sub gives a part of a value, or a list of single values, as o0"),
        ([], X, "a map runs a graph for each item, and the graph sub runs no task"),
        ([ONE, asks], O0, "decides by a part of its own item, of which version 1 of the pod's contract knows nothing"),
        ([ONE, {**inner, "inputs": {"x": {"items": [O0]}}}], {"node": "inner", "output": "o0"}, "list[int] is not int"),
    ]:
        found = of_graphs(nodes, output)
        assert not found.ok and message in "\n".join(each.message for each in found.diagnostics), found.diagnostics


def test_an_expression_of_a_map_is_live_as_a_whole_only() -> None:
    count = "{{=string(len(fromJSON(inputs.parameters['x'])['$stored']['items']))}}"
    assert not texts.stray_tags(count)
    for wrong in (count.replace("string", "exec"), count.replace("'x'", "'x'] + env['y'"), "{{=item}}", "{{=foo}}"):
        assert texts.stray_tags(wrong)


def texts_in(found: object) -> list[str]:
    if isinstance(found, dict):
        return [text for value in found.values() for text in texts_in(value)]
    if isinstance(found, list):
        return [text for value in found for text in texts_in(value)]
    return [found] if isinstance(found, str) else []


def test_a_map_in_batches_has_a_template_of_its_own_and_nothing_else_is_live_than_may_be() -> None:
    found = compiled(
        batched(20, x=NUMBERS),
        batched(0, "auto", x={"node": "batched", "output": "o0"}),
        each("single", over=("x", "plus"), x={"node": "auto", "output": "o0"}, plus=NUMBERS),
        batched(5, "over-a-constant", x={"value": "[1, 2, 3]"}, plus={"node": "single", "output": "o0", "path": ["0"]}),
        runtime=2,
    )
    assert found.ok, found.diagnostics
    spec = found.objects[0]["spec"]
    by_name = {template["name"]: template for template in spec["templates"]}
    pod = by_name["double-batch"]
    assert pod["outputs"]["parameters"] == [{"name": "o0--item", "valueFrom": {"path": "/var/run/alula/out/o0--item"}}]
    assert pod["retryStrategy"]["limit"] == "3"
    assert pod["container"]["args"][-4:] == ["--batch", "x", "--failing", "stop"]
    assert {"name": "o0--batches-20", "valueFrom": {"path": "/var/run/alula/out/o0--batches-20"}} in (
        by_name["numbers"]["outputs"]["parameters"]
    )
    assert not texts.stray_tags(json.dumps(spec).replace('\\"', '"').replace("\\\\", "\\"))


def test_a_map_of_a_graph_in_batches_is_refused() -> None:
    node = {"id": "each", "map": {"graph": "sub", "over": ["x"], "outputs": [], "batch": 3}, "inputs": {"x": NUMBERS}}
    found = with_branch(node)
    assert any("`batch` is for tasks" in each.message for each in found.diagnostics), found.diagnostics


def test_a_constant_that_is_too_long_for_its_batch_is_told_with_the_batch_that_would_do() -> None:
    found = compiled(batched(2, x={"value": str([0] * 2001)}), runtime=2)
    told = "has 2,001 items, and a map in batches of 2 takes at most 2,000: batch=5 would do"
    assert told in found.diagnostics[0].message
