"""What a run's object, an Argo Workflow, says of the run as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PHASE_LABEL: Final = "workflows.argoproj.io/phase"
COMPLETED_LABEL: Final = "workflows.argoproj.io/completed"
FINISHED: Final = ("Succeeded", "Failed", "Error")
"""Phases after which Argo does not touch a run again."""


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
