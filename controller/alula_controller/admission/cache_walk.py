"""Which tasks of a run the cache already answers: the walk of its plan, with its ready spots looked up. Pure.

Used by `gather`, which looks the wanted keys up in the store, level by level, and by tests with a dictionary. A task is
ready once everything before it is answered: then its inputs are known, and so is its key. What cannot be known here (a
part of a value that lies in the store, data of unknown identity, a value that does not fit) is a miss, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alula_api.argo import nodes
from alula_api.contract import keys, names, values
from alula_api.contract.families import Schema
from alula_api.contract.graphs import plans, walks
from alula_api.contract.graphs.bindings import UNKNOWN, MaybeValue, Value, value_of, wire_of
from alula_api.contract.graphs.frames import Frame
from alula_api.contract.graphs.plans import GraphCall, TaskCall
from alula_api.contract.graphs.walks import Spot, State
from alula_api.contract.values import Json


@dataclass(frozen=True)
class Wanted:
    """A key to look up, and the outputs and the entrypoint that its entry must have."""

    key: str
    outputs: Mapping[str, Schema]
    entrypoint: str


class CacheWalk:
    """The walk of one run. `wanted` says what to look up next; `answer` takes what was found.

    Args:
        plan: of the run's own revision.
        inputs: its checked inputs.

    Raises:
        TooLarge: The graph is larger than anything that one run holds; `answer` raises it too.
    """

    def __init__(self, plan: plans.Plan, inputs: Mapping[str, Value]) -> None:
        self.keys: dict[Spot, str] = {}
        self._plan = plan
        self._walk = walks.Walk(plan, inputs)
        self._asked: dict[str, list[Spot]] = {}
        self._missed: set[str] = set()
        self._ask()

    @property
    def frame(self) -> Frame:
        """The graph that the run begins with."""
        assert self._walk.root.inner is not None
        return self._walk.root.inner

    @property
    def hits(self) -> list[Spot]:
        """The tasks that were found, in the order in which they became ready."""
        return [spot for spot in self.keys if spot.state is State.DONE]

    def wanted(self) -> list[Wanted]:
        """The keys to look up now, each once; empty when the walk is over."""
        asked = [(key, self._task(spots[0])) for key, spots in self._asked.items()]
        return [Wanted(key, task.outputs, task.entrypoint) for key, task in asked]

    def answer(self, found: Mapping[str, Mapping[str, Json]]) -> None:
        """What was found under the keys that were wanted: outputs by name, as they travel. A key left out is a miss."""
        asked, self._asked = self._asked, {}
        for key, spots in asked.items():
            outputs = found.get(key)
            if outputs is None or set(outputs) != set(self._task(spots[0]).outputs):
                self._missed.add(key)
                continue
            known = {name: value_of(outputs[name]) for name in self._task(spots[0]).outputs}
            for spot in spots:
                self._walk.finish(spot, known)
        self._ask()

    def limited(self, most: int) -> list[Spot]:
        """Of what is done, the part with the first `most` tasks that were found, everything after what it rests on.

        A task stays only if everything before it stays, and a graph only if everything in it does, so that the part is
        a state in which the walk could have stopped.
        """
        kept: dict[Spot, None] = {}
        count = 0
        stack = [(self.frame, _spots(self.frame))]
        while stack:
            frame, spots = stack[-1]
            spot = next(spots, None)
            if spot is None:
                stack.pop()
                whole = frame.spot
                if stack and whole is not None and whole.state is State.DONE and _all(frame, kept):
                    kept[whole] = None
            elif all(frame.spots[name] in kept for name in spot.step.depends):
                if spot.inner is not None:
                    stack.append((spot.inner, _spots(spot.inner)))
                elif spot.state is State.DONE and count < most:
                    count += 1
                    kept[spot] = None
        return list(kept)

    def _ask(self) -> None:
        while (spot := self._walk.take()) is not None:
            key = self.keys[spot] = key_of(self._task(spot), spot.inputs)
            if key and key not in self._missed:
                self._asked.setdefault(key, []).append(spot)

    def _task(self, spot: Spot) -> plans.Task:
        return self._plan.tasks[spot.task]


def _spots(frame: Frame) -> Iterator[Spot]:
    """The spots of a graph that were reached, in its order; only of kinds that can be filled in."""
    reached = (frame.spots.get(step.name) for step in frame.graph.steps)
    return (spot for spot in reached if spot is not None and isinstance(spot.call, (TaskCall, GraphCall)))


def _all(frame: Frame, kept: Mapping[Spot, None]) -> bool:
    """Whether all of a graph is kept; an empty one never is, for Argo waits for a child of it."""
    return bool(frame.spots) and all(spot in kept for spot in frame.spots.values())


def colliding(plan: plans.Plan, run: str) -> bool:
    """Whether two nodes of the run would have one id (Argo's are 32 bits): one would be taken for the other."""
    paths = [place.path for place in walks.outline(plan)]
    ids = {run, *(nodes.id_of(run, path) for path in (names.ADMIT, *paths))}
    return len(ids) != len(paths) + 2


def key_of(task: plans.Task, inputs: Mapping[str, MaybeValue]) -> str:
    """The cache key of a task with these inputs; empty if it is not cached, or if its key cannot be known here."""
    if task.version is None:
        return ""
    identities = {}
    for name, schema in task.inputs.items():
        value = inputs.get(name, UNKNOWN)
        identity = identity_of(value, schema) if value is not UNKNOWN else ""
        if not identity:
            return ""
        identities[name] = identity
    return keys.cache_key(task.key, task.version, task.interface, identities, task.environment)


def identity_of(value: Value, schema: Schema) -> str:
    """The identity of a value as an input of this type; empty if it cannot be known here."""
    try:
        return keys.identity(wire_of(value), schema)
    except values.InvalidValue:
        return ""
