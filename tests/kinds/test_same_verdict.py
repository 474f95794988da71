"""The API server's schema and the Python models never disagree about what is valid."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings

from alula_api import kinds

from . import samples


@pytest.mark.parametrize("obj", samples.SAMPLES, ids=lambda obj: obj["kind"])
def test_a_resource_with_every_field_is_valid_for_both_and_comes_back_as_it_was(obj: dict[str, Any]) -> None:
    kind = kinds.KINDS[obj["kind"]]
    model, problems = kinds.read(kind, obj)
    assert problems == []
    assert samples.schema_problems(kind, obj) == []
    assert model is not None
    assert model.to_dict() == obj
    assert list(_leaves(model.to_dict())) == list(_leaves(obj))


@pytest.mark.parametrize("obj", samples.SAMPLES, ids=lambda obj: obj["kind"])
def test_the_samples_set_every_field_of_their_kind(obj: dict[str, Any]) -> None:
    schema = samples.schema_of(kinds.KINDS[obj["kind"]])["properties"]["spec"]
    assert list(_unset(schema, [obj["spec"]], "spec")) == []


@settings(max_examples=600)
@given(samples.mutated())
def test_a_mutated_resource_gets_the_same_verdict_from_both(obj: dict[str, Any]) -> None:
    kind = kinds.KINDS[obj["kind"]]
    before = copy.deepcopy(obj)
    told = samples.schema_problems(kind, obj)
    try:
        kind.model_validate(obj, by_alias=True, by_name=False)
        refused = ""
    except ValueError as error:
        refused = str(error)
    assert bool(told) == bool(refused), (told, refused)
    assert obj == before


def _leaves(value: Any, path: str = "") -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path + "[]")
    yield path


def _unset(schema: dict[str, Any], values: list[Any], path: str) -> Any:
    """The fields of a schema that none of the values sets; the fields of a binding are exercised as a whole."""
    if "oneOf" in schema and path.endswith((".from", ".inputs{}")):
        return
    for name, inner in schema.get("properties", {}).items():
        found = [value[name] for value in values if name in value]
        if not found:
            yield f"{path}.{name}"
        if inner["type"] == "array":
            yield from _unset(inner["items"], [item for value in found for item in value], f"{path}.{name}[]")
        elif "additionalProperties" in inner:
            yield from _unset(inner["additionalProperties"], [], f"{path}.{name}{{}}")
        elif found:
            yield from _unset(inner, found, f"{path}.{name}")
