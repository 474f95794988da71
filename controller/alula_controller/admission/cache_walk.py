"""Which tasks of a run the cache already answers: the walk of its plan, with its ready spots looked up. Pure.

Used by `gather`, which looks the wanted keys up in the store, level by level, and by tests with a dictionary. A task is
ready once everything before it is answered: then its inputs are known, and so is its key. What cannot be known here (a
part of a value that lies in the store, data of unknown identity, a value that does not fit) is a miss, never a guess.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from alula_api.argo import nodes
from alula_api.contract import keys, lists, names, values
from alula_api.contract.families import Schema
from alula_api.contract.graphs import calls, comparables, interfaces, outlines, plans, rounds, walks
from alula_api.contract.graphs.bindings import UNKNOWN, MaybeValue, Value, value_of, wire_of
from alula_api.contract.graphs.calls import TaskCall
from alula_api.contract.graphs.frames import Spot, State
from alula_api.contract.references import Stored
from alula_api.contract.values import Json


@dataclass(frozen=True)
class Wanted:
    """A key to look up, and the outputs and the entrypoint that its entry must have.

    Of `items`, outputs that are items of a map's list, those that are too long for one must lie in the store as well.
    `path` is where it is first asked for.
    """

    key: str
    outputs: Mapping[str, Schema]
    entrypoint: str
    items: tuple[str, ...] = ()
    path: str = field(default="", compare=False)


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
        self._walk = walks.Walk(plan, inputs, compiled=True)
        self._asked: dict[str, list[Spot]] = {}
        self._missed: set[str] = set()
        self._ask()

    @property
    def root(self) -> Spot:
        """The run itself."""
        return self._walk.root

    @property
    def hits(self) -> list[Spot]:
        """The tasks that were found, in the order in which they became ready."""
        return [spot for spot in self.keys if spot.state is State.DONE]

    def wanted(self) -> list[Wanted]:
        """The keys to look up now, each once; empty when the walk is over."""
        found = []
        for key, spots in self._asked.items():
            task, is_batch = self._task(spots[0]), _is_batch(spots[0])
            items = () if is_batch else _items_of(task)
            outputs = _outputs(task, is_batch=is_batch)
            found.append(Wanted(key, outputs, task.entrypoint, items, spots[0].path))
        return found

    def answer(
        self,
        found: Mapping[str, Mapping[str, Json]],
        stored: Mapping[str, Mapping[str, Stored]] = MappingProxyType({}),
        lists_of: Mapping[str, Mapping[str, Json]] = MappingProxyType({}),
    ) -> None:
        """What was found under the keys that were wanted: outputs by name, as they travel. A key left out is a miss.

        Likewise `stored`: of the outputs that travel inline those that lie in the store as well; and `lists_of`: lists
        that maps go over, by the names of their parameters, where the entry has them.
        """
        asked, self._asked = self._asked, {}
        for key, spots in asked.items():
            outputs = found.get(key)
            if outputs is None or set(outputs) != set(self._task(spots[0]).outputs):
                self._missed.add(key)
                continue
            task = self._task(spots[0])
            known = {name: value_of(outputs[name]) for name in task.outputs}
            if _is_batch(spots[0]):
                if not _fits(spots[0], known):
                    self._missed.add(key)
                    continue
                self._answer_batches(spots, known)
                continue
            try:
                kept = lists_of.get(key, {})
                given = {p.name: kept[p.name] for p in task.parts if (p.form in _LISTS or p.each) and p.name in kept}
                others = [part for part in task.parts if part.name not in given]
                parts = given | comparables.publish(others, known, task.outputs, stored.get(key, {}))
                known |= {name: value_of(part) for name, part in parts.items()}
            except values.InvalidValue:  # it lies in the store: the pod reads it and publishes what is asked for
                self._missed.add(key)
                continue
            for spot in spots:
                self._walk.finish(spot, known)
        self._ask()

    def _answer_batches(self, spots: list[Spot], known: Mapping[str, Value]) -> None:
        """What batches of items made is a list for each output, and an item of the list of the batches."""
        single = {name: value for name, value in known.items() if not isinstance(value, (lists.Listed, lists.Batches))}
        published: dict[str, MaybeValue] = {
            names.item_parameter(name): lists.item(value) for name, value in single.items()
        }
        for spot in spots:
            self._walk.finish(spot, published)

    def limited(self, most: int) -> list[Spot]:
        """Of what is done, the part with the first `most` tasks that were found, everything after what it rests on.

        A task stays only if everything before it stays, and a graph or map only if everything in it does, so that the
        part is a state in which the walk could have stopped.
        """
        kept: dict[Spot, None] = {}
        count = 0
        stack = [(self.root, inside(self.root))]
        while stack:
            whole, spots = stack[-1]
            spot = next(spots, None)
            if spot is None:
                stack.pop()
                if stack and whole.state is State.DONE and all(each in kept for each in inside(whole)):
                    kept[whole] = None
            elif spot.whole is None and any(spot.frame.spots[name] not in kept for name in spot.step.depends):
                continue
            elif calls.is_tolerant(spot.call):
                continue  # its items have nodes around them, and their pods ask the cache
            elif next(inside(spot), None) is not None:
                stack.append((spot, inside(spot)))
            elif spot.state is State.DONE and _runs_nothing(spot):
                kept[spot] = None
            elif spot.state is State.DONE and isinstance(spot.call, TaskCall) and count < most:
                count += 1
                kept[spot] = None
        return list(kept)

    def _ask(self) -> None:
        while (spot := self._walk.take()) is not None:
            over = calls.over(spot.whole.call) if spot.whole is not None and _is_batch(spot) else ()
            key = self.keys[spot] = key_of(self._task(spot), spot.inputs, over)
            if key and key not in self._missed:
                self._asked.setdefault(key, []).append(spot)

    def _task(self, spot: Spot) -> plans.Task:
        return self._plan.tasks[spot.task]


_LISTS = ("items", "batches")
"""The forms of parts that an entry may hold."""


def _is_batch(spot: Spot) -> bool:
    """Whether a spot stands for several items of a map, which one pod runs."""
    return spot.whole is not None and spot.whole.batch > 0


def _fits(spot: Spot, known: Mapping[str, Value]) -> bool:
    """Whether lists that a batch is said to have made are as long as it; of what lies in the store a pod sees it."""
    assert spot.whole is not None
    given = spot.inputs[calls.over(spot.whole.call)[0]]
    count = lists.length(given) if isinstance(given, lists.Batches) else -1
    return all(len(value) == count for value in known.values() if isinstance(value, list))


def _outputs(task: plans.Task, *, is_batch: bool) -> Mapping[str, Schema]:
    """The types of what an entry holds: of a batch lists."""
    if not is_batch:
        return task.outputs
    return {name: interfaces.list_of(dict(schema)) for name, schema in task.outputs.items()}


def _items_of(task: plans.Task) -> tuple[str, ...]:
    return tuple(part.source for part in task.parts if part.form == "item" and not part.path)


def inside(spot: Spot) -> Iterator[Spot]:
    """What was reached in a graph, conditional, map or repeat, in its order; of a repeat the rounds that are taken."""
    frame = spot.inner
    if frame is None:
        return iter(spot.items)
    reached = (frame.spots[step.name] for step in frame.graph.steps if step.name in frame.spots)
    return reached if frame.rounds is None else (each for each in reached if each.state is not State.NOT_TAKEN)


def _runs_nothing(spot: Spot) -> bool:
    """Whether a spot that is done runs nothing and has a node all the same: an empty map, a branch without a task."""
    return bool(calls.over(spot.call) or calls.branches(spot.call))


def colliding(plan: plans.Plan, run: str, filled: Mapping[str, nodes.Node]) -> bool:
    """Whether another node of the run would have the id of one that is there (Argo's are 32 bits), which would be taken
    for it.

    Of more nodes than a run can have the first are looked at; maps in maps are looked at in step.

    Args:
        plan: Of the run.
        run: Its name.
        filled: The nodes that are there, by id.
    """
    named = (path for place in outlines.outline(plan) for one in (place.path, *_below(place)) for path in _items(one))
    for path in itertools.islice(named, walks.MAX_SPOTS):
        there = filled.get(nodes.id_of(run, path))
        if there is not None and there["name"] != f"{run}.{path}":
            return True
    return False


def _below(place: outlines.Place) -> Iterator[str]:
    """The paths of the branches of a conditional and of the items of a map: nodes of Argo's too."""
    yield from (f"{place.path}.{name}" for name in calls.branches(place.step.call))
    if calls.over(place.step.call):
        yield f"{place.path}.{names.ITEM}"
        yield f"{place.path}{walks.ITEM}"
    if calls.fed(place.step.call):
        yield f"{place.path}.{rounds.ANY}"


def _items(path: str) -> Iterator[str]:
    """A path that holds for each item of a map or each round of a repeat, as often as there may be one."""
    if rounds.ANY in path:
        for number in range(1, calls.MAX_ROUNDS + 1):
            yield from _items(path.replace(rounds.ANY, rounds.name(number)))
        return
    if walks.ITEM not in path:
        yield path
        return
    yield from (names.argo_path(path.replace(walks.ITEM, f"({index})")) for index in range(lists.MAX_ITEMS))


def key_of(task: plans.Task, inputs: Mapping[str, MaybeValue], over: tuple[str, ...] = ()) -> str:
    """The cache key of a task with these inputs, or of a batch of calls `over` lists; empty if it is not cached, or if
    its key cannot be known here."""
    if task.version is None:
        return ""
    identities = {}
    for name, schema in task.inputs.items():
        value = inputs.get(name, UNKNOWN)
        kind = interfaces.list_of(dict(schema)) if name in over else schema
        identity = identity_of(value, kind) if value is not UNKNOWN else ""
        if not identity:
            return ""
        identities[name] = identity
    return keys.cache_key(task.key, task.version, task.interface, identities, task.environment, over=over)


def identity_of(value: Value, schema: Schema) -> str:
    """The identity of a value as an input of this type; empty if it cannot be known here."""
    try:
        return keys.identity(wire_of(value), schema)
    except values.InvalidValue:
        return ""
