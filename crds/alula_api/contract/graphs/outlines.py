"""Every step that a run may reach, before anything has run: `walks` without values.

Read by what draws a run, and by what names its nodes. What only values decide has one step for all of it: `score(i)`
is any item of a map, `tune.round-(i)` any round of a repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from alula_api.contract.graphs import calls, rounds
from alula_api.contract.graphs.calls import Call
from alula_api.contract.graphs.plans import Plan, Step
from alula_api.contract.graphs.walks import ITEM, MAX_DEPTH, MAX_SPOTS, TooDeep, TooLarge


class Place(NamedTuple):
    """A step that a run may reach.

    Attributes:
        path: As of its spot; inside the items of a map `score(i).train`.
        step: The node.
        graph: The name of the graph that it lies in.
    """

    path: str
    step: Step
    graph: str


_DYNAMIC = re.compile(r"\(|\.round-[0-9]+(?:\.|$)")


def home(path: str) -> str:
    """Return the path of the outermost map or repeat in which a node lies; of any other node its own."""
    return _DYNAMIC.split(path, maxsplit=1)[0]


def outline(plan: Plan) -> Iterator[Place]:
    """Yield every step that a run may reach, in the author's order, a graph's before what lies in it.

    Raises:
        TooLarge: After `MAX_SPOTS` steps, and where graphs lie in each other without end.
    """
    stack = [("", plan.entrypoint, iter(plan.graphs[plan.entrypoint].steps))]
    count = 0
    while stack:
        prefix, graph, steps = stack[-1]
        step = next(steps, None)
        if step is None:
            stack.pop()
            continue
        count += 1
        if count > MAX_SPOTS:
            raise TooLarge(f"the graph has more than {MAX_SPOTS} nodes")
        path = f"{prefix}{step.name}"
        yield Place(path, step, graph)
        inner = [(f"{path}{part}.", name, iter(plan.graphs[name].steps)) for part, name in _inside(step.call)]
        if inner and len(stack) > MAX_DEPTH:
            raise TooDeep(f"graphs lie more than {MAX_DEPTH} deep in each other")
        stack += reversed(inner)


def _inside(call: Call) -> list[tuple[str, str]]:
    """What a call adds to the path of each graph that it may run."""
    branches = calls.branches(call)
    if branches:
        return [(f".{name}", graph) for name, graph in branches.items()]
    part = ITEM if calls.over(call) else f".{rounds.ANY}" if calls.fed(call) else ""
    return [(part, name) for name in calls.graphs(call)]
