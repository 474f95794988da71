"""A golden value stands in a resource as text, and comes back from YAML and from the API server's JSON as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml

from alula_api import kinds
from alula_api.contract import jsontext, values
from alula_api.contract.graphs.specs import WorkflowSpec
from alula_api.kinds import yamltext
from tests import typed_resources, vectors
from tests.kinds import samples


@pytest.mark.parametrize("case", vectors.VALUES, ids=vectors.name)
def test_a_default_survives_the_resource_it_stands_in(case: dict[str, Any]) -> None:
    resource = copy.deepcopy(samples.WORKFLOW)
    text = jsontext.resource_safe(case["wire"])
    del resource["spec"]["types"]
    resource["spec"].update(tasks=[], graphs=[{"name": "main"}], outputs=[])
    resource["spec"]["inputs"] = [{"name": "x", "type": case["schema"], "default": text}]
    resource = typed_resources.spelled(resource)
    model, problems = kinds.read(kinds.Workflow, resource)
    assert (problems, model is None) == ([], False)
    written = yamltext.dump(model.to_dict())
    for back in (yaml.load(written, yaml.CSafeLoader), json.loads(json.dumps(resource, sort_keys=True))):
        (found,) = WorkflowSpec.from_json(back["spec"]).inputs
        assert found.default == text
        codec = values.codec(found.type)
        assert codec.wire(values.parse(text)) == case["wire"]
        assert codec.identity(values.parse(text)) == case["identity"]
