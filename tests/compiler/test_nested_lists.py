"""A mapped graph gives the list of a map in it, and the map around it makes a list of lists, with no pod that collects
any of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

import alula_compiler
from alula_api.contract import keys, lists, pods, values
from alula_api.contract.graphs import bindings, plans, pod_versions, specs, walks
from alula_api.contract.graphs.bindings import value_of
from alula_compiler.argo import texts
from tests.compiler.test_maps import LIST, PLAIN, texts_in
from tests.emit import argo_expressions

INTS = {"type": "array", "items": {"type": "integer"}}
INNER = {"id": "inner", "map": {"task": "double", "over": ["x"], "outputs": ["o0"]}}
MADE = {"node": "numbers", "output": "o0"}
LISTS = {"node": "inner", "output": "o0"}


def resource(*nodes: dict[str, Any], gives: dict[str, Any] = LISTS, runtime: int = pods.NESTED, **more: Any) -> Any:
    """`each` maps `sub`, which gives what `gives` says; `last` takes the list of lists."""
    takes = {
        "name": "last",
        "entrypoint": "m:last",
        "inputs": [{"name": "rows", "type": "list[list[int]]"}],
        "outputs": [{"name": "o0", "type": "int"}],
        "cache": {"version": "1"},
    }
    each = {"id": "each", "map": {"graph": "sub", "over": ["x"], "outputs": ["o0"]}, "inputs": {"x": MADE}}
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": runtime},
        "tasks": [LIST, PLAIN, takes],
        "graphs": [
            {
                "name": "main",
                "nodes": [
                    {"id": "numbers", "task": "numbers"},
                    each,
                    {"id": "last", "task": "last", "inputs": {"rows": {"node": "each", "output": "o0"}}},
                ],
            },
            {
                "name": "sub",
                "inputs": [{"name": "x", "type": "int"}],
                "outputs": [{"name": "o0", "type": "list[int]", "from": gives}],
                "nodes": [{"id": "numbers", "task": "numbers"}, {**INNER, "inputs": {"x": MADE}}, *nodes],
            },
            *more.get("graphs", ()),
        ],
    }
    return {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "rows"}, "spec": spec}


def outputs(template: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["valueFrom"].get("expression", "") for each in template["outputs"]["parameters"]}


def templates(compiled: alula_compiler.Compiled) -> dict[str, Any]:
    assert compiled.ok, compiled.diagnostics
    return {each["name"]: each for each in compiled.objects[0]["spec"]["templates"]}


def gathered(template: dict[str, Any], output: str, published: list[str]) -> str:
    """What Argo makes of an output of a map whose items published these texts."""
    shared = {"o0--item": json.dumps(published)}
    scope = {"tasks": {"item": {"outputs": {"parameters": shared}}}, "inputs": {"parameters": {}}}
    return str(argo_expressions.value(outputs(template)[output], scope))


def test_the_list_of_the_inner_map_is_published_as_an_item_of_the_outer_one_s() -> None:
    named = templates(alula_compiler.compile(resource()))
    rows = []
    for numbers in ([], [1, 2], [3]):
        published = [lists.text(lists.item(number)) for number in numbers]
        item = gathered(named["inner"], "o0--item", published)
        assert lists.Listed((item,)).values() == [lists.listed(numbers)]
        rows.append(item)
    whole = lists.read(json.loads(gathered(named["each"], "o0", rows)))
    assert isinstance(whole, lists.Listed)
    assert whole.values() == [lists.listed([]), lists.listed([1, 2]), lists.listed([3])]
    assert bindings.selected(whole, ("1", "0")) == 1
    assert keys.identity(whole.to_json(), {"type": "array", "items": INTS})
    tags = [text for text in texts_in(list(named.values())) if "{{" in text]
    assert tags and not [stray for text in tags for stray in texts.stray_tags(text)]


def test_a_list_of_lists_that_is_too_long_for_an_argument_says_so_to_who_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lists, "MAX_LISTS_TEXT", 150)
    compiled = alula_compiler.compile(resource())
    named = templates(compiled)
    short, long = ([lists.text(lists.item(lists.listed([7] * count)))] for count in (1, 30))
    found = lists.read(json.loads(gathered(named["each"], "o0", short)))
    assert isinstance(found, lists.Listed) and found.values() == [lists.listed([7])]
    with pytest.raises(values.InvalidValue) as raised:
        lists.read(json.loads(gathered(named["each"], "o0", long)))
    (problem,) = raised.value.problems
    assert problem.code == "TOO_LARGE" and problem.message.endswith(lists.RETURN_PIECE)
    walk = walked(plans.from_json(json.loads(json.dumps(compiled.plans["rows"]))), [7] * 30)
    assert [spot.path for spot in walk.blocked] == ["each"], "it is left to the engine"
    assert walk.blocked[0].problems[""].problems[0].message.endswith(lists.RETURN_PIECE)


def walked(plan: plans.Plan, made: list[int]) -> walks.Walk:
    """The walk in which all lists are this one, and `double` gives its input."""
    walk = walks.Walk(plan, {}, compiled=True)
    while (spot := walk.take()) is not None:
        found: dict[str, Any] = {"o0": made if spot.task == "numbers" else spot.inputs.get("x", 0)}
        for part in plan.tasks[spot.task].parts:
            found[part.name] = lists.item(found["o0"]) if part.form == "item" else lists.listed(made).to_json()
        walk.finish(spot, {name: value_of(value) for name, value in found.items()})
    return walk


def test_the_plan_has_a_version_of_its_own_and_its_walk_makes_lists_of_lists() -> None:
    stored = alula_compiler.compile(resource()).plans["rows"]
    assert stored["v"] == plans.VERSION == 5
    plan = plans.from_json(json.loads(json.dumps(stored)))
    assert plans.to_json(plan) == json.loads(json.dumps(stored))
    walk = walked(plan, [4, 5])
    assert walk.over and walk.root.state.value == "done"
    (each, last) = (walk.root.inner.spots[name] for name in ("each", "last"))  # type: ignore[union-attr]
    row = lists.listed([4, 5])
    assert each.items[0].outputs == {"o0": row, "o0--item": lists.item(row)}
    assert last.inputs == {"rows": lists.listed([row, row])}


THEN = {
    "name": "then",
    "inputs": [{"name": "xs", "type": "list[int]"}],
    "outputs": [{"name": "o0", "type": "list[int]", "from": {"input": "xs"}}],
    "nodes": [{"id": "numbers", "task": "numbers"}],
}
CHOICE = {
    "id": "choose",
    "branch": {
        "reads": [{"name": "n", "type": "int"}],
        "cases": [{"name": "then", "when": "n > 3", "graph": "then"}],
        "otherwise": "then",
    },
    "inputs": {"n": {"input": "x"}, "xs": LISTS},
}
PASSES = {"id": "passes", "graph": "then", "inputs": {"xs": LISTS}}


@pytest.mark.parametrize(
    ("nodes", "gives", "needs"),
    [
        ((), LISTS, pods.NESTED),
        ((), MADE, pods.VERSION),
        ((CHOICE,), {"node": "choose", "output": "o0"}, pods.NESTED),
        ((PASSES,), {"node": "passes", "output": "o0"}, pods.NESTED),
        ((PASSES,), MADE, pods.VERSION),
    ],
    ids=["a map's list", "a task's", "through a branch", "through a graph", "beside a graph"],
)
def test_a_workflow_needs_that_version_only_where_a_mapped_graph_gives_a_map_s_list(
    nodes: tuple[dict[str, Any], ...], gives: dict[str, Any], needs: int
) -> None:
    made = resource(*nodes, gives=gives, graphs=[THEN])
    assert pod_versions.needed(specs.WorkflowSpec.from_json(made["spec"]).graphs) == needs
    compiled = alula_compiler.compile(made)
    assert compiled.ok, compiled.diagnostics
    inner = templates(compiled)["inner"]
    assert ("o0--item" in outputs(inner)) == (needs == pods.NESTED)


def test_a_release_whose_pods_cannot_read_it_is_refused_with_the_version_that_can() -> None:
    (problem,) = alula_compiler.compile(resource(runtime=3)).diagnostics
    assert (problem.code, problem.expected) == ("RUNTIME_VERSION", "4")
    assert "a mapped workflow returns the list of a map in it" in problem.message
