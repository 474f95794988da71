"""The tasks that a run of a definition has, known before Argo knows them. Pure: a Workflow resource's spec in.

Called by `status` and `reporting`. Argo's nodes are named by paths, into which the compiler puts a segment for each
piece of a graph that it had to cut; the ids here are the author's, `sub.train`, as in a local run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.contract import names, retries
from alula_api.contract.graphs import plans, walks
from alula_api.contract.graphs.plans import GraphCall, TaskCall


@dataclass(frozen=True, slots=True)
class Expected:
    """One task of a run.

    Attributes:
        id: The path of node ids, as in a local run.
        task: The task's name in the Workflow.
        source: Where the node is called, as `flows/penguins.py:44`.
        attempts: How often its code may fail.
        backoff: Between attempts.
    """

    id: str
    task: str
    source: str = ""
    attempts: int = 1
    backoff: retries.Backoff = retries.DEFAULT_BACKOFF


class Outline:
    """All tasks of a definition's runs.

    Args:
        spec: Of a Workflow resource, as the API server returns it.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._tasks = {str(task["name"]): task for task in spec.get("tasks") or ()}
        self._nodes = {
            str(graph["name"]): {str(node["id"]): node for node in graph.get("nodes") or ()}
            for graph in spec.get("graphs") or ()
        }
        self._places = {str(graph["name"]): str(graph.get("source") or "") for graph in spec.get("graphs") or ()}
        self._known: dict[str, str] = {}
        self.tasks = {expected.id: expected for expected in self._walk()}

    def id(self, path: str) -> str:
        """The author's id of the node that Argo calls so, below the run's name: `main-2.train` is `train`."""
        if path not in self._known:
            self._known[path] = self._author(path)
        return self._known[path]

    def _author(self, path: str) -> str:
        kept: list[str] = []
        graph: str | None = names.MAIN
        for segment in path.split("."):
            node = self._nodes.get(graph or "", {}).get(segment)
            if node is None and graph is not None:
                continue  # a piece of this graph
            kept.append(segment)
            graph = str(node["graph"]) if node is not None and node.get("graph") else None
        return ".".join(kept) or path

    def _walk(self) -> Iterator[Expected]:
        """Every task that a run may reach; of more than a run can have only the first."""
        graphs = {name: plans.Graph((), tuple(map(_step, nodes.values()))) for name, nodes in self._nodes.items()}
        called = {name for graph in graphs.values() for step in graph.steps for name in plans.called_graphs(step.call)}
        missing = {name: plans.Graph((), ()) for name in (names.MAIN, *called)}
        with contextlib.suppress(walks.TooLarge):
            for place in walks.outline(plans.Plan({**missing, **graphs})):
                if isinstance(place.step.call, TaskCall):
                    yield self._expected(place.path, place.graph, self._nodes[place.graph][place.step.name])

    def _expected(self, id: str, graph: str, node: Mapping[str, Any]) -> Expected:
        task = self._tasks.get(str(node.get("task")), {})
        chosen = task.get("retries") or {}
        file, _, line = self._places[graph].rpartition(":")
        source = f"{file}:{node.get('line') or line}" if file else ""
        attempts = 1 + int(chosen.get("limit") or 0)
        backoff = retries.Backoff(**chosen["backoff"]) if chosen.get("backoff") else retries.DEFAULT_BACKOFF
        return Expected(id, str(node.get("task") or ""), source, attempts, backoff)


def _step(node: Mapping[str, Any]) -> plans.Step:
    call: plans.Call = GraphCall(str(node["graph"])) if node.get("graph") else TaskCall(str(node.get("task") or ""))
    return plans.Step(str(node["id"]), call)
