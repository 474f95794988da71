"""The merge keys of our lists for kustomize: without them a patch of one task removes all others.

Written beside every release as `alula-openapi.json` and named by the `openapi:` field of a domain's kustomization.
Only the way to the lists with keys is in it: kustomize merges all else by itself.
"""

from __future__ import annotations

import json
from typing import Any

from alula_api.kinds import definitions
from alula_api.kinds.fields import GROUP, VERSION
from alula_api.kinds.reading import KINDS

FILE_NAME = "alula-openapi.json"


def document() -> dict[str, Any]:
    """The OpenAPI document with the merge keys of all kinds."""
    return {
        "definitions": {
            f"dev.alula.{VERSION}.{name}": {
                **(_merging(definitions.schema(kind)["properties"]["spec"], "spec")),
                "x-kubernetes-group-version-kind": [{"group": GROUP, "version": VERSION, "kind": name}],
            }
            for name, kind in KINDS.items()
        }
    }


def text() -> str:
    """The document as the bytes of the file."""
    return json.dumps(document(), indent=1) + "\n"


def _merging(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """An object whose field `name` has that schema, reduced to what merging needs."""
    return {"type": "object", "properties": {name: _reduced(schema) or {"type": "object"}}}


def _reduced(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The schema reduced to the lists with keys inside it, or None if there are none."""
    if schema["type"] == "array":
        keys = schema.get("x-kubernetes-list-map-keys")
        inner = _reduced(schema["items"])
        if not keys:
            return {"type": "array", "items": inner} if inner else None
        return {
            "type": "array",
            "items": inner or {"type": "object"},
            "x-kubernetes-patch-strategy": "merge",
            "x-kubernetes-patch-merge-key": keys[0],
        }
    found = {name: inner for name, field in schema.get("properties", {}).items() if (inner := _reduced(field))}
    return {"type": "object", "properties": found} if found else None
