"""Where a run began to fail: the first node that failed for good, and that nothing in its graph is prepared for.

Argo goes on with whatever does not depend on it; what our failure policies do, the controller decides by this. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alula_api.argo.nodes import Node, Nodes

LATE: Final = "exceeded its deadline"
"""How ends what Argo says of a run and of its nodes at the deadline of the run."""
_FAILED: Final = ("Failed", "Error")
_PREPARED: Final = r"(?:Failed|Errored|AllFailed|AnySucceeded)\b"
"""What a task that is prepared for another's failure waits for."""
_EXIT = re.compile(r"^main: Error \(exit code [0-9]+\)(?:: )?")
_ITEM = re.compile(r"\([0-9]+:.*\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Failing:
    """The failure with which a run began to fail.

    Attributes:
        path: Of the node below the run's name: `train`, `score(3:3)`.
        node: Its id.
        message: What it says; of a task that was tried several times, what its last attempt says.
        at: When it failed, as Argo writes times.
    """

    path: str
    node: str
    message: str
    at: str = ""

    @property
    def text(self) -> str:
        """For the message of the run."""
        return f"{self.path} failed: {self.message}" if self.message else f"{self.path} failed"


def first(run: Mapping[str, Any], found: Nodes) -> Failing | None:
    """The first node that failed for good; None while nothing has that matters to the run.

    Args:
        run: As read.
        found: Its nodes.
    """
    name = str(run["metadata"]["name"])
    attempts = {child for node in found.values() if node.get("type") == "Retry" for child in node.get("children") or ()}
    tasks = _tasks(run)
    failed = [
        node
        for key, node in found.items()
        if key != name
        and node.get("phase") in _FAILED
        and key not in attempts
        and node.get("type") != "TaskGroup"
        and not _expected(node, found, tasks)
    ]
    if not failed:
        return None
    node = min(failed, key=_when)
    path = str(node.get("name") or "").removeprefix(f"{name}.")
    return Failing(path, str(node.get("id")), _said(node, found), str(node.get("finishedAt") or ""))


def _when(node: Node) -> tuple[str, int, str]:
    """Earlier ones first, and of those that ended together what lies inside the others."""
    name = str(node.get("name") or "")
    return str(node.get("finishedAt") or ""), -name.count("."), name


def _said(node: Node, found: Nodes) -> str:
    """What a task's process left as its message, without what Argo puts before it."""
    return _EXIT.sub("", _message(node, found))


def _message(node: Node, found: Nodes) -> str:
    children = [found[each] for each in node.get("children") or () if each in found]
    if node.get("type") == "Retry" and children:
        last = max(children, key=lambda each: (str(each.get("startedAt") or ""), str(each.get("name") or "")))
        return str(last.get("message") or node.get("message") or "")
    return str(node.get("message") or "")


def _expected(node: Node, found: Nodes, tasks: Mapping[str, list[Mapping[str, Any]]]) -> bool:
    """Whether the graph around a node, or around one of those that it lies in, goes on when it has failed."""
    at: Node | None = node
    seen: set[str] = set()
    while at is not None and str(at.get("id")) not in seen:
        seen.add(str(at.get("id")))
        around = found.get(str(at.get("boundaryID") or ""))
        if around is None:
            return False
        task = _ITEM.sub("", str(at.get("displayName") or ""))
        waits = re.compile(rf"(?<![-\w]){re.escape(task)}\.{_PREPARED}")
        if any(waits.search(str(each.get("depends") or "")) for each in tasks.get(str(around.get("templateName")), ())):
            return True
        at = around
    return False


def _tasks(run: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The tasks of each DAG of the run's spec, by the name of its template."""
    spec = (run.get("status") or {}).get("storedWorkflowTemplateSpec") or {}
    listed = spec.get("templates") or ()
    dags = {str(each.get("name")): each.get("dag") for each in listed if isinstance(each, Mapping)}
    return {
        name: [task for task in dag.get("tasks") or () if isinstance(task, Mapping)]
        for name, dag in dags.items()
        if isinstance(dag, Mapping)
    }


def running(found: Nodes) -> bool:
    """Whether a pod is at work; one that waits to be started is not."""
    return any(node.get("type") == "Pod" and node.get("phase") == "Running" for node in found.values())
