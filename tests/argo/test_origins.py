"""What started a run, by its metadata."""

from __future__ import annotations

import pytest

from alula_api.argo.origins import BINDING_LABEL, Origin, origin
from alula_api.contract import labels


@pytest.mark.parametrize(
    ("notes", "marks", "found"),
    [
        ({}, {}, Origin.PERSON),
        ({labels.REASON: "started by `alula launch`"}, {}, Origin.PERSON),
        ({labels.REASON: "released as r-1"}, {}, Origin.RELEASE),
        ({labels.TICK: "2026-11-29T01:00:00Z"}, {}, Origin.SCHEDULE),
        ({labels.TICK: "2026-11-29T01:00:00Z", labels.BACKFILL: "true"}, {}, Origin.BACKFILL),
        ({labels.TRIGGERED_BY: "up-1"}, {}, Origin.TRIGGER),
        ({labels.HANDLES: "up-1"}, {}, Origin.HANDLER),
        ({labels.REASON: "event orders"}, {BINDING_LABEL: "lp-orders"}, Origin.EVENT),
        ({labels.TICK: "2026-11-29T01:00:00Z", labels.RESTARTED_FROM: "up-1"}, {}, Origin.RECOVERY),
    ],
)
def test_a_run_says_what_started_it(notes: dict[str, str], marks: dict[str, str], found: Origin) -> None:
    assert origin({"annotations": notes, "labels": marks}) is found
    assert found in labels.SENTENCES[labels.STARTED_BY]
