"""What `admit` publishes of an input, and the keys and names that it looks for, are the contract's to the byte."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alula_api.argo import nodes
from alula_api.contract import jsontext, schemas, values
from alula_api.contract.graphs import plans
from alula_controller.admission import check
from alula_controller.admission.cache_walk import CacheWalk
from tests import vectors
from tests.controller import scenes


def plan(*inputs: plans.Input) -> plans.Plan:
    return plans.Plan({"main": plans.Graph((), ())}, inputs=inputs, template="t")


@pytest.mark.parametrize("case", vectors.INLINE, ids=vectors.name)
@pytest.mark.parametrize("form", ["given", "wire", "argo_safe"])
def test_an_input_is_published_as_its_argo_safe_text(case: dict[str, Any], form: str) -> None:
    given = {"parameters": [{"name": "x", "value": case[form]}]}
    checked = check.check(plan(plans.Input("x", case["schema"])), given, "run")
    assert checked.problems == ()
    assert check.safe(checked.inputs["x"]) == case["argo_safe"]


@pytest.mark.parametrize("case", vectors.INLINE, ids=vectors.name)
def test_a_default_and_a_fixed_value_are_published_alike(case: dict[str, Any]) -> None:
    schema, wire = case["schema"], case["wire"]
    inputs = (plans.Input("d", schema, default=wire), plans.Input("f", schema, fixed=wire))
    checked = check.check(plan(*inputs), {}, "run")
    assert [check.safe(known) for known in checked.inputs.values()] == [case["argo_safe"]] * 2


@pytest.mark.parametrize("case", vectors.REFUSED, ids=vectors.name)
def test_what_the_contract_refuses_is_refused_by_name_and_type_and_without_the_value(case: dict[str, Any]) -> None:
    given = {"parameters": [{"name": "x", "value": case["given"]}]}
    checked = check.check(plan(plans.Input("x", case["schema"])), given, "run")
    if case["name"] == "null is not a text":  # a person may type any text for a text, so this is the word
        assert checked.inputs["x"] == "null"
        return
    (problem,) = checked.problems
    assert re.fullmatch(r"x does not fit( at [$\w.,\[\] ]+)?", problem.message)
    assert problem.expected == schemas.describe(case["schema"])


def test_a_value_that_looks_like_an_envelope_is_refused_where_it_would_fit_and_is_text_where_text_is_wanted() -> None:
    (case,) = (case for case in vectors.VALUES if case["name"] == vectors.ENVELOPE_LIKE)
    given = {"parameters": [{"name": "x", "value": case["given"]}]}
    (problem,) = check.check(plan(plans.Input("x", {})), given, "run").problems
    assert problem.message == "x does not fit"
    text = check.check(plan(plans.Input("x", {"type": "string"})), given, "run")
    assert text.inputs["x"] == case["given"]


@pytest.mark.parametrize("case", [case for case in vectors.KEYS if case["version"]], ids=vectors.name)
def test_the_key_that_is_looked_up_is_the_vectors(case: dict[str, Any]) -> None:
    task = scenes.task("step", {name: schema for name, schema, _ in case["inputs"]}, dict(case["outputs"]))
    task |= {"cache": {"version": case["version"]}, "key": case["task"]}
    body = scenes.workflow(
        tasks=[task],
        inputs=[{"name": name, "type": schema} for name, schema, _ in case["inputs"]],
        nodes=[{"id": "step", "task": "step", "inputs": {name: {"input": name} for name, _, _ in case["inputs"]}}],
        outputs=[],
    )
    given = {"parameters": [{"name": name, "value": jsontext.resource_safe(text)} for name, _, text in case["inputs"]]}
    made = scenes.plan(body)
    checked = check.check(made, given, "run")
    assert checked.problems == ()
    assert [wanted.key for wanted in CacheWalk(made, checked.inputs).wanted()] == [case["key"]]


def test_a_nodes_id_is_the_one_that_argo_gives_it() -> None:
    below = [case for case in vectors.VECTORS["nodes"] if case["node"].startswith("r.")]
    assert len(below) > 2
    for case in below:
        assert nodes.id_of(case["run"], case["node"].removeprefix("r.")) == case["id"]


def test_a_text_is_published_as_the_vectors_say() -> None:
    for case in vectors.VECTORS["texts"]:
        given = {"parameters": [{"name": "x", "value": case["json"]}]}
        checked = check.check(plan(plans.Input("x", {"type": "string"})), given, "run")
        assert check.safe(checked.inputs["x"]) == case["argo_safe"]
        assert values.parse(case["argo_safe"]) == case["text"]
