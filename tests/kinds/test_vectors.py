"""A golden value stands in a resource as text, and comes back from YAML and from the API server's JSON as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml

from alula_api import kinds
from alula_api.contract import values
from alula_api.kinds import yamltext
from tests import vectors
from tests.kinds import samples


@pytest.mark.parametrize("case", vectors.VALUES, ids=vectors.name)
def test_a_default_survives_the_resource_it_stands_in(case: dict[str, Any]) -> None:
    resource = copy.deepcopy(samples.WORKFLOW)
    text = kinds.json_text(case["wire"])
    resource["spec"]["inputs"] = [{"name": "x", "type": case["schema"], "default": text}]
    model, problems = kinds.read(kinds.Workflow, resource)
    assert (problems, model is None) == ([], False)
    written = yamltext.dump(kinds.to_dict(model))
    for back in (yaml.load(written, yaml.CSafeLoader), json.loads(json.dumps(resource, sort_keys=True))):
        found = back["spec"]["inputs"][0]
        assert found["default"] == text
        assert values.codec(found["type"]).wire(values.parse(found["default"])) == case["wire"]
        assert values.codec(found["type"]).identity(values.parse(found["default"])) == case["identity"]
