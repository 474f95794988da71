"""Nodes in an order in which they could run: that of the calls, unless `a >> b` turns it around or closes a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula.graph import bindings
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.graph.tracer import Draft, Tracer


def sort(tracer: Tracer) -> list[Draft] | None:
    """The nodes in the order of their calls, or else the nearest order that respects `>>`; None for a circle."""
    drafts, by_id = tracer.drafts, tracer.by_id
    if all(by_id[name].index < draft.index for draft in drafts for name in draft.after):
        return drafts
    import heapq

    waits = [{by_id[name].index for name in needs(draft)} for draft in drafts]
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
    _tell_circle(tracer, waits)
    return None


def needs(draft: Draft) -> list[str]:
    """The nodes that must be finished before a node starts."""
    names = list(draft.after)
    for binding in draft.bindings.values():
        leaves = binding.items if isinstance(binding, bindings.Items) else (binding,)
        names += [leaf.node for leaf in leaves if isinstance(leaf, bindings.FromNode)]
    return names


def _tell_circle(tracer: Tracer, waits: list[set[int]]) -> None:
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
    circle = [tracer.drafts[step] for step in steps[start:] + steps[:start]]
    names = " >> ".join([*(draft.id for draft in circle), circle[0].id])
    hint = "take out one of the `>>`"
    tracer.problem(Code.CYCLE, f"the nodes wait for each other: {names}", tracer.place(circle[0]), hint=hint)
