"""What the status of a launch plan or Workflow says of its latest runs. Pure; called where runs are noted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from alula_api.argo import runs
from alula_api.contract import labels
from alula_api.kinds.resources import MOST_RUNS
from alula_controller import timestamps

ENDED = ("Succeeded", "Failed", "Error")
SUCCEEDED = "Succeeded"

Body = Mapping[str, Any]


def unfinished(definition: Body) -> list[str]:
    """The runs whose end the status does not tell yet."""
    listed = (definition.get("status") or {}).get("runs") or []
    return [str(each["name"]) for each in listed if each.get("phase") not in ENDED]


def latest(definition: Body, found: Mapping[str, Body | None]) -> dict[str, Any]:
    """`status.runs`, `lastSuccess` and `currentFailure`, with the runs that were read just now (None: it is gone)."""
    status = definition.get("status") or {}
    listed = {str(each["name"]): dict(each) for each in status.get("runs") or []}
    for name, body in found.items():
        if body is not None:
            listed[name] = _entry(body["metadata"])
        elif name in listed and listed[name].get("phase") not in ENDED:
            del listed[name]  # it went before its end was seen
    ordered = sorted(listed.values(), key=lambda each: (each["created"], each["name"]), reverse=True)
    good = [each for each in ordered if each["phase"] == SUCCEEDED]
    last = status.get("lastSuccess")
    best = max([*good[:1], *([last] if last else [])], key=lambda each: (each["created"], each["name"]), default=None)
    before = status.get("currentFailure")
    failure = _failure(ordered, before)
    return {
        "runs": ordered[:MOST_RUNS],
        **({"lastSuccess": best} if best else {}),
        **({"currentFailure": failure} if failure or before else {}),
    }


def _failure(ordered: Sequence[Mapping[str, str]], before: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """The latest run that ended, if it failed, and since when they do; what stood there, while none is known."""
    ended = [each for each in ordered if each.get("phase") in ENDED and not each.get("outcome")]
    if not ended:
        return before
    row = [*itertools.takewhile(lambda each: each["phase"] != SUCCEEDED, ended)]
    if not row:
        return None
    since = row[-1]["created"]
    if before is not None and len(row) == len(ended):  # the first of them may have left the list
        since = min(since, before["since"])
    return {"name": row[0]["name"], "phase": row[0]["phase"], "since": since}


def _entry(metadata: Body) -> dict[str, str]:
    marks, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    entry = {
        "name": str(metadata["name"]),
        "phase": str(marks.get(runs.PHASE_LABEL) or "Pending"),
        "created": str(metadata.get("creationTimestamp") or ""),
    }
    if outcome := str(marks.get(labels.OUTCOME) or ""):
        entry["outcome"] = outcome
    tick = str(notes.get(labels.TICK) or "")
    return (
        {**entry, "tick": tick} if timestamps.parse(tick) is not None and len(tick) <= len(entry["created"]) else entry
    )


def differs(definition: Body, patch: Mapping[str, Any]) -> bool:
    """Whether a merge patch of the status would change anything."""
    status = definition.get("status") or {}
    for name, value in patch.items():
        old = status.get(name)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if any(old.get(key) != each for key, each in value.items()):
                return True
        elif value != old and not (old is None and not value):
            return True
    return False
