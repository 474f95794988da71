"""Runs past their deadline, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alula_api.contract import labels
from alula_controller import timestamps
from alula_controller.cluster.access import Access
from alula_controller.runs import overdue
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster

BEGAN = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


def late(limit: Any = 60) -> dict[str, Any]:
    run = scenes.held_run(arguments={"x": "9"})
    run["status"]["startedAt"] = timestamps.seconds(BEGAN)
    run["status"]["storedWorkflowTemplateSpec"] = {"activeDeadlineSeconds": limit}
    return run


class Bench:
    def __init__(self, run: dict[str, Any]) -> None:
        self.api = FakeCluster()
        self.api.put(run)
        self.now = BEGAN
        access = Access(self.api, lambda said: None)  # type: ignore[arg-type]
        self.overdue = overdue.Overdue(access, lambda: self.now)

    @property
    def run(self) -> dict[str, Any]:
        return next(body for (*_, name), body in self.api.objects.items() if name == "run-1")

    def look(self) -> float | None:
        return asyncio.run(self.overdue.handle(self.run))


def test_a_run_is_touched_just_after_its_deadline_and_no_more_than_once_a_minute() -> None:
    bench, touched = Bench(late()), []
    end = BEGAN + timedelta(hours=1)
    wait: float | None = 1.0
    while wait is not None and bench.now < end:
        wait = bench.look()
        mark = bench.run["metadata"].get("annotations", {}).get(labels.OVERDUE)
        if mark and mark not in touched:
            touched.append(mark)
        bench.now += timedelta(seconds=wait or 0)
    assert touched[0] == timestamps.seconds(BEGAN + timedelta(seconds=63))
    assert len(touched) == 15
    assert wait is None, "it is not looked at for ever"


def test_a_run_that_changes_on_its_way_is_left_alone_until_then() -> None:
    bench = Bench(late())
    for second in range(0, 62, 7):
        bench.now = BEGAN + timedelta(seconds=second)
        assert bench.look() == 63 - second
    assert labels.OVERDUE not in bench.run["metadata"].get("annotations", {})


@pytest.mark.parametrize("limit", [None, 1, "60", True, -(10**30), 10**30, 60.5])
def test_a_run_without_a_deadline_of_its_own_is_left_alone(limit: Any) -> None:
    bench = Bench(late(limit))
    bench.now = BEGAN + timedelta(minutes=5)
    assert bench.look() is None
