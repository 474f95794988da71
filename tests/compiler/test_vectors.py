"""What the compiler writes of a value is the contract's Argo-safe text of it, to the byte, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

import alula_compiler
from alula_api.contract import jsontext
from tests import vectors
from tests.compiler import compiled


def resources(case: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A workflow whose input has the vector's value as default and whose second node has it as a constant; and plans
    that give it and fix it."""
    schema, text = case["schema"], jsontext.resource_safe(case["given"])
    nodes = [
        {"id": "one", "task": "step", "inputs": {"v": {"input": "x"}}},
        {"id": "two", "task": "step", "inputs": {"v": {"value": text}}},
    ]
    workflow = compiled.workflow(
        inputs=[{"name": "x", "type": schema, "default": text}],
        tasks=[compiled.task("step", {"v": schema}, {"o0": schema}, cache={"version": "1"})],
        graphs=[{"name": "main", "nodes": nodes}],
    )
    plans = [
        {
            "apiVersion": "alula.dev/v1alpha1",
            "kind": "LaunchPlan",
            "metadata": {"name": field.lower()},
            "spec": {"workflow": "w", field: [{"name": "x", "value": text}]},
        }
        for field in ("inputs", "fixedInputs")
    ]
    return workflow, plans


def compile_vector(case: dict[str, Any]) -> alula_compiler.Compiled:
    workflow, plans = resources(case)
    found = alula_compiler.compile(workflow, plans, None, compiled.ENGINE)
    assert found.diagnostics == ()
    return found


def values_of(parameters: list[dict[str, Any]]) -> list[str]:
    return [parameter["value"] for parameter in parameters if "value" in parameter]


@pytest.mark.parametrize("case", vectors.INLINE, ids=vectors.name)
def test_a_value_is_compiled_to_its_argo_safe_text(case: dict[str, Any]) -> None:
    found = compile_vector(case)
    by_name = {each["metadata"]["name"]: each["spec"] for each in found.objects}
    assert set(by_name) == {"w", "lp-inputs", "lp-fixedinputs"}
    for name in ("w", "lp-inputs"):
        assert values_of(by_name[name]["arguments"]["parameters"]) == [case["argo_safe"]]
    assert "parameters" not in by_name["lp-fixedinputs"].get("arguments", {})
    main = next(each for each in by_name["w"]["templates"] if each["name"] == "main")
    two = next(each for each in main["dag"]["tasks"] if each["name"] == "two")
    assert case["argo_safe"] in values_of(two["arguments"]["parameters"])


@pytest.mark.parametrize("case", vectors.INLINE, ids=vectors.name)
def test_the_plan_for_admission_has_the_values_wire_text(case: dict[str, Any]) -> None:
    plans = compile_vector(case).plans
    assert plans["w"]["inputs"][0]["default"] == case["wire"]
    assert plans["lp-inputs"]["inputs"][0]["default"] == case["wire"]
    assert plans["lp-fixedinputs"]["inputs"][0]["fixed"] == case["wire"]


@pytest.mark.parametrize("case", vectors.REFUSED, ids=vectors.name)
def test_a_value_that_the_contract_refuses_is_a_diagnostic(case: dict[str, Any]) -> None:
    workflow, plans = resources(case)
    found = alula_compiler.compile(workflow, plans, None, compiled.ENGINE)
    assert {problem.code for problem in found.diagnostics} == {"BAD_DEFAULT", "BAD_VALUE"}
    assert found.objects == ()


def test_the_interface_of_a_task_in_a_plan_is_the_vectors() -> None:
    for case in vectors.KEYS:
        inputs = {name: schema for name, schema, _ in case["inputs"]}
        step = compiled.task("step", inputs, dict(case["outputs"]), cache={"version": "1"})
        bound = {name: {"value": jsontext.resource_safe(text)} for name, _, text in case["inputs"]}
        nodes = [{"id": "step", "task": "step", "inputs": bound}]
        found = alula_compiler.compile(compiled.workflow(tasks=[step], graphs=[{"name": "main", "nodes": nodes}]))
        assert found.plans["w"]["tasks"]["step"]["interface"] == case["interface"]


def test_a_value_that_looks_like_an_envelope_is_refused_wherever_it_is_written() -> None:
    (case,) = (case for case in vectors.VALUES if case["name"] == vectors.ENVELOPE_LIKE)
    found = alula_compiler.compile(*resources(case), None, compiled.ENGINE)
    subjects = {problem.subject for problem in found.diagnostics}
    assert subjects == {
        "workflow w, input x",
        "workflow w, node two, input v",
        "launch plan inputs, input x",
        "launch plan fixedinputs, input x",
    }
    assert all("must not be an object with $stored alone" in problem.message for problem in found.diagnostics)
