"""Runs that Argo cannot digest: `{{` in an argument that it cannot evaluate leaves a run without phase or message for
ever.

Such a run carries none of our labels yet (Argo copies them in its first round), so it is found by a list of all runs
without a phase, once a minute. Pure; called by `answering`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_controller import timestamps
from alula_controller.watching import Seen

PHASE_LABEL = "workflows.argoproj.io/phase"
COMPLETED_LABEL = "workflows.argoproj.io/completed"
SELECTOR = f"!{PHASE_LABEL},!{COMPLETED_LABEL}"
PATIENCE = timedelta(seconds=45)  # several rounds of Argo's; with `{{=` in it nothing else explains the silence
LONG_PATIENCE = timedelta(minutes=10)  # other tags Argo leaves alone, so it may only be slow, or down


def suspicious(seen: Seen, now: datetime) -> bool:
    """Whether the run is old enough to have had a phase."""
    return _older(seen.created, PATIENCE, now)


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
