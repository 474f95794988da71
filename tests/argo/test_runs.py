"""A run whose parts are not what Argo writes is told apart before anything reads them."""

from __future__ import annotations

from typing import Any

import pytest

from alula_api.argo import runs

GOOD: dict[str, Any] = {
    "metadata": {"name": "r"},
    "spec": {"workflowTemplateRef": {"name": "w"}, "arguments": {"parameters": [{"name": "x", "value": "7"}]}},
    "status": {"storedWorkflowTemplateSpec": {"workflowMetadata": {"labels": {"a": "b"}}}},
}


@pytest.mark.parametrize("run", [GOOD, {"metadata": {}}, {"spec": None, "status": {}}, {"spec": {"arguments": {}}}])
def test_a_run_with_objects_where_they_belong_is_read(run: dict[str, Any]) -> None:
    assert runs.misshapen(run) == ""


@pytest.mark.parametrize(
    ("run", "where"),
    [
        ({**GOOD, "spec": "x"}, "spec"),
        ({**GOOD, "spec": {"workflowTemplateRef": True}}, "spec.workflowTemplateRef"),
        ({**GOOD, "spec": {"arguments": [1]}}, "spec.arguments"),
        ({**GOOD, "spec": {"arguments": {"parameters": [True]}}}, "spec.arguments.parameters"),
        ({**GOOD, "spec": {"arguments": {"parameters": {}}}}, "spec.arguments.parameters"),
        ({**GOOD, "status": []}, "status"),
        ({**GOOD, "status": {"storedWorkflowTemplateSpec": 7}}, "status.storedWorkflowTemplateSpec"),
        (
            {**GOOD, "status": {"storedWorkflowTemplateSpec": {"workflowMetadata": {"labels": "x"}}}},
            "status.storedWorkflowTemplateSpec.workflowMetadata.labels",
        ),
    ],
)
def test_what_is_no_object_is_named(run: dict[str, Any], where: str) -> None:
    assert runs.misshapen(run) == where
