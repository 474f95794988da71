"""The latest runs in the status of a Workflow, against an API server in a dictionary."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alula_api import kinds
from alula_api.argo.runs import COMPLETED_LABEL, PHASE_LABEL
from alula_api.contract import labels
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.runs.histories import KIND, Histories
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster, Killed

KEY = QueueKey(scenes.SPACE, "sums", KIND)


class Bench:
    def __init__(self) -> None:
        self.api = FakeCluster()
        self.api.put(scenes.workflow("sums"))
        self.histories = Histories(Access(self.api, lambda said: None))  # type: ignore[arg-type]

    def run(self, number: int, phase: str, **marks: str) -> bool:
        """A run that is now in a phase; whether that is news."""
        over = {COMPLETED_LABEL: "true"} if phase in ("Succeeded", "Failed", "Error") else {}
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {
                "name": f"r{number}",
                "namespace": scenes.SPACE,
                "uid": f"uid-{number}",
                "creationTimestamp": f"2026-11-29T12:{number:02d}:00Z",
                "labels": {labels.WORKFLOW: "sums", PHASE_LABEL: phase, **over, **marks},
            },
        }
        return self.histories.note(KEY, Seen.of(self.api.put(body)), bool(over))

    def look(self) -> dict[str, Any]:
        asyncio.run(self.histories.handle(KEY))
        found = next(body for (*_, plural, _, name), body in self.api.objects.items() if name == "sums")
        model, problems = kinds.read(kinds.KINDS["Workflow"], found)
        assert model is not None, problems
        return dict(found.get("status") or {})


def test_a_workflow_tells_its_latest_runs_last_success_and_current_failure() -> None:
    bench = Bench()
    for number, phase in enumerate(["Succeeded", "Failed", "Error", "Running"]):
        assert bench.run(number, phase)
    status = bench.look()
    assert [(each["name"], each["phase"]) for each in status["runs"]] == [
        ("r3", "Running"), ("r2", "Error"), ("r1", "Failed"), ("r0", "Succeeded"),
    ]  # fmt: skip
    assert status["lastSuccess"]["name"] == "r0"
    assert status["currentFailure"] == {"name": "r2", "phase": "Error", "since": "2026-11-29T12:01:00Z"}
    bench.run(3, "Succeeded")
    assert "currentFailure" not in {key for key, value in bench.look().items() if value}


def test_runs_that_a_policy_or_a_condition_ended_are_no_failure() -> None:
    bench = Bench()
    bench.run(0, "Failed", **{labels.OUTCOME: "skipped"})
    assert "currentFailure" not in bench.look()


def test_it_is_bounded_and_nothing_is_written_at_rest() -> None:
    bench = Bench()
    for number in range(40):
        bench.run(number, "Succeeded")
    assert len(bench.look()["runs"]) == 10
    writes = len(bench.api.writes)
    bench.run(39, "Succeeded")
    bench.look()
    assert len(bench.api.writes) == writes


@pytest.mark.parametrize("after", [False, True])
def test_a_controller_that_is_killed_at_the_write_loses_nothing(after: bool) -> None:
    bench = Bench()
    bench.run(0, "Failed")
    bench.api.die_at(1, after=after)
    with pytest.raises(Killed):
        bench.look()
    bench.api.live()
    assert bench.look()["currentFailure"]["name"] == "r0"
