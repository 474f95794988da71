"""What a launch plan's status says of its runs: the latest, the last success, and the failure that lasts."""

from __future__ import annotations

from typing import Any

from alula_api.kinds.resources import MOST_RUNS
from alula_controller.runs import latest


class Told:
    """A plan whose status is written after each of its runs."""

    def __init__(self) -> None:
        self.plan: dict[str, Any] = {"status": {}}
        self.number = 0

    def ends(self, phase: str, outcome: str = "") -> None:
        self.number += 1
        created = f"2026-11-29T{self.number:02}:00:00Z"
        marks = {"workflows.argoproj.io/phase": phase} | ({"alula.dev/outcome": outcome} if outcome else {})
        name = f"run-{self.number}"
        run = {"metadata": {"name": name, "creationTimestamp": created, "labels": marks}}
        patch = latest.latest(self.plan, {name: run})
        kept = {**self.plan["status"], **patch}
        self.plan = {"status": {field: value for field, value in kept.items() if value is not None}}

    @property
    def failure(self) -> tuple[str, str] | None:
        found = self.plan["status"].get("currentFailure")
        return (found["name"], found["since"]) if found else None


def test_a_failure_lasts_from_the_first_run_that_failed_until_one_succeeds() -> None:
    told = Told()
    told.ends("Succeeded")
    assert told.failure is None
    told.ends("Failed")
    told.ends("Error")
    assert told.failure == ("run-3", "2026-11-29T02:00:00Z")
    told.ends("Running")
    assert told.failure == ("run-3", "2026-11-29T02:00:00Z")
    told.ends("Succeeded")
    assert told.failure is None
    told.ends("Failed")
    assert told.failure == ("run-6", "2026-11-29T06:00:00Z")


def test_it_is_known_since_when_a_plan_fails_after_the_first_of_them_has_left_the_list() -> None:
    told = Told()
    for _ in range(MOST_RUNS + 5):
        told.ends("Failed")
    assert told.failure == (f"run-{MOST_RUNS + 5}", "2026-11-29T01:00:00Z")
    assert len(told.plan["status"]["runs"]) == MOST_RUNS


def test_runs_that_the_policy_of_the_plan_ended_are_no_failure() -> None:
    told = Told()
    told.ends("Succeeded")
    told.ends("Failed", "skipped")
    assert told.failure is None
    assert told.plan["status"]["runs"][0]["outcome"] == "skipped"
    told.ends("Failed")
    told.ends("Failed", "replaced")
    assert told.failure == ("run-3", "2026-11-29T03:00:00Z")
