"""Whatever a resource holds, compiling answers with diagnostics that name the place, and never raises."""

from __future__ import annotations

import copy
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alula_compiler
from alula_compiler import problems
from tests.compiler import compiled, notation, strategies

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    strategies.HOSTILE,
    st.sampled_from(["main", "admit", "n0", "o0", "lp-x", "a" * 300, "\ud800", "é", "1" * 5000, "[" * 3000]),
    st.lists(st.none() | st.integers() | st.just({}), max_size=3),
    st.dictionaries(
        st.sampled_from(["type", "$ref", "$defs", "anyOf", "value", "node", "name"]), st.none() | st.text()
    ),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything inside a JSON value."""
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        found += places(inner, (*path, step))
    return found


@settings(max_examples=200)
@given(st.data())
def test_a_resource_with_junk_in_any_place_is_answered_with_diagnostics(data: st.DataObject) -> None:
    documents = compiled.load(data.draw(st.sampled_from(compiled.NAMES)))
    for _ in range(data.draw(st.integers(1, 3))):
        document = data.draw(st.sampled_from(documents))
        found = places(document)
        if not found:
            continue
        *parents, last = data.draw(st.sampled_from(found))
        target = document
        for step in parents:
            target = target[step]
        if data.draw(st.booleans()):
            target[last] = data.draw(JUNK)
        else:
            del target[last]
    workflows = [one for one in documents if one.get("kind") != "LaunchPlan" and one.get("kind") != "Domain"]
    plans = [one for one in documents if one.get("kind") == "LaunchPlan"]
    result = alula_compiler.compile(workflows[0] if workflows else None, plans, None, compiled.ENGINE)
    assert result.objects or not result.ok
    assert not (result.objects and problems.WORKFLOW in result.by_plan)
    for one in result.diagnostics:
        assert one.render() and one.subject
    json.dumps(result.objects)


@pytest.mark.parametrize("junk", [None, 7, "text", [], {}, {"kind": "Workflow"}, {"spec": {}}])
def test_what_is_no_workflow_at_all_is_refused(junk: Any) -> None:
    result = alula_compiler.compile(junk)
    assert not result.ok
    assert {one.code for one in result.diagnostics} == {"BAD_RESOURCE"}


def test_errors_of_all_checks_come_at_once() -> None:
    resource = notation.resource(
        {
            "inputs": {"name": "text"},
            "tasks": {"step": "(x: int) -> o0: int"},
            "graphs": {
                "main": {
                    "nodes": [
                        {"id": "a", "call": "stepp", "x": "=1"},
                        {"id": "b", "call": "step", "x": "$name"},
                        {"id": "c", "call": "step", "x": "c.o0"},
                    ]
                }
            },
        }
    )
    result = alula_compiler.compile(resource)
    assert [(one.code, one.subject) for one in result.diagnostics] == [
        ("UNKNOWN_TASK", "workflow w, node a"),
        ("EDGE_TYPE", "workflow w, node b, input x"),
        ("CYCLE", "workflow w, node c"),
    ]
    assert {one.source for one in result.diagnostics} == {"flows/w.py"}
    assert result.objects == () and dict(result.plans) == {}


def test_of_very_many_errors_a_hundred_are_told_and_the_rest_counted() -> None:
    nodes = [{"id": f"n{number}", "call": "missing"} for number in range(500)]
    result = alula_compiler.compile(notation.resource({"graphs": {"main": {"nodes": nodes}}}))
    assert len(result.diagnostics) == 101
    assert result.diagnostics[-1].message == "and 400 more errors"


def test_an_unknown_runtime_is_refused_with_what_to_do() -> None:
    resource = notation.resource({"code": {"runtime": 5}, "tasks": {"s": "() -> o0: int"}})
    (found,) = alula_compiler.compile(resource).diagnostics
    assert (found.code, found.expected, found.hint) == ("RUNTIME_VERSION", "1, 2, 3 or 4", "upgrade alula's controller")


def test_main_must_not_have_ports_of_its_own() -> None:
    resource = notation.resource(
        {"tasks": {"s": "() -> o0: int"}, "graphs": {"main": {"nodes": [{"id": "a", "call": "s"}]}}}
    )
    resource["spec"]["graphs"][0]["inputs"] = [{"name": "x", "type": "Any"}]
    (found,) = alula_compiler.compile(resource).diagnostics
    assert found.code == "BAD_RESOURCE" and found.source == "flows/w.py"


def test_no_diagnostic_shows_a_secret_or_a_value_of_the_environment() -> None:
    (workflow, domain) = compiled.load("options")
    task = workflow["spec"]["tasks"][0]
    task["env"] = [{"name": "ALULA_X", "value": "s3cr3t"}, {"name": "ALULA_X2", "value": "s3cr3t"}]
    task["secrets"] = [{"name": "ALULA_Y", "secret": "hidden", "key": "s3cr3t"}]
    result = alula_compiler.compile(workflow, (), domain)
    assert len(result.diagnostics) == 3
    assert not any("s3cr3t" in one.render() for one in result.diagnostics)


def test_the_resource_that_was_given_is_never_changed() -> None:
    documents = compiled.load("launch-plans")
    before = copy.deepcopy(documents)
    compiled.compile_documents(documents)
    assert documents == before


def bomb(**spec: Any) -> dict[str, Any]:
    body = {"version": "v1", "code": {"image": "r/x:1", "runtime": 1}, **spec}
    return {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "bomb"}, "spec": body}


def test_defaults_that_a_thousand_calls_take_are_stored_once() -> None:
    text = json.dumps("x" * 30_000)
    inputs = [{"name": f"i{number}", "type": "str", "default": text} for number in range(2)]
    task = {"name": "t", "entrypoint": "m:f", "inputs": inputs}
    main = {"name": "main", "nodes": [{"id": f"n{number}", "task": "t"} for number in range(1_000)]}
    made = alula_compiler.compile(bomb(tasks=[task], graphs=[main]))
    assert made.ok, made.diagnostics
    assert len(json.dumps(made.plans["bomb"])) < 200_000


def test_defaults_of_graphs_that_are_too_large_with_all_calls_are_refused_before_they_are_written() -> None:
    text = json.dumps("x" * 60_000)
    task = {"name": "t", "entrypoint": "m:f", "inputs": [{"name": "a", "type": "str"}]}
    ports = [{"name": f"i{number}", "type": "str", "default": text} for number in range(18)]
    inner = {"name": "g", "inputs": ports, "nodes": [{"id": "n", "task": "t", "inputs": {"a": {"input": "i0"}}}]}
    main = {"name": "main", "nodes": [{"id": f"c{number}", "graph": "g"} for number in range(1_000)]}
    tracemalloc.start()
    made = alula_compiler.compile(bomb(tasks=[task], graphs=[main, inner]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [found.code for found in made.diagnostics] == ["TOO_LARGE"]
    assert "1,0" in made.diagnostics[0].message
    assert peak < 60 << 20


def test_graphs_that_are_called_with_lists_of_many_lengths_are_refused_before_they_are_all_made() -> None:
    task = {"name": "t", "entrypoint": "m:f", "inputs": [{"name": "a", "type": "list[str]"}]}
    graphs = []
    for depth in range(49):
        call = {"task": "t"} if depth == 48 else {"graph": f"g{depth + 1}"}
        node = {"id": "n", **call, "inputs": {"a": {"input": "a"}}}
        graphs.append({"name": f"g{depth}", "inputs": [{"name": "a", "type": "list[str]"}], "nodes": [node]})
    calls = [
        {"id": f"c{size}", "graph": "g0", "inputs": {"a": {"items": [{"value": '"x"'}] * size}}}
        for size in range(940, 1_000)
    ]
    tracemalloc.start()
    made = alula_compiler.compile(bomb(tasks=[task], graphs=[{"name": "main", "nodes": calls}, *graphs]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [found.code for found in made.diagnostics] == ["TOO_LARGE"]
    assert "more forms" in made.diagnostics[0].message
    assert peak < 100 << 20
