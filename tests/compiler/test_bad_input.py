"""Whatever a resource holds, compiling answers with diagnostics that name the place, and never raises."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alula_compiler
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
    assert result.ok == (result.objects != ())
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
    resource = notation.resource({"code": {"runtime": 2}, "tasks": {"s": "() -> o0: int"}})
    (found,) = alula_compiler.compile(resource).diagnostics
    assert (found.code, found.expected, found.hint) == ("RUNTIME_VERSION", "1", "upgrade alula's controller")


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
