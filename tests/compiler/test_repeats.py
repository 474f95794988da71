"""Repeats in a resource: what is refused before anything is compiled of it, and what stands in Argo's terms."""

from __future__ import annotations

import json
from typing import Any

import pytest

import alula_compiler
from alula_compiler.argo import texts

STEP = {
    "name": "step",
    "entrypoint": "m:step",
    "inputs": [{"name": "n", "type": "int"}, {"name": "by", "type": "int", "default": "1"}],
    "outputs": [{"name": "o0", "type": "int"}, {"name": "text", "type": "str"}],
}
INNER = {
    "name": "inner",
    "inputs": [{"name": "n", "type": "int"}],
    "outputs": [
        {"name": "o0", "type": "int", "from": {"node": "step", "output": "o0"}},
        {"name": "text", "type": "str", "from": {"node": "step", "output": "text"}},
    ],
    "nodes": [{"id": "step", "task": "step", "inputs": {"n": {"input": "n"}}}],
}
MADE = {"name": "made", "type": "int", "output": "o0"}
GOAL = {"name": "goal", "type": "int"}


def compiled(inputs: dict[str, Any] | None = None, **changes: Any) -> alula_compiler.Compiled:
    repeat: dict[str, Any] = {
        "task": "step",
        "until": "made > goal",
        "max": 3,
        "state": [{"input": "n", "output": "o0"}],
        "outputs": ["o0", "text"],
        "reads": [MADE, GOAL],
        **changes,
    }
    node = {
        "id": "rounds",
        "repeat": {name: value for name, value in repeat.items() if value is not None},
        "inputs": {"n": {"value": "0"}, "goal": {"input": "goal"}} if inputs is None else inputs,
    }
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "inputs": [{"name": "goal", "type": "int"}, {"name": "ns", "type": "list[int]"}],
        "outputs": [{"name": "last", "type": "int", "from": {"node": "rounds", "output": "o0"}}],
        "tasks": [STEP],
        "graphs": [{"name": "main", "nodes": [node]}, INNER],
    }
    resource = {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": {"name": "repeats"}, "spec": spec}
    return alula_compiler.compile(resource)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "gone"}, "there is no task `gone`"),
        ({"max": 0}, "repeat.max: must be at least 1, not 0"),
        ({"max": 51}, "repeat.max: must be at most 50, not 51"),
        ({"state": []}, "state"),
        ({"until": "made >"}, "the condition ends before the name of an input"),
        ({"until": "other > 3"}, "reads `other`, which is not among `reads`"),
        ({"state": [{"input": "m", "output": "o0"}]}, "it feeds `m`, and task step has no such input"),
        ({"state": [{"input": "n", "output": "gone"}]}, "is `gone`, which is not among `outputs`"),
        ({"state": [{"input": "n", "output": "text"}]}, "`n` of the next round gets the output `text`"),
        ({"outputs": ["o0", "text", "more"]}, "task step has no output `more`"),
        ({"reads": [{**MADE, "path": ["a"]}, GOAL]}, "output `o0` is int"),
        ({"reads": [{**MADE, "type": "str"}, GOAL]}, "compares str with int"),
        ({"reads": [{**MADE, "type": "float"}, {**GOAL, "type": "float"}]}, "is int"),
        ({"reads": [MADE, {**GOAL, "name": "by"}], "until": "made > by"}, "which is an input of task step too"),
        ({"inputs": {"n": {"value": "0"}}}, "input `goal` of the repeat of task step must be given"),
        ({"inputs": {"n": {"value": '"a"'}, "goal": {"value": "1"}}}, "the value must be an int"),
        (
            {"task": None, "graph": "inner", "inputs": {"n": {"input": "ns", "path": ["0"]}, "goal": {"value": "1"}}},
            "a repeated workflow takes a whole value",
        ),
    ],
)
def test_what_no_repeat_is_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in "\n".join(str(each) for each in compiled(**changes).diagnostics)


def _templates(made: alula_compiler.Compiled) -> dict[str, Any]:
    assert not made.diagnostics
    return {each["name"]: each for each in made.objects[0]["spec"]["templates"]}


@pytest.mark.parametrize("step", [{}, {"task": None, "graph": "inner"}])
def test_each_round_waits_for_the_one_before_and_asks_of_what_it_published(step: dict[str, Any]) -> None:
    found = _templates(compiled(**step))["rounds"]
    first, second, third = found["dag"]["tasks"]
    assert (first["name"], second["name"], third["name"]) == ("round-1", "round-2", "round-3")
    assert "when" not in first and third["depends"] == "round-2.Succeeded"
    read = "tasks['round-2'].outputs.parameters['o0--part']"
    assert third["when"] == "{{=!(asInt(" + read + ") > asInt(inputs.parameters['goal']))}}"
    given = {each["name"]: each["value"] for each in third["arguments"]["parameters"]}
    assert given["n"] == "{{tasks.round-2.outputs.parameters.o0}}" and "goal" not in given
    assert {each["name"] for each in found["outputs"]["parameters"]} >= {"o0", "text"}


def test_nothing_of_a_repeat_is_live_but_what_may_be() -> None:
    text = json.dumps(_templates(compiled(until="(made > 3 and not made == 5) or goal != 2")), ensure_ascii=False)
    tags = [tag for each in json.loads(text).values() for tag in _texts(each) if "{{" in tag]
    assert tags and [stray for tag in tags for stray in texts.stray_tags(tag)] == []


def _texts(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [text for each in inner for text in _texts(each)]


def test_a_part_of_the_first_state_of_a_task_is_selected_in_the_first_round_alone() -> None:
    inputs = {"n": {"input": "ns", "path": ["0"]}, "goal": {"value": "1"}}
    first, second, _ = _templates(compiled(inputs=inputs))["rounds"]["dag"]["tasks"]
    assert {"name": "n--path", "value": "{{inputs.parameters.n--path}}"} in first["arguments"]["parameters"]
    assert {"name": "n--path", "value": "[]"} in second["arguments"]["parameters"]
