"""What changed in the tasks and graphs of a workflow, and which of its tasks will run again. Pure.

Which tasks run again is told from what a cache key is made of: the task's name in keys, version, interface and
environment, and where its inputs come from. A task that reads another one's new output runs again if that output
differs; whether it does, only the run knows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alula.gitops.changes import Change, arrow, leaves
from alula.remote import comparing
from alula_api.contract import names
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import Constant, FromInput
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, TaskSpec, WorkflowSpec

CODE = "code:"
"""How a cache version begins that is the digest of the task's code."""

_TOLD = frozenset(
    {
        "name", "entrypoint", "key", "kind", "description", "inputs", "outputs", "cache", "resources", "retries", "env",
        "secrets",
    }
)  # fmt: skip
"""What of a task is told in words of its own; every other option is told by its name."""


@dataclass(frozen=True)
class Reruns:
    """Tasks that are looked up in the cache, by what will become of them.

    Attributes:
        again: Those that certainly run again, each with the reason.
        perhaps: Those that run again if what they read comes out otherwise than before.
        cached: Those that stay cached.
    """

    again: Mapping[str, str] = dataclasses.field(default_factory=dict)
    perhaps: tuple[str, ...] = ()
    cached: tuple[str, ...] = ()


def compare(subject: str, before: WorkflowSpec, after: WorkflowSpec) -> Iterator[Change]:
    """The changes of tasks and graphs."""
    old, new = ({task.name: task for task in each.tasks} for each in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield Change(subject, f"task {name}", "removed")
        elif name not in old:
            yield Change(subject, f"task {name}", f"added, {new[name].entrypoint}")
        else:
            yield from (Change(subject, f"task {name}", text) for text in _task(old[name], new[name]))
    yield from _graphs(subject, before, after)


def _task(old: TaskSpec, new: TaskSpec) -> Iterator[str]:
    if (old.entrypoint, old.key, old.kind) != (new.entrypoint, new.key, new.kind):
        yield f"entrypoint {arrow(old.entrypoint, new.entrypoint)}"
    versions = [each.cache.version if each.cache else None for each in (old, new)]
    if versions[0] != versions[1]:
        both = all(each is not None and each.startswith(CODE) for each in versions)
        yield "code changed" if both else f"cache {arrow(*versions)}"
    if old.interface != new.interface:
        yield "inputs or outputs changed"
    for name in sorted(field.name for field in dataclasses.fields(old) if field.name not in _TOLD):
        one, other = (_plain(getattr(each, name)) for each in (old, new))
        yield from (" ".join(filter(None, (name, path, arrow(*values)))) for path, *values in leaves(one, other))
    for (word, one), (_, other) in zip(_settings(old), _settings(new), strict=True):
        yield from (f"{word} {path} {arrow(*values)}" for path, *values in leaves(one, other))


def _plain(value: object) -> object:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def _settings(task: TaskSpec) -> list[tuple[str, dict[str, Any]]]:
    """What is shown field by field."""
    return [
        ("resources", dataclasses.asdict(task.resources) if task.resources else {}),
        ("retries", dataclasses.asdict(task.retries) if task.retries else {}),
        ("env", {each.name: each.value for each in task.env}),
        ("secret", {each.name: f"{each.secret}/{each.key}" for each in task.secrets}),
    ]


def _graphs(subject: str, before: WorkflowSpec, after: WorkflowSpec) -> Iterator[Change]:
    old, new = ({graph.name: graph for graph in each.graphs} for each in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        part = "graph" if name == names.MAIN else f"graph {name}"
        if name not in new or name not in old:
            yield Change(subject, part, "removed" if name not in new else "added")
            continue
        nodes = [{node.id: node for node in graph.nodes} for graph in (old[name], new[name])]
        added = [each for each in nodes[1] if each not in nodes[0]]
        removed = [each for each in nodes[0] if each not in nodes[1]]
        rewired = [each for each in nodes[0] if each in nodes[1] and not _same(nodes[0][each], nodes[1][each])]
        for word, listed in (("added", added), ("removed", removed), ("other inputs or order of", rewired)):
            if listed:
                yield Change(subject, part, f"{word} {_listed(listed)}")
        owners = (before, after) if name == names.MAIN else (old[name], new[name])
        one, other = (comparing.outputs(each) for each in owners)
        moved = [each for each in one if each in other and one[each]["from"] != other[each]["from"]]
        yield from (Change(subject, f"output {each}", "comes from elsewhere") for each in moved)


def _same(old: NodeSpec, new: NodeSpec) -> bool:
    return comparing.node(old) == comparing.node(new)


def _listed(nodes: Sequence[str], most: int = 6) -> str:
    more = f" and {len(nodes) - most} more" if len(nodes) > most else ""
    return f"{'node' if len(nodes) == 1 else 'nodes'} {', '.join(nodes[:most])}{more}"


def reruns(before: WorkflowSpec, after: WorkflowSpec) -> Reruns:
    """What becomes of the tasks that have a cache, when a run with the same inputs follows one from before."""
    return _Reruns(before, after).found()


class _Reruns:
    def __init__(self, before: WorkflowSpec, after: WorkflowSpec) -> None:
        self.old = {task.name: task for task in before.tasks}
        self.tasks = {task.name: task for task in after.tasks}
        self.graphs = [{graph.name: graph for graph in each.graphs} for each in (before, after)]
        self.defaults = {name for name, was in _defaults(before).items() if _defaults(after).get(name) != was}
        self.why: dict[str, str] = {}
        self.perhaps: dict[str, None] = {}
        self.touched: set[str] = set()
        """Graphs in which something may be given something else than before."""

    def found(self) -> Reruns:
        for name, task in self.tasks.items():
            if reason := self._identity(name, task):
                self.why[name] = reason
        known = -1
        while len(self.touched) != known:  # a graph that another one calls may come after it
            known = len(self.touched)
            self.touched |= {name for name, graph in self.graphs[1].items() if self._graph(graph)}
        looked_up = [name for name, task in self.tasks.items() if task.cache is not None]
        again = {name: self.why[name] for name in looked_up if name in self.why}
        perhaps = tuple(name for name in looked_up if name in self.perhaps and name not in again)
        return Reruns(again, perhaps, tuple(name for name in looked_up if name not in again and name not in perhaps))

    def _identity(self, name: str, task: TaskSpec) -> str:
        """Why a task has another key whatever it is given; empty when it has not."""
        old = self.old.get(name)
        if old is None:
            return "new"
        if (old.key or old.entrypoint, old.entrypoint) != (task.key or task.entrypoint, task.entrypoint):
            return "another function"
        if old.cache != task.cache and task.cache is not None:
            return "code" if task.cache.version.startswith(CODE) else "version"
        if old.interface != task.interface:
            return "inputs or outputs"
        return "environment" if old.environment != task.environment else ""

    def _graph(self, graph: GraphSpec) -> bool:
        """Follow what changed through one graph; whether anything in it is touched."""
        was = self.graphs[0].get(graph.name)
        nodes = {node.id: node for node in was.nodes} if was is not None else {}
        dirty: set[str] = set()
        for node in _ordered(graph):
            old = nodes.get(node.id)
            given = old is None or self._is_given_anew(old, node, graph)
            reads = any(each in dirty for each in node.depends())
            inside = not self.touched.isdisjoint(calls.graphs(node.call)) or any(
                each in self.why for each in calls.tasks(node.call)
            )
            if given or reads:
                self._touch(node)
            if given or reads or inside:
                dirty.add(node.id)
        return bool(dirty)

    def _is_given_anew(self, old: NodeSpec, node: NodeSpec, graph: GraphSpec) -> bool:
        """Whether its inputs come from elsewhere; a task that is given another constant has another key for certain."""
        one, other = (comparing.node(each)["inputs"] for each in (old, node))
        for name, binding in other.items():
            constants = isinstance(binding, Constant) and isinstance(one.get(name), Constant)
            if constants and binding != one[name]:
                for task in calls.tasks(node.call):
                    self.why.setdefault(task, f"input {name}")
        inputs = {leaf.input for leaf in node.reads() if isinstance(leaf, FromInput)}
        return one != other or old.call != node.call or (graph.is_main and not self.defaults.isdisjoint(inputs))

    def _touch(self, node: NodeSpec) -> None:
        """A node may be given something else than before, and all tasks of the graph that it calls."""
        stack, seen = [node], set()
        while stack:
            each = stack.pop()
            self.perhaps |= dict.fromkeys(calls.tasks(each.call))
            for name in calls.graphs(each.call):
                if name in self.graphs[1] and name not in seen:
                    seen.add(name)
                    stack += self.graphs[1][name].nodes


def _ordered(graph: GraphSpec) -> list[NodeSpec]:
    """The nodes, each after those that it depends on."""
    nodes = {node.id: node for node in graph.nodes}
    waiting = {node.id: {each for each in node.depends() if each in nodes} for node in graph.nodes}
    order: list[NodeSpec] = []
    following: dict[str, list[str]] = {}
    for name, needs in waiting.items():
        for each in needs:
            following.setdefault(each, []).append(name)
    ready = [name for name, needs in waiting.items() if not needs]
    while ready:
        name = ready.pop()
        order.append(nodes[name])
        for each in following.get(name, ()):
            waiting[each].discard(name)
            if not waiting[each]:
                ready.append(each)
    return order


def _defaults(spec: WorkflowSpec) -> dict[str, str | None]:
    return {port.name: port.default for port in spec.inputs}
