"""What is no mistake and yet not what an author may think, said beside what was compiled."""

from __future__ import annotations

from typing import Any

import alula_compiler
from tests.compiler import compiled

TASKS = [
    compiled.task("plain", {}, {"o0": compiled.TEXT}),
    compiled.task("moved", {}, {"o0": compiled.TEXT}, interruptible=True),
    compiled.task("once", {}, {"o0": compiled.TEXT}, interruptible=True, retries={"limit": 2, "system": 0}),
]
NODES = [{"id": task["name"], "task": task["name"]} for task in TASKS]
WORKFLOW = compiled.workflow(tasks=TASKS, graphs=[{"name": "main", "nodes": NODES}])


def notes(spec: dict[str, Any] | None) -> tuple[str, ...]:
    domain = {"apiVersion": "alula.dev/v1alpha1", "kind": "Domain", "metadata": {"name": "domain"}, "spec": spec}
    made = alula_compiler.compile(WORKFLOW, domain=None if spec is None else domain)
    assert made.ok, made.diagnostics
    return made.notes


def test_interruptible_tasks_of_a_domain_that_names_no_nodes_for_them_are_named() -> None:
    assert notes({}) == ("the Domain names no nodes for interruptible tasks, so these run as all others: moved, once",)
    assert notes(None) == ()


def test_a_task_whose_first_attempt_is_its_last_is_never_interrupted() -> None:
    (found,) = notes({"interruptible": {"nodeSelector": {"spot": "true"}}})
    assert found.startswith("the task once is interruptible, and its first attempt is its last one")
