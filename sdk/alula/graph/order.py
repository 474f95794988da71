"""Nodes in an order in which they could run: that of the calls, unless `a >> b` turns it around or closes a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula_api.contract.codes import Code
from alula_api.contract.graphs import bindings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alula.graph.nodes import Draft
    from alula.graph.trace import Trace


def sort(trace: Trace, by_id: Mapping[str, Draft]) -> list[Draft] | None:
    """The nodes in the order of their calls, or else the nearest order that respects `>>`; None for a circle."""
    drafts = list(by_id.values())
    after = {node: names for node, names in trace.after.items() if node in by_id}
    if all(by_id[name].index < by_id[node].index for node, names in after.items() for name in names):
        return drafts
    import heapq

    # What a branch reads of what is made around it is no node of it.
    read = [(name for name in _read(draft) if name in by_id) for draft in drafts]
    waits = [
        {by_id[name].index for name in (*after.get(draft.id, ()), *names)}
        for draft, names in zip(drafts, read, strict=True)
    ]
    followers: list[list[int]] = [[] for _ in drafts]
    for index, others in enumerate(waits):
        for other in others:
            followers[other].append(index)
    ready = [index for index, others in enumerate(waits) if not others]
    result = []
    while ready:
        index = heapq.heappop(ready)
        result.append(drafts[index])
        for follower in followers[index]:
            waits[follower].discard(index)
            if not waits[follower]:
                heapq.heappush(ready, follower)
    if len(result) == len(drafts):
        return result
    _report_circle(trace, drafts, waits)
    return None


def _read(draft: Draft) -> list[str]:
    """The nodes whose outputs a node reads."""
    return [node for binding in draft.bindings.values() for node in bindings.nodes(binding)]


def _report_circle(trace: Trace, drafts: list[Draft], waits: list[set[int]]) -> None:
    """Walk from one stuck node to a node that it waits for, until one comes again: that is a circle."""
    index = next(index for index, others in enumerate(waits) if others)
    seen: dict[int, int] = {}
    path: list[int] = []
    while index not in seen:
        seen[index] = len(path)
        path.append(index)
        index = min(waits[index])
    steps = path[seen[index] :][::-1]
    start = steps.index(min(steps))
    circle = [drafts[step] for step in steps[start:] + steps[:start]]
    names = " >> ".join([*(draft.id for draft in circle), circle[0].id])
    hint = "take out one of the `>>`"
    trace.problem(Code.CYCLE, f"the nodes wait for each other: {names}", trace.place(circle[0].place), hint=hint)
