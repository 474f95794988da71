"""A run as the queue sees it: by its metadata, which anybody who starts a run may have written."""

from __future__ import annotations

from typing import Any

import pytest

from alula_api.argo import queued
from alula_api.contract import labels, quantities
from alula_api.contract.queue import Terms

TERMS = Terms(priority=3, running=1, policy="Replace")


def metadata(**notes: str) -> dict[str, Any]:
    marks = {labels.LAUNCH_PLAN: "nightly"}
    return {"name": "r", "uid": "u", "creationTimestamp": "2026-11-22T11:00:00Z", "labels": marks, "annotations": notes}


def test_a_run_has_the_terms_of_its_launch_plan_and_what_it_takes() -> None:
    notes = {labels.ESTIMATE: '{"cpu":"500m","memory":"soon"}', labels.POOLS: "gpu,warehouse", labels.PRIORITY: "7"}
    run = queued.run(metadata(**notes), TERMS)
    assert (run.plan, run.terms, run.priority) == ("nightly", TERMS, 7)
    assert run.pools == ("gpu", "warehouse")
    assert run.needs == {"cpu": quantities.ONE // 2}
    assert not (run.admitted or run.ending or run.forced)


def test_a_run_of_a_backfill_waits_whatever_the_policy_of_its_launch_plan() -> None:
    run = queued.run(metadata(**{labels.BACKFILL: "true"}), TERMS)
    assert run.terms == Terms(priority=3, running=1)


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"cpu": {}}', '{"cpu": "much"}', "[" * 5000, '"' + "x" * 9000 + '"'])
def test_an_estimate_that_cannot_be_read_counts_nothing(text: str) -> None:
    assert queued.run(metadata(**{labels.ESTIMATE: text}), TERMS).needs == {}


def test_marks_of_another_run_do_not_count() -> None:
    copied = metadata(**{labels.FORCED: "other ada"})
    copied["labels"][labels.ADMITTED] = "other.1"
    run = queued.run(copied, TERMS)
    assert not (run.forced or run.admitted)
