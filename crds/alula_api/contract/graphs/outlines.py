"""Every step that a run may reach, before anything has run: `walks` without values.

Read by what draws a run, and by what names its nodes. What only values decide has one step for all of it: `score(i)`
is any item of a map, `tune.round-(i)` any round of a repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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


_DYNAMIC = re.compile(r"\(|\.round-(?:[0-9]+|\(i\))(?:\.|$)")
_NUMBERED = re.compile(r"(?P<map>.+)\((?P<item>[0-9]+)\)|round-(?P<round>[0-9]+)")
_INDEX = re.compile(r"\([0-9]+\)")


def home(path: str) -> str:
    """Return the path of the outermost map or repeat in which a node lies; of any other node its own."""
    return _DYNAMIC.split(path, maxsplit=1)[0]


def general(path: str) -> str:
    """Return the path that stands for all items of its maps, and for all that may be rounds of its repeats."""
    return rounds.general(_INDEX.sub(ITEM, path))


class Order:
    """The order of the nodes of a run: the author's, and in it an item after those before it, a round likewise.

    Args:
        places: The paths of an outline, in its order.
    """

    def __init__(self, places: Iterable[str]) -> None:
        self._places = {path: number for number, path in enumerate(places)}

    def of(self, path: str) -> tuple[tuple[int, int], ...]:
        """Return what a node is sorted by."""
        found, outside = [], ""
        for segment in path.split("."):
            path, number = f"{outside}{segment}", -1
            numbered = _NUMBERED.fullmatch(segment) if path not in self._places else None
            if numbered is None:
                outside = f"{path}."
            elif numbered["item"]:
                path, number = f"{outside}{numbered['map']}", int(numbered["item"])
                outside = f"{path}{ITEM}."
            else:
                number, outside = int(numbered["round"]), f"{outside}{rounds.ANY}."
            found.append((self._places.get(path, len(self._places)), number))
        return tuple(found)


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
