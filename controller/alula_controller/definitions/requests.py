"""What people ask of a definition by an annotation: a run now, the last failed run again, a schedule held. Pure.

Called by `gather` and `decide`. A request is an annotation whose value is new; the status repeats the value once it is
answered, and the run that answers it is named after it: however often this is decided, it is made once. A definition
without a status was just made, as when a cluster is rebuilt from git: what stands there was answered elsewhere, and is
recorded only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alula_api.contract import labels, timetables
from alula_api.contract.timetables import Schedule
from alula_controller import conditions
from alula_controller.cluster import resources
from alula_controller.definitions.world import Body

RUN, RETRY = labels.RUN_REQUESTED, labels.RETRY_REQUESTED
ANSWERED = {RUN: "lastHandledRunAt", RETRY: "lastHandledRetryAt"}
"""The field of the status that repeats the last answered value of each annotation."""
MOST = 256
"""Characters of a value that count, as the schema of the status allows."""
_KEPT = ("arguments", "priority")


def effective(plan: Body) -> Body:
    """A launch plan as it is to be compiled: what a person holds is suspended, whatever git says."""
    if not held(plan):
        return plan
    return {**plan, "spec": {**(plan.get("spec") or {}), "suspend": True}}


def held(plan: Body) -> str:
    """Who holds the schedule, and why; empty when it is not held."""
    return _annotation(plan, labels.SUSPENDED)


def pending(body: Body, annotation: str) -> str:
    """The value of a request that is not answered yet; empty without one."""
    asked = _annotation(body, annotation)
    answered = (body.get("status") or {}).get(ANSWERED[annotation])
    return asked if asked != answered and conditions.ready(body) is not None else ""


def answered(body: Body, *, now: bool) -> dict[str, str]:
    """What the status says of requests; `now`: those that are pending are being answered."""
    found = {}
    for annotation, field in ANSWERED.items():
        asked = _annotation(body, annotation)
        if asked and (now or not pending(body, annotation)):
            found[field] = asked
    return found


def run(body: Body, template: str, schedule: Schedule | None, now: datetime) -> dict[str, Any] | None:
    """The run that a definition asks for, if it does; an input that gets the scheduled time gets `now`."""
    asked = pending(body, RUN)
    if not asked:
        return None
    spec: dict[str, Any] = {"workflowTemplateRef": {"name": template}}
    if schedule is not None and schedule.input:
        value = timetables.value(schedule, now)
        spec["arguments"] = {"parameters": [{"name": schedule.input, "value": value}]}
    return _run(body, template, asked, spec)


def retry(body: Body, failed: Body, template: str, revision: Body | None = None) -> dict[str, Any]:
    """A new run with the inputs of the last one that failed.

    Args:
        body: The definition; it asks for one.
        failed: The last failed run.
        template: What the new run is started from.
        revision: The compiled spec of the failed run's revision, where that is not the definition's own any more.
    """
    spec = {key: value for key, value in failed["spec"].items() if key in _KEPT}
    spec["workflowTemplateRef"] = {"name": template}
    made = _run(body, template, pending(body, RETRY), spec, {labels.RESTARTED_FROM: str(failed["metadata"]["name"])})
    if revision is not None:
        # Argo gives a run these labels when it first looks; until then its template has to be known as in use.
        made["metadata"]["labels"] = dict((revision.get("workflowMetadata") or {}).get("labels") or {})
    return made


def _run(
    body: Body, template: str, asked: str, spec: Mapping[str, Any], annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    metadata = body["metadata"]
    suffix = hashlib.sha256(f"{metadata['uid']}\n{asked}".encode()).hexdigest()[:8]
    name = f"{template[:50].rstrip('-.')}-asked-{suffix}"[:63]
    notes = {labels.REASON: f"asked for: {asked}", **(annotations or {})}
    return resources.run(metadata["namespace"], name, spec, notes)


def _annotation(body: Body, name: str) -> str:
    return str((body["metadata"].get("annotations") or {}).get(name) or "")[:MOST]
