"""The tasks that a run of a definition has, known before Argo knows them. Pure: a Workflow's spec in.

Called by `status` and `reporting`. Argo's nodes are named by paths, into which the compiler puts a segment for each
piece of a graph that it had to cut; the ids here are the author's, `sub.train`, as in a local run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alula_api.contract import names, retries
from alula_api.contract.graphs import plans, walks
from alula_api.contract.graphs.plans import GraphCall, TaskCall
from alula_api.contract.graphs.specs import NodeSpec, Retry, WorkflowSpec


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
        spec: Of the Workflow.
        sources: Where nodes are called, as `flows/penguins.py:44`, by graph and node, where that is known.
    """

    def __init__(self, spec: WorkflowSpec, sources: Mapping[tuple[str, str], str] = MappingProxyType({})) -> None:
        self._tasks = {task.name: task for task in spec.tasks}
        self._nodes = {graph.name: {node.id: node for node in graph.nodes} for graph in spec.graphs}
        self._sources = sources
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
            graph = node.graph if node is not None else None
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

    def _expected(self, id: str, graph: str, node: NodeSpec) -> Expected:
        task = self._tasks.get(node.target)
        chosen = (task.retries if task else None) or Retry()
        source = self._sources.get((graph, node.id), "")
        return Expected(id, node.target, source, 1 + chosen.limit, chosen.backoff or retries.DEFAULT_BACKOFF)


def _step(node: NodeSpec) -> plans.Step:
    return plans.Step(node.id, GraphCall(node.graph) if node.graph is not None else TaskCall(node.target))
