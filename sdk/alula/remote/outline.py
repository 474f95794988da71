"""The tasks that a run of a definition has, known before Argo knows them. Pure: a Workflow's spec in.

Called by `status` and `reporting`. Argo's nodes are named by paths, into which the compiler puts a segment for each
piece of a graph that it had to cut; the ids here are the author's, `sub.train`, as in a local run.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alula.progress.reports import State
from alula_api.contract import lists, names, retries
from alula_api.contract.graphs import calls, outlines, plans, rounds, walks
from alula_api.contract.graphs.calls import TaskCall
from alula_api.contract.graphs.specs import NodeSpec, Retry, WorkflowSpec

_ITEM = re.compile(rf"{names.ITEM}\((?P<index>\d+):\d+\)")


_INDEX = re.compile(r"\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Expected:
    """One task of a run.

    Attributes:
        id: The path of node ids, as in a local run.
        task: The task's name in the Workflow.
        source: Where the node is called, as `flows/penguins.py:44`.
        attempts: How often its code may fail.
        all_attempts: How often it may begin, with losses of pods and stores.
        backoff: Between attempts.
        keeps: Whether its results stay in the cache.
    """

    id: str
    task: str
    source: str = ""
    attempts: int = 1
    all_attempts: int = 1
    backoff: retries.Backoff = retries.DEFAULT_BACKOFF
    keeps: bool = False


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
        self._items: dict[str, Expected] = {}
        self._others: dict[str, Expected] = {}
        self._tolerant: set[str] = set()
        self._batches: dict[str, int] = {}
        self._places: list[str] = []
        self.maps: dict[str, tuple[str, ...]] = {}
        """What each map goes over; inside a map by the id `each(i).inner`."""
        self.repeats: set[str] = set()
        """The repeats; inside a map by the id `each(i).improve`."""
        self.tasks = {expected.id: expected for expected in self._walk()}
        self._order = outlines.Order(self._places)

    def expected(self, id: str) -> Expected | None:
        """What is known of a task, or of the item of a map, `score(3)`."""
        return self.tasks.get(id) or self._items.get(outlines.general(id))

    def other(self, id: str) -> Expected | None:
        """What is known of what is no task: a map, branch, repeat or sub-workflow, which are nodes where they fail."""
        return self._others.get(outlines.general(id))

    def is_round(self, id: str) -> bool:
        """Whether it is a round of a repeat, rather than a task within one."""
        found = outlines.general(id)
        return found.endswith(f".{rounds.ANY}") and found.removesuffix(f".{rounds.ANY}") in self.repeats

    def over(self, id: str) -> tuple[str, ...]:
        """What a map goes over; empty for everything else."""
        return self.maps.get(outlines.general(id), ())

    def tolerates(self, id: str) -> bool:
        """Whether a failure of this task is one of an item that may fail, or of what lies in one."""
        if not self._tolerant:
            return False
        general = outlines.general(id)
        return any(general.startswith(f"{each}{walks.ITEM}") for each in self._tolerant)

    def items_of(self, id: str, total: int) -> tuple[int | None, int]:
        """The index of the first item of a map with `total` that a node stands for, and how many it does.

        Of a map in batches those of a batch. Of all other nodes None, as the id has it, and 1.
        """
        general = outlines.general(id)
        batch = self._batches.get(general.removesuffix(walks.ITEM))
        if batch is None or not general.endswith(walks.ITEM):
            return None, 1
        size = lists.batch_size(batch, total)
        first = size * int(_INDEX.findall(id)[-1])
        return first, max(1, min(size, total - first))

    def idle(self, begun: Iterable[str], away: Collection[str]) -> dict[str, State]:
        """The maps and repeats, outside of others, that never began, and why.

        Args:
            begun: Tasks and maps that did.
            away: The nodes and branches that were not taken.
        """
        known = {outlines.home(each) for each in begun}
        own = [id for id in self._places if id in self.maps or id in self.repeats]
        return {
            id: "not taken" if any(f"{id}.".startswith(f"{each}.") for each in away) else "skipped"
            for id in own
            if id == outlines.home(id) and id not in known
        }

    def place(self, id: str) -> tuple[tuple[int, int], ...]:
        """Where a task stands among all, as in a local run; what is not known here stands first."""
        return self._order.of(id)

    def id(self, path: str) -> str:
        """The author's id of the node that Argo calls so, below the run's name: `main-2.train` is `train`."""
        if path not in self._known:
            self._known[path] = self._author(path)
        return self._known[path]

    def _author(self, path: str) -> str:
        kept: list[str] = []
        graph: str | None = names.MAIN
        branches: dict[str, str] = {}
        is_map = is_tried = is_repeat = False
        for segment in path.split("."):
            if segment in branches:
                kept.append(segment)
                graph, branches = branches[segment], {}
                continue
            if is_map:
                is_map = False
                item = _ITEM.fullmatch(segment)
                kept[-1] += f"({item['index']})" if item else ""
                continue
            if is_repeat:  # a round, which runs the graph of its repeat
                is_repeat = False
                kept.append(segment)
                continue
            if is_tried and segment == names.ATTEMPT:
                is_tried = False
                continue
            node = self._nodes.get(graph or "", {}).get(segment)
            if node is None and graph is not None:
                continue  # a piece of this graph
            kept.append(segment)
            call = node.call if node is not None else None
            branches = calls.branches(call) if call is not None else {}
            is_map = call is not None and bool(calls.over(call))
            is_tried = call is not None and calls.is_tolerant(call)
            graph = next(iter(calls.graphs(call)), None) if call is not None else None
            is_repeat = call is not None and bool(calls.fed(call))
        return ".".join(kept) or path

    def inside(self, id: str) -> list[str]:
        """The tasks that lie in a graph or branch, but those of maps and repeats inside it."""
        general = f"{outlines.general(id)}."
        below = [each.removeprefix(general) for each in (*self.tasks, *self._items) if each.startswith(general)]
        return [f"{id}.{path}" for path in below if walks.ITEM not in path]

    def _walk(self) -> Iterator[Expected]:
        """Every task that a run may reach; of more than a run can have only the first."""
        graphs = {name: plans.Graph((), tuple(map(_step, nodes.values()))) for name, nodes in self._nodes.items()}
        called = {name for graph in graphs.values() for step in graph.steps for name in calls.graphs(step.call)}
        missing = {name: plans.Graph((), ()) for name in (names.MAIN, *called)}
        with contextlib.suppress(walks.TooLarge):
            for place in outlines.outline(plans.Plan({**missing, **graphs})):
                call = place.step.call
                self._places.append(place.path)
                if not isinstance(call, TaskCall):
                    source = self._sources.get((place.graph, place.step.name), "")
                    self._others[place.path] = Expected(place.path, "", source)
                if calls.over(call):
                    self.maps[place.path] = calls.over(call)
                    if calls.is_tolerant(call):
                        self._tolerant.add(place.path)
                    if (batch := calls.batch(call)) is not None:
                        self._batches[place.path] = batch
                    for task in calls.tasks(call):
                        id = f"{place.path}{walks.ITEM}"
                        self._items[id] = self._expected(id, place.graph, place.step.name, task)
                elif calls.fed(call):
                    self.repeats.add(place.path)
                    for task in calls.tasks(call):
                        id = f"{place.path}.{rounds.ANY}"
                        self._items[id] = self._expected(id, place.graph, place.step.name, task)
                elif isinstance(call, TaskCall):
                    found = self._expected(place.path, place.graph, place.step.name, call.task)
                    if walks.ITEM in place.path:
                        self._items[found.id] = found
                    else:
                        yield found

    def _expected(self, id: str, graph: str, node: str, task: str) -> Expected:
        known = self._tasks.get(task)
        chosen = (known.retries if known else None) or Retry()
        source = self._sources.get((graph, node), "")
        keeps = known is not None and known.cache is not None
        most = 1 + (known.budget.limit if known else 0)
        return Expected(id, task, source, 1 + chosen.limit, most, chosen.backoff or retries.DEFAULT_BACKOFF, keeps)


def _step(node: NodeSpec) -> plans.Step:
    return plans.Step(node.id, node.call)
