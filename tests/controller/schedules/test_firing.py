"""The run of a tick, whether a run that is there answers for it, and what a CronWorkflow hands over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alula_api.contract import labels
from alula_api.contract.ticks import Timetable
from alula_api.contract.timetables import Schedule
from alula_controller.schedules import firing
from alula_controller.schedules.decide import Decided

TICK = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
PLAN: dict[str, Any] = {"metadata": {"name": "nightly", "namespace": "demo-dev", "uid": "u1"}}
CRON: dict[str, Any] = {
    "metadata": {"labels": {labels.MANAGED_BY: "alula"}, "creationTimestamp": "2026-11-01T00:00:00Z"},
    "spec": {"schedules": ["30 23 * * *"], "timezone": "UTC", "suspend": False},
    "status": {"lastScheduledTime": "2026-11-28T23:30:00Z"},
}
SCHEDULE = Schedule(("30 23 * * *",), "UTC")


@pytest.mark.parametrize(
    ("zone", "form", "value"),
    [
        ("", "datetime", '"2026-11-29T23:30:00Z"'),
        ("Europe/Berlin", "date", '"2026-11-30"'),
        ("America/New_York", "date", '"2026-11-29"'),
        ("Europe/Berlin", "string", '"2026-11-29T23:30:00Z"'),
    ],
)
def test_the_scheduled_time_is_an_input_of_its_own_type(zone: str, form: str, value: str) -> None:
    run = firing.run(PLAN, Schedule(("30 23 * * *",), zone, input="when", form=form), TICK)
    assert run["metadata"]["name"] == "lp-nightly-1795995000"
    assert run["metadata"]["annotations"][labels.TICK] == "2026-11-29T23:30:00Z"
    assert run["spec"] == {
        "workflowTemplateRef": {"name": "lp-nightly"},
        "arguments": {"parameters": [{"name": "when", "value": value}]},
    }


def test_a_run_of_the_same_tick_answers_for_it_and_another_of_its_name_does_not() -> None:
    wanted = firing.run(PLAN, SCHEDULE, TICK)
    assert firing.answers(wanted, wanted)
    assert firing.answers({"metadata": {"labels": {firing.CRON_LABEL: "lp-nightly"}}}, wanted)
    assert not firing.answers({"metadata": {"name": wanted["metadata"]["name"]}}, wanted)
    of_another = firing.run({"metadata": {**PLAN["metadata"], "uid": "u2"}}, SCHEDULE, TICK)
    assert not firing.answers(of_another, wanted)
    copied = {**wanted, "metadata": {**wanted["metadata"], "annotations": {labels.TICK: "2026-11-28T23:30:00Z"}}}
    assert not firing.answers(copied, wanted)


def changed(**parts: Any) -> dict[str, Any]:
    return {name: {**CRON.get(name, {}), **parts.get(name, {})} for name in CRON}


def test_a_cronworkflow_hands_over_how_far_it_came() -> None:
    digest = Timetable.of(SCHEDULE).digest()
    assert firing.taken_over(CRON, SCHEDULE) == Decided(datetime(2026, 11, 28, 23, 30, tzinfo=UTC), digest)
    new = {**CRON, "status": {}}
    assert firing.taken_over(new, SCHEDULE) == Decided(datetime(2026, 11, 1, tzinfo=UTC), digest)


@pytest.mark.parametrize(
    "cron",
    [
        changed(spec={"suspend": True}),
        changed(spec={"timezone": "Europe/Berlin"}),
        changed(spec={"schedules": ["0 1 * * *"]}),
        {**CRON, "metadata": {"labels": {}}},
        changed(status={"lastScheduledTime": "yesterday"}),
    ],
    ids=["suspended", "another zone", "other lines", "not made by alula", "no time"],
)
def test_a_cronworkflow_that_is_no_guide_hands_nothing_over(cron: dict[str, Any]) -> None:
    assert firing.taken_over(cron, SCHEDULE) is None
