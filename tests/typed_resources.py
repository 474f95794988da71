"""Workflows that tests write with types of the contract, as their resources: types are text, classes stand once."""

from __future__ import annotations

import copy
from typing import Any

from alula_api.contract import named_types, type_spelling
from alula_api.contract.graphs import json_fields


def spelled(workflow: dict[str, Any]) -> dict[str, Any]:
    """A copy of a Workflow in which types of the contract, where there are any, are spelled."""
    made = copy.deepcopy(workflow)
    spec = made["spec"]
    owners = [spec, *_objects(spec.get("tasks")), *_objects(spec.get("graphs"))]
    ports = [port for owner in owners for part in ("inputs", "outputs") for port in _objects(owner.get(part))]
    unspelled = [port for port in ports if isinstance(port.get("type"), dict)]
    named, text = type_spelling.spelled([port["type"] for port in unspelled])
    for port in unspelled:
        port["type"] = text(port["type"])
    types = {"types": [json_fields.to_json(each) for each in named]} if named else {}
    return {**made, "spec": {**types, **spec}}


def _objects(found: Any) -> list[dict[str, Any]]:
    """The objects in what may be a list of them: tests write malformed resources too."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def without_modules(part: Any) -> Any:
    """A type of the SDK knows where each class stands, a text only where two have one name."""
    if isinstance(part, dict):
        return {name: without_modules(each) for name, each in part.items() if name != named_types.MODULE}
    return [without_modules(each) for each in part] if isinstance(part, list) else part
