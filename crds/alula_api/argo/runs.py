"""What a run's object, an Argo Workflow, says of the run as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PHASE_LABEL: Final = "workflows.argoproj.io/phase"
COMPLETED_LABEL: Final = "workflows.argoproj.io/completed"
FINISHED: Final = ("Succeeded", "Failed", "Error")
"""Phases after which Argo does not touch a run again."""


_OBJECTS: Final = (
    ("spec",),
    ("spec", "workflowTemplateRef"),
    ("spec", "arguments"),
    ("status",),
    ("status", "storedWorkflowTemplateSpec"),
    ("status", "storedWorkflowTemplateSpec", "workflowMetadata"),
    ("status", "storedWorkflowTemplateSpec", "workflowMetadata", "labels"),
)


def misshapen(run: Mapping[str, Any]) -> str:
    """What of a run is no object, or no list of them, where everything that reads runs takes it for one; empty for
    nothing. Argo's minimal CRDs let anything pass."""
    for path in _OBJECTS:
        found: Any = run
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is not None and not isinstance(found, Mapping):
            return ".".join(path)
    given = ((run.get("spec") or {}).get("arguments") or {}).get("parameters")
    if given is not None and not (isinstance(given, list) and all(isinstance(each, Mapping) for each in given)):
        return "spec.arguments.parameters"
    return ""


def finished(run: Mapping[str, Any]) -> bool:
    """Whether Argo is done with the run."""
    status = run.get("status") or {}
    return status.get("phase") in FINISHED or bool(status.get("finishedAt"))


def template(run: Mapping[str, Any]) -> str:
    """The WorkflowTemplate that the run was started from; empty for none."""
    return str(((run.get("spec") or {}).get("workflowTemplateRef") or {}).get("name") or "")


def label(run: Mapping[str, Any], name: str) -> str:
    """A label of the run; empty where it has none of that name."""
    return str((run["metadata"].get("labels") or {}).get(name) or "")
