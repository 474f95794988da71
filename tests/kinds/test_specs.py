"""Specs and kinds are two views of one resource: a field is in both, under one name, at one place, with one default."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

import pydantic
import pytest
from hypothesis import given

from alula_api import kinds
from alula_api.contract import named_types, retries
from alula_api.contract.graphs import calls, handlers, json_fields, specs
from alula_api.contract.graphs.specs import LaunchPlanSpec, WorkflowSpec
from alula_api.contract.problems import InvalidValue
from alula_api.kinds import bindings, launch_plans, workflows

from . import samples

PAIRS: list[tuple[type, type[pydantic.BaseModel]]] = [
    (specs.Bundle, workflows.Bundle),
    (specs.Code, workflows.Code),
    (specs.Port, workflows.Input),
    (specs.Port, workflows.Output),
    (specs.Output, workflows.BoundOutput),
    (specs.TaskKind, workflows.TaskKind),
    (specs.Cache, workflows.Cache),
    (retries.Backoff, workflows.Backoff),
    (specs.Retry, workflows.Retries),
    (specs.Resources, workflows.Resources),
    (specs.Growth, workflows.Growth),
    (specs.EnvVar, workflows.EnvVar),
    (specs.SecretVar, workflows.SecretVar),
    (specs.Toleration, workflows.Toleration),
    (specs.NodeRule, workflows.NodeRule),
    (specs.Peers, workflows.Peers),
    (specs.Affinity, workflows.Affinity),
    (specs.Mount, workflows.Mount),
    (specs.Pod, workflows.Pod),
    (specs.TaskSpec, workflows.Task),
    (specs.NodeSpec, workflows.Node),
    (specs.GraphSpec, workflows.Graph),
    (handlers.Handler, workflows.Handler),
    (specs.WorkflowSpec, workflows.WorkflowSpec),
    (specs.InputValue, launch_plans.InputValue),
    (specs.Schedule, launch_plans.Schedule),
    (specs.Concurrency, launch_plans.Concurrency),
    (specs.TriggerInput, launch_plans.TriggerInput),
    (specs.EventCondition, launch_plans.EventCondition),
    (specs.EventInput, launch_plans.EventInput),
    (specs.TriggerEvent, launch_plans.TriggerEvent),
    (specs.Trigger, launch_plans.Trigger),
    (specs.Retention, launch_plans.Retention),
    (specs.Notification, launch_plans.Notification),
    (specs.LaunchPlanSpec, launch_plans.LaunchPlanSpec),
    (named_types.Field, workflows.Field),
    (named_types.Member, workflows.Member),
    (named_types.NamedType, workflows.NamedType),
]
NOWHERE = {
    workflows.Output: {"default"},  # a Port is an input too
}
CALLS = [name for name in calls.KINDS if name in workflows.Node.model_fields]
"""A node's call stands beside its fields, as one of these."""
OF_CALLS = {
    workflows.Branch,
    workflows.Case,
    workflows.Fed,
    workflows.Map,
    workflows.Read,
    workflows.Repeat,
    workflows.Watched,
}
"""What a call is made of; `calls` has its form."""
SPELLED = {workflows.WorkflowSpec: {"types"}}
"""What a spec has in its ports' types."""


def of_spec(cls: type) -> dict[str, Any]:
    """The defaults of a spec's fields, by their names in a resource."""
    fields = {field.key: field.default for field in json_fields._fields(cls)}
    if json_fields.BESIDE not in fields:
        return fields
    return {"id": fields["id"], **dict.fromkeys(CALLS), **{name: fields[name] for name in ("inputs", "after")}}


def of_kind(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    return {
        field.alias or name: dataclasses.MISSING if field.is_required() else field.default
        for name, field in model.model_fields.items()
    }


def absent(default: object) -> object:
    """What stands for a field that is left out, in both views."""
    return None if default in ("", (), [], {}, None, False) else default


@pytest.mark.parametrize(("spec", "kind"), PAIRS, ids=lambda each: each.__name__)
def test_a_field_of_a_spec_is_one_of_its_kind(spec: type, kind: type[pydantic.BaseModel]) -> None:
    here = {name: default for name, default in of_spec(spec).items() if name not in NOWHERE.get(kind, ())}
    there = {name: default for name, default in of_kind(kind).items() if name not in SPELLED.get(kind, ())}
    if spec is not WorkflowSpec:  # its required fields come first in Python
        assert list(here) == list(there)
    assert {name: absent(each) for name, each in here.items()} == {name: absent(each) for name, each in there.items()}


def test_every_part_of_a_workflow_and_a_launch_plan_has_its_spec() -> None:
    reached = set(parts(workflows.WorkflowSpec)) | set(parts(launch_plans.LaunchPlanSpec))
    assert reached - {kind for _, kind in PAIRS} == {bindings.Binding, bindings.Leaf, *OF_CALLS}


def parts(model: type[pydantic.BaseModel]) -> typing.Iterator[type[pydantic.BaseModel]]:
    yield model
    for field in model.model_fields.values():
        pending: list[Any] = [field.annotation]
        while pending:
            each = pending.pop()
            pending.extend(typing.get_args(each))
            if (
                isinstance(each, type)
                and not isinstance(each, types.GenericAlias)
                and issubclass(each, pydantic.BaseModel)
            ):
                yield from parts(each)


def test_the_fields_of_a_workflow_stand_in_the_order_of_the_kind() -> None:
    port = {"name": "x", "type": "Color"}
    spec = {**samples.WORKFLOW["spec"], "inputs": [*samples.WORKFLOW["spec"]["inputs"], port]}
    written = WorkflowSpec.from_json(spec).to_json()
    assert list(written) == [field.alias for field in workflows.WorkflowSpec.model_fields.values()]


@pytest.mark.parametrize("obj", samples.SAMPLES[:2], ids=lambda obj: obj["kind"])
def test_a_resource_with_every_field_comes_back_from_its_spec(obj: dict[str, Any]) -> None:
    spec: Any = WorkflowSpec if obj["kind"] == "Workflow" else LaunchPlanSpec
    back = spec.from_json(spec.from_json(obj["spec"]).to_json())
    assert back == spec.from_json(obj["spec"])
    written = back.to_json()
    if obj["kind"] == "Workflow":  # types that nothing uses are no part of a spec
        written, obj = ({**each, "types": []} for each in (written, obj["spec"]))
        assert written == obj
    else:
        assert written == obj["spec"]


@given(samples.mutated())
def test_what_a_kind_takes_a_spec_reads_and_a_spec_refuses_with_a_place(obj: dict[str, Any]) -> None:
    if obj["kind"] == "Domain":
        return
    kind = kinds.KINDS[obj["kind"]]
    spec: Any = WorkflowSpec if obj["kind"] == "Workflow" else LaunchPlanSpec
    model, problems = kinds.read(kind, obj)
    if model is not None:
        assert spec.from_json(model.to_dict()["spec"])
    else:
        assert problems
        try:
            spec.from_json(obj["spec"])
        except InvalidValue as error:
            assert error.problems[0].path.startswith("$")
