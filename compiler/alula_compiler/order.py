"""The order of a graph's nodes: linear in nodes and edges, without recursion along a chain."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from alula_api.contract.graphs.specs import NodeSpec


def dependencies(nodes: Sequence[NodeSpec]) -> dict[str, tuple[str, ...]]:
    """Return, for each node, the nodes of the same graph that must have succeeded before it."""
    ids = {node.id for node in nodes}
    return {node.id: tuple(name for name in node.depends() if name in ids) for node in nodes}


def dependents(before: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the same edges the other way round."""
    after: dict[str, list[str]] = {name: [] for name in before}
    for name, sources in before.items():
        for source in sources:
            after[source].append(name)
    return after


def ordered(nodes: Sequence[NodeSpec]) -> tuple[NodeSpec, ...]:
    """Return the nodes with each after those it depends on, else as they were written.

    Nodes on a cycle, and behind one, are left out: compare the lengths.
    """
    before = dependencies(nodes)
    after = dependents(before)
    position = {node.id: index for index, node in enumerate(nodes)}
    missing = {name: len(sources) for name, sources in before.items()}
    ready = [position[name] for name, count in missing.items() if count == 0]
    heapq.heapify(ready)
    found = []
    while ready:
        node = nodes[heapq.heappop(ready)]
        found.append(node)
        for name in after[node.id]:
            missing[name] -= 1
            if missing[name] == 0:
                heapq.heappush(ready, position[name])
    return tuple(found)


def cycle(before: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names along one circle, the first again at the end; empty when there is none."""
    done: set[str] = set()
    for start in before:
        on_path: dict[str, None] = {}
        stack = [(start, iter(before[start]))] if start not in done else []
        if stack:
            on_path[start] = None
        while stack:
            name, rest = stack[-1]
            following = next((source for source in rest if source not in done), None)
            if following is None:
                done.add(name)
                del on_path[name]
                stack.pop()
            elif following in on_path:
                path = list(on_path)
                return [*path[path.index(following) :], following]
            else:
                on_path[following] = None
                stack.append((following, iter(before[following])))
    return []


def levels(before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the length of the longest way to each node; the nodes must be in order."""
    depth: dict[str, int] = {}
    for name, sources in before.items():
        depth[name] = 1 + max([depth[source] for source in sources], default=-1)
    return depth
