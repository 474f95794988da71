"""The CustomResourceDefinitions, made from the models and from what each kind says about itself."""

from __future__ import annotations

from typing import Any, get_args

import pydantic

from alula_api.kinds import structural
from alula_api.kinds.fields import GROUP, VERSION
from alula_api.kinds.reading import KINDS
from alula_api.kinds.resources import Column, Kind, Resource
from alula_api.kinds.revisions import WorkflowRevision

ALL: tuple[type[Resource], ...] = (*KINDS.values(), WorkflowRevision)
"""Those that people write, and the one that only the controller writes."""


def definitions() -> dict[str, dict[str, Any]]:
    """Every CRD by its name, such as `workflows.alula.dev`."""
    return {f"{kind.KIND.plural}.{GROUP}": definition(kind) for kind in ALL}


def definition(resource: type[Resource]) -> dict[str, Any]:
    """The CRD of one kind."""
    kind = resource.KIND
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short],
                "categories": list(kind.categories),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    **(
                        {"selectableFields": [{"jsonPath": path} for path in kind.selectable]}
                        if kind.selectable
                        else {}
                    ),
                    "additionalPrinterColumns": [_column(column) for column in kind.columns],
                    "schema": {"openAPIV3Schema": schema(resource)},
                    **({"subresources": {"status": {}}} if "status" in resource.model_fields else {}),
                }
            ],
        },
    }


def _selectable(kind: Kind) -> dict[str, Any]:
    return {"selectableFields": [{"jsonPath": path} for path in kind.selectable]} if kind.selectable else {}


def schema(resource: type[Resource]) -> dict[str, Any]:
    """The structural schema of a whole resource, with the rules for its name."""
    required = [name for name in ("spec",) if resource.model_fields[name].is_required()]
    parts = [name for name in ("spec", "status") if name in resource.model_fields]
    rules = [{"rule": rule.cel, "message": f"metadata.name {rule.message}"} for rule in resource.KIND.name_rules]
    if resource.KIND.immutable:
        rules.append({"rule": "self.spec == oldSelf.spec", "message": "spec must not change"})
    return {
        "description": resource.KIND.description,
        "type": "object",
        **({"required": required} if required else {}),
        "properties": {
            "apiVersion": {"description": f"{GROUP}/{VERSION}", "type": "string"},
            "kind": {"description": resource.KIND.name, "type": "string"},
            "metadata": {"type": "object"},
            **{name: structural.structural(_model(resource, name), name) for name in parts},
        },
        "x-kubernetes-validations": rules,
    }


def _model(resource: type[Resource], name: str) -> type[pydantic.BaseModel]:
    """The model of a field that holds one, or holds one or nothing."""
    annotation = resource.model_fields[name].annotation
    found = [inner for inner in (annotation, *get_args(annotation)) if isinstance(inner, type)]
    model = next(inner for inner in found if issubclass(inner, pydantic.BaseModel))
    assert issubclass(model, pydantic.BaseModel)
    return model


def _column(column: Column) -> dict[str, Any]:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**shown, "priority": column.priority} if column.priority else shown
