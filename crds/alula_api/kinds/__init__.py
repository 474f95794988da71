"""The resources, `Workflow`, `LaunchPlan`, `Domain` and `WorkflowRevision`: models, CRDs, the canonical YAML writer.

The models load pydantic, so only `alula.emit`, `alula.cli`, the compiler and the controller import them, and they load
when one of these names is first asked for. `yamltext` writes and needs none of them, `read` checks, and `generate`
(imported by itself) makes the CRDs.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula_api.kinds.launch_plans import LaunchPlan
    from alula_api.kinds.reading import KINDS, read
    from alula_api.kinds.resources import Resource
    from alula_api.kinds.workflows import Workflow

__all__ = ["KINDS", "LaunchPlan", "Resource", "Workflow", "read"]


_HOMES = {
    "KINDS": "reading",
    "LaunchPlan": "launch_plans",
    "Resource": "resources",
    "Workflow": "workflows",
    "read": "reading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
