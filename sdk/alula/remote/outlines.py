"""The tasks that a run of a definition has, known before Argo knows them. Pure: a Workflow resource's spec in.

Called by `following` and `reporting`. Argo's nodes are named by paths, into which the compiler puts a segment for each
piece of a graph that it had to cut; the ids here are the author's, `sub.train`, as in a local run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.contract import retries

MAIN = "main"
MOST = 20_000
"""More tasks than a run can have: beyond them a definition is only listed in part."""


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
        self._graphs = {
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
        graph: str | None = MAIN
        for segment in path.split("."):
            node = self._graphs.get(graph or "", {}).get(segment)
            if node is None and graph is not None:
                continue  # a piece of this graph
            kept.append(segment)
            graph = str(node["graph"]) if node is not None and node.get("graph") else None
        return ".".join(kept) or path

    def _walk(self) -> Iterator[Expected]:
        """In the order of the author's calls, whatever the depth."""
        stack = [("", MAIN, iter(self._graphs.get(MAIN, {}).values()))]
        listed = 0
        while stack and listed < MOST:
            prefix, graph, nodes = stack[-1]
            node = next(nodes, None)
            if node is None:
                stack.pop()
            elif node.get("graph"):
                inner = str(node["graph"])
                stack.append((f"{prefix}{node['id']}.", inner, iter(self._graphs.get(inner, {}).values())))
            else:
                listed += 1
                yield self._expected(f"{prefix}{node['id']}", graph, node)

    def _expected(self, id: str, graph: str, node: Mapping[str, Any]) -> Expected:
        task = self._tasks.get(str(node.get("task")), {})
        chosen = task.get("retries") or {}
        file, _, line = self._places[graph].rpartition(":")
        source = f"{file}:{node.get('line') or line}" if file else ""
        attempts = 1 + int(chosen.get("limit") or 0)
        backoff = retries.Backoff(**chosen["backoff"]) if chosen.get("backoff") else retries.DEFAULT_BACKOFF
        return Expected(id, str(node.get("task") or ""), source, attempts, backoff)
