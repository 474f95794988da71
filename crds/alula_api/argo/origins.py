"""Who or what started a run, in one word: the value of its label `alula.dev/started-by`, which admission gives it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from alula_api.contract import labels

BINDING_LABEL: Final = "workflows.argoproj.io/workflow-event-binding"
"""Of Argo's: the WorkflowEventBinding that a run was made for."""
RELEASED: Final = "released as "
"""How the reason of a run begins that a new revision started."""


class Origin(StrEnum):
    """What may have started a run."""

    SCHEDULE = "schedule"
    BACKFILL = "backfill"
    TRIGGER = "trigger"
    RELEASE = "release"
    EVENT = "event"
    HANDLER = "handler"
    RECOVERY = "recovery"
    PERSON = "person"


def origin(metadata: Mapping[str, Any]) -> Origin:
    """What started the run with this metadata, as it says itself; a person where it says nothing.

    It is for people who select runs, and nothing is decided by it: who starts a run may write what it reads.
    """
    given, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if labels.RESTARTED_FROM in notes:
        return Origin.RECOVERY
    if notes.get(labels.BACKFILL) == "true":
        return Origin.BACKFILL
    if labels.HANDLES in notes:
        return Origin.HANDLER
    if labels.TICK in notes:
        return Origin.SCHEDULE
    if labels.TRIGGERED_BY in notes:
        return Origin.TRIGGER
    if BINDING_LABEL in given:
        return Origin.EVENT
    return Origin.RELEASE if str(notes.get(labels.REASON) or "").startswith(RELEASED) else Origin.PERSON
