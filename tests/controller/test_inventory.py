"""Metrics of what there is: each series stands for an object, and goes with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from alula_api.argo import runs
from alula_api.contract import labels
from alula_controller import metrics
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.inventory import Inventory

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
TRAIN, NIGHTLY, DOMAIN = (
    QueueKey("dev", "train", "Workflow"),
    QueueKey("dev", "nightly", "LaunchPlan"),
    QueueKey("dev", "domain", "Domain"),
)


class Scene:
    def __init__(self) -> None:
        self.runs: list[Seen] = []
        self.due: datetime | None = None
        self.acting = True
        self.inventory = Inventory(lambda: self.runs, lambda now: self.due, lambda: self.acting, lambda: NOW)
        self.registry = CollectorRegistry()
        self.registry.register(self.inventory)

    def series(self, name: str) -> dict[str, float]:
        """The series of a metric: labels, value."""
        lines = generate_latest(self.registry).decode().splitlines()
        found = [
            line.removeprefix(name).rpartition(" ") for line in lines if line.startswith((f"{name}{{", f"{name} "))
        ]
        return {labels: float(value) for labels, _, value in found}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def body(reason: str = "Compiled", status: str = "True", **spec: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": status, "reason": reason}]
    return {"metadata": {"name": "x"}, "spec": spec, "status": {"conditions": conditions}}


def run(name: str, minutes: int, *, waits: bool, space: str = "dev") -> Seen:
    marks = {labels.REVISION: "r", runs.PHASE_LABEL: "Running"}
    if not waits:
        marks[labels.ADMITTED] = f"{name}.20261129T115000Z"
    created = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Seen(space, name, name, "1", created, marks)


def test_a_definition_has_its_conditions_until_it_goes(scene: Scene) -> None:
    scene.inventory.saw(TRAIN, body())
    said = 'kind="Workflow",name="train",namespace="dev"'
    assert scene.series("alula_reconcile_condition") == {f'{{{said},status="True",type="Ready"}}': 1.0}
    scene.inventory.saw(TRAIN, body(), body("Stalled", "False")["status"])
    assert scene.series("alula_reconcile_condition") == {f'{{{said},status="False",type="Ready"}}': 1.0}
    scene.inventory.saw(TRAIN, None)
    assert scene.series("alula_reconcile_condition") == {}


def test_a_suspended_plan_is_one_whether_git_or_a_person_suspended_it(scene: Scene) -> None:
    scene.inventory.saw(NIGHTLY, body("Suspended"))
    assert list(scene.series("alula_suspend_status").values()) == [1.0]
    scene.inventory.saw(NIGHTLY, body())
    assert list(scene.series("alula_suspend_status").values()) == [0.0]


def test_a_domain_has_its_runs_by_state_its_quota_and_the_one_that_waits_for_longest(scene: Scene) -> None:
    scene.inventory.saw(DOMAIN, body(quota={"running": 5}))
    assert scene.series("alula_domain_runs") == {
        '{namespace="dev",state="running"}': 0.0,
        '{namespace="dev",state="waiting"}': 0.0,
    }
    assert scene.series("alula_domain_oldest_waiting_seconds") == {}
    scene.runs = [run("a", 9, waits=False), run("b", 7, waits=True), run("c", 8, waits=True)]
    assert scene.series("alula_domain_runs") == {
        '{namespace="dev",state="running"}': 1.0,
        '{namespace="dev",state="waiting"}': 2.0,
    }
    assert scene.series("alula_domain_oldest_waiting_seconds") == {'{namespace="dev"}': 480.0}
    assert scene.series("alula_domain_quota_runs") == {'{namespace="dev"}': 5.0}
    scene.inventory.saw(DOMAIN, body())
    assert scene.series("alula_domain_quota_runs") == {}


def test_a_replica_that_stands_by_says_nothing_of_what_there_is(scene: Scene) -> None:
    scene.inventory.saw(TRAIN, body())
    scene.inventory.saw(DOMAIN, body(quota={"running": 5}))
    scene.runs, scene.due, scene.acting = [run("a", 9, waits=True)], NOW - timedelta(hours=1), False
    for each in metrics.STATES[:-1]:
        assert scene.series(each.name) == {}
    assert scene.series("alula_schedule_overdue_seconds") == {"": 0.0}
    scene.inventory.clear()
    scene.acting = True
    assert scene.series("alula_reconcile_condition") == {}


def test_a_schedule_that_is_due_is_late_by_that_much(scene: Scene) -> None:
    assert scene.series("alula_schedule_overdue_seconds") == {"": 0.0}
    scene.due = NOW - timedelta(seconds=90)
    assert scene.series("alula_schedule_overdue_seconds") == {"": 90.0}


def test_what_is_counted_of_a_plan_and_of_a_namespace_goes_with_them(scene: Scene) -> None:
    def counted() -> set[tuple[str, ...]]:
        return {each for each in metrics.RUNS_ENDED._metrics if each[0].startswith("gone-")}

    for space, plan in (("gone-a", "nightly"), ("gone-a", ""), ("gone-b", "nightly")):
        metrics.RUNS_ENDED.labels(namespace=space, launch_plan=plan, outcome="Succeeded").inc()
        metrics.RUN_SECONDS.labels(namespace=space).observe(1)
    scene.inventory.saw(QueueKey("gone-a", "nightly", "LaunchPlan"), None)
    assert counted() == {("gone-a", "", "Succeeded"), ("gone-b", "nightly", "Succeeded")}
    scene.inventory.saw(QueueKey("gone-a", "domain", "Domain"), None)
    assert counted() == {("gone-b", "nightly", "Succeeded")}
    assert ("gone-a",) not in metrics.RUN_SECONDS._metrics
    scene.inventory.saw(QueueKey("gone-b", "domain", "Domain"), None)
    assert counted() == set()
