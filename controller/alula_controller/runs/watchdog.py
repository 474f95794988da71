"""Runs that carry none of our labels, so that no watch of ours sees them; found by a list of such runs, twice a minute.

Argo copies a template's labels in its first round with a run, but never to a run that had to wait for Argo's limits of
parallelism, or that a worker took up before the run was counted (seen on 4.0.5): the run would be held for ever. And
Argo has no first round with a run that it cannot digest: `{{` in an argument that it cannot evaluate leaves a run
without phase or message. Pure; called by `admission.reconcile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.contract import labels
from alula_controller import timestamps
from alula_controller.cluster.watches import Seen

PHASE_LABEL = "workflows.argoproj.io/phase"
COMPLETED_LABEL = "workflows.argoproj.io/completed"
SELECTOR = f"!{labels.REVISION},{COMPLETED_LABEL}!=true"
PATIENCE = timedelta(seconds=45)  # several rounds of Argo's; with `{{=` in it nothing else explains the silence
LONG_PATIENCE = timedelta(minutes=10)  # other tags Argo leaves alone, so it may only be slow, or down


def suspicious(seen: Seen, now: datetime) -> bool:
    """Whether Argo has had its first round with the run, or the run is old enough to have had it."""
    return PHASE_LABEL in seen.labels or _older(seen.created, PATIENCE, now)


def foreign(run: Mapping[str, Any]) -> bool:
    """Whether Argo has had its first round with the run, and it is none of ours."""
    status = run.get("status") or {}
    settled = status.get("phase") and "storedWorkflowTemplateSpec" in status
    return not template(run) or bool(settled and labels.REVISION not in owed(run))


def owed(run: Mapping[str, Any]) -> dict[str, str]:
    """The labels of its template that the run lacks after Argo's first round."""
    status = run.get("status") or {}
    stored = (status.get("storedWorkflowTemplateSpec") or {}) if status.get("phase") else {}
    promised = (stored.get("workflowMetadata") or {}).get("labels") or {}
    given = run["metadata"].get("labels") or {}
    return {name: str(value) for name, value in promised.items() if name not in given}


def labelling(run: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that gives it those labels."""
    return {"metadata": {"resourceVersion": run["metadata"]["resourceVersion"], "labels": owed(run)}}


def template(run: Mapping[str, Any]) -> str:
    """The WorkflowTemplate that the run was started from."""
    return str(((run.get("spec") or {}).get("workflowTemplateRef") or {}).get("name") or "")


def indigestible(run: Mapping[str, Any], now: datetime) -> list[str]:
    """The arguments that Argo chokes on, if it has not given the run a phase for longer than they explain."""
    if (run.get("status") or {}).get("phase"):
        return []
    created = str(run["metadata"].get("creationTimestamp") or "")
    tag = "{{" if _older(created, LONG_PATIENCE, now) else "{{="
    given = ((run.get("spec") or {}).get("arguments") or {}).get("parameters") or ()
    return [str(each.get("name")) for each in given if tag in str(each.get("value") or "")]


def _older(created: str, patience: timedelta, now: datetime) -> bool:
    moment = timestamps.parse(created)
    return moment is not None and now - moment > patience


def failing(run: Mapping[str, Any], inputs: list[str], moment: str) -> dict[str, Any]:
    """The patch that ends it with a message."""
    message = (
        f"{', '.join(inputs)}: the text holds {{{{, which Argo evaluates before alula sees it, and could not."
        " Start the run with `alula run --remote`, or write { as \\u007b inside a JSON string."
    )
    metadata = run["metadata"]
    return {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "labels": {COMPLETED_LABEL: "true", PHASE_LABEL: "Failed"},
        },
        "status": {
            "phase": "Failed",
            "message": message,
            "startedAt": metadata.get("creationTimestamp"),
            "finishedAt": moment,
        },
    }
