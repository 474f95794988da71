"""A run in its domain's queue, by its metadata alone, which is all that the queue lists. Read by the controller and by
`alula queue`.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any, Final

from alula_api.argo import holds, runs
from alula_api.contract import jsontext, labels, queue
from alula_api.contract.problems import InvalidValue
from alula_api.contract.queue import Run, Terms

UNFINISHED: Final = f"{labels.REVISION},{runs.COMPLETED_LABEL}!=true"
"""The label selector of a domain's unfinished runs."""
CREATORS: Final = ("workflows.argoproj.io/creator-preferred-username", "workflows.argoproj.io/creator")
"""Labels by which Argo's server says who started a run."""
_MOST_DIGITS = 9
MOST_TEXT: Final = 8192
"""Of an annotation, in which a person who starts a run may write anything."""


def plan(metadata: Mapping[str, Any]) -> str:
    """The launch plan that a run was started from; empty for none."""
    return str((metadata.get("labels") or {}).get(labels.LAUNCH_PLAN) or "")


def run(metadata: Mapping[str, Any], terms: Terms) -> Run:
    """The run with this metadata.

    Args:
        metadata: As the API server has it.
        terms: Of its launch plan.
    """
    given, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    uid = str(metadata["uid"])
    priority = str(notes.get(labels.PRIORITY) or "")
    return Run(
        uid=uid,
        name=str(metadata["name"]),
        created=_seconds(str(metadata.get("creationTimestamp") or "")),
        plan=plan(metadata),
        person=next((str(given[each]) for each in CREATORS if each in given), ""),
        labels=given,
        priority=int(priority) if priority.isdecimal() and len(priority) <= _MOST_DIGITS else None,
        # A run that was resubmitted carries the marks of another.
        forced=str(notes.get(labels.FORCED) or "").partition(" ")[0] == uid,
        admitted=holds.marks(str(given.get(labels.ADMITTED) or ""), uid),
        ending=labels.STOP in notes or labels.OUTCOME in given,
        # Runs of the past that are made together would skip or replace each other.
        terms=dataclasses.replace(terms, policy="") if notes.get(labels.BACKFILL) == "true" else terms,
        pools=tuple(filter(None, str(notes.get(labels.POOLS) or "")[:MOST_TEXT].split(","))),
        needs=_needs(str(notes.get(labels.ESTIMATE) or "")),
    )


def _needs(text: str) -> dict[str, int]:
    """The amounts of an estimate; one that cannot be read counts nothing."""
    if not text or len(text) > MOST_TEXT:
        return {}
    try:
        found = jsontext.parse(text)
    except InvalidValue:
        return {}
    return queue.amounts(found) if isinstance(found, dict) else {}


def _seconds(text: str) -> float:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
