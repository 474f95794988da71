"""Argo's full CRD schemas as a strict check of plain objects: unknown fields are errors, as with Strict validation.

An object must fit those of each version that alula runs on. `e2e.cluster.binaries` knows where they lie. What the API
server checks by CEL is not checked here; `e2e/engine` asks a real one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import binaries, errors

REPOSITORY = Path(__file__).parents[1]
VERSIONS = {"4.0": "argo-workflows", "4.1": "argo-workflows-4.1"}


def require() -> None:
    """Skip the test, saying why, where the schemas of no version are at hand."""
    if not any(folder(version) for version in VERSIONS):
        pytest.skip("Argo's CRDs are absent: `make e2e-servers` fetches them")


def folder(version: str) -> Path | None:
    """Return where the CRDs of a version of Argo lie, or None."""
    try:
        return binaries.manifests(VERSIONS[version])
    except errors.Unavailable:
        return None


@functools.cache
def schema(kind: str, version: str) -> dict[str, Any]:
    """Return the structural schema of an Argo kind."""
    found = folder(version)
    assert found is not None
    text = (found / f"argoproj.io_{kind.lower()}s.yaml").read_bytes()
    crd = yaml.load(text, Loader=yaml.CSafeLoader)
    rules: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return rules


def problems(obj: dict[str, Any]) -> list[str]:
    """Return what strict API servers with the CRDs at hand would say about an object, but for CEL rules."""
    # The API server knows metadata itself; the CRD says no more than that it is an object.
    body = {key: value if key != "metadata" else {} for key, value in obj.items()}
    at_hand = [version for version in VERSIONS if folder(version)]
    return [
        f"Argo {version}: {problem}"
        for version in at_hand
        for problem in _check(body, schema(obj["kind"], version), obj["kind"])
    ]


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def _check(value: Any, rules: dict[str, Any], path: str) -> Iterator[str]:
    if rules.get("x-kubernetes-int-or-string"):
        if type(value) not in (int, str):
            yield f"{path}: must be an integer or a string, not {value!r}"
        return
    kind = rules.get("type")
    if (kind is not None and (type(value) is bool) != (kind == "boolean")) or not isinstance(
        value, _TYPES.get(kind, object)
    ):
        yield f"{path}: must be of type {kind}, not {value!r:.60}"
        return
    if "enum" in rules and value not in rules["enum"]:
        yield f"{path}: must be one of {rules['enum']}, not {value!r}"
    if isinstance(value, str):
        yield from _text(value, rules, path)
    elif isinstance(value, dict):
        yield from _members(value, rules, path)
    elif isinstance(value, list):
        yield from _items(value, rules, path)


def _text(value: str, rules: dict[str, Any], path: str) -> Iterator[str]:
    if "pattern" in rules and not re.search(rules["pattern"], value):
        yield f"{path}: {value!r} does not match {rules['pattern']}"
    if len(value) > rules.get("maxLength", len(value)):
        yield f"{path}: has {len(value)} characters, more than {rules['maxLength']}"


def _members(value: dict[str, Any], rules: dict[str, Any], path: str) -> Iterator[str]:
    for name in rules.get("required", ()):
        if name not in value:
            yield f"{path}.{name}: must be given"
    properties, others = rules.get("properties", {}), rules.get("additionalProperties")
    for name, inner in value.items():
        if name in properties:
            yield from _check(inner, properties[name], f"{path}.{name}")
        elif isinstance(others, dict):
            yield from _check(inner, others, f"{path}.{name}")
        elif not rules.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{path}.{name}: unknown field"


def _items(value: list[Any], rules: dict[str, Any], path: str) -> Iterator[str]:
    if not rules.get("minItems", 0) <= len(value) <= rules.get("maxItems", len(value)):
        yield f"{path}: has {len(value)} items, allowed are {rules.get('minItems', 0)} to {rules.get('maxItems')}"
    keys = rules.get("x-kubernetes-list-map-keys")
    if keys:
        seen = [tuple(item.get(key) for key in keys) for item in value]
        for key in {key for key in seen if seen.count(key) > 1}:
            yield f"{path}: {key} comes twice"
    for index, item in enumerate(value):
        yield from _check(item, rules.get("items", {}), f"{path}[{index}]")


def load_as_model(obj: dict[str, Any]) -> Any:
    """Return an object as a model of the `argo-workflows` package, types checked: a second opinion."""
    from argo_workflows import configuration, model_utils, models

    model = getattr(models, f"IoArgoprojWorkflowV1alpha1{obj['kind']}")
    settings = configuration.Configuration()
    return model_utils.validate_and_convert_types(
        obj, (model,), ["object"], spec_property_naming=True, _check_type=True, configuration=settings
    )
