"""The walk over a run's graph that finds which tasks the cache already answers. Pure: it asks for keys and is told
entries.

Used by `gather`, which looks the wanted keys up in the store, level by level, and by tests with a dictionary. A
task can be asked for once everything before it is answered: then its inputs are known, and so is its key. What cannot
be known here (a part of a value that lies in the store, data of unknown identity, a value that does not fit) is a
miss, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract import keys, references, values
from alula_controller.runs import nodes, plans

MOST_SPOTS = 20_000
DEEPEST = 100


class TooLarge(Exception):
    """The graph is larger than anything that one run holds."""


@dataclass(frozen=True)
class Known:
    """A value that is known here, in its wire form: itself, or the envelope of one that lies in the store."""

    json: Any


@dataclass(frozen=True)
class Wanted:
    """A key to look up, and the outputs that its entry must have."""

    key: str
    outputs: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Spot:
    """One place in the whole graph: a step, in the graph that it lies in, in that graph's place."""

    index: int
    name: str
    id: str
    step: plans.Step
    parent: int  # the spot of the graph around it; -1 for the entrypoint's
    depends: tuple[int, ...]
    dependents: list[int] = field(default_factory=list)
    children: tuple[int, ...] = ()
    waits: int = 0
    left: int = 0  # of a graph: children not done
    open: bool = False  # of a graph: everything before it is done
    done: bool = False
    key: str = ""
    scope: Mapping[str, Known] = field(default_factory=dict)  # of a graph: its inputs
    outputs: Mapping[str, Known] | None = None


def expand(plan: plans.Plan, run: str) -> list[Spot]:
    """Every place in the run's graph, a graph before what lies in it.

    Raises:
        TooLarge: there are more than one run can hold, or graphs lie in each other without end.
    """
    spots: list[Spot] = []
    work: list[tuple[str, int, str, int]] = [(plan.entrypoint, -1, run, 0)]
    while work:
        dag, parent, prefix, depth = work.pop()
        if depth > DEEPEST:
            raise TooLarge(f"graphs lie more than {DEEPEST} deep in each other")
        here: dict[str, int] = {}
        for step in plan.dags[dag].steps:
            name = f"{prefix}.{step.name}"
            depends = tuple(here[each] for each in step.depends)
            spot = Spot(len(spots), name, nodes.node_id(run, name), step, parent, depends, waits=len(depends))
            spots.append(spot)
            here[step.name] = spot.index
            for each in depends:
                spots[each].dependents.append(spot.index)
            if step.dag:
                work.append((step.dag, spot.index, name, depth + 1))
            if len(spots) > MOST_SPOTS:
                raise TooLarge(f"the graph has more than {MOST_SPOTS} nodes")
        if parent >= 0:
            spots[parent].children = tuple(here.values())
            spots[parent].left = len(here)
    return spots


class Walk:
    """The walk of one run. `wanted` says what to look up next; `answer` takes what was found.

    Args:
        plan: of the run's own revision.
        run: its name.
        inputs: its checked inputs.
    """

    def __init__(self, plan: plans.Plan, run: str, inputs: Mapping[str, Known]) -> None:
        self.spots = expand(plan, run)
        self._plan = plan
        self._scope = inputs
        self._top = {spot.step.name: spot.index for spot in self.spots if spot.parent < 0}
        self._inside: dict[int, dict[str, int]] = {}
        self._asked: dict[str, list[int]] = {}
        self._missed: set[str] = set()
        self._reach(spot.index for spot in self.spots if spot.parent < 0 and not spot.waits)

    def colliding(self, run: str) -> bool:
        """Whether two nodes of this run would have one id (Argo's are 32 bits): one would be taken for the other."""
        ids = {spot.id for spot in self.spots}
        ids |= {run, nodes.node_id(run, f"{run}.{nodes.ADMIT}")}
        return len(ids) != len(self.spots) + 2

    def wanted(self) -> list[Wanted]:
        """The keys to look up now, each once, in the order of the graph; empty when the walk is over."""
        first = sorted(self._asked.items(), key=lambda asked: min(asked[1]))
        return [Wanted(key, self._task(spots[0]).outputs) for key, spots in first]

    def answer(self, found: Mapping[str, Mapping[str, Any]]) -> None:
        """What was found under the keys that were wanted: outputs by name, as they travel. A key left out is a miss."""
        asked, self._asked = self._asked, {}
        for key, indexes in asked.items():
            outputs = found.get(key)
            if outputs is None:
                self._missed.add(key)
                continue
            for index in indexes:
                types = self._task(index).outputs
                if set(outputs) == set(types):
                    known = {name: Known(outputs[name]) for name in types}
                    self._finish(index, known)

    @property
    def hits(self) -> list[Spot]:
        """The tasks that were found, in the order of the graph."""
        return [spot for spot in self.spots if spot.done and spot.step.task]

    def limited(self, most: int) -> set[int]:
        """Of what is done, the part with the first `most` tasks that were found.

        A task stays only if everything before it stays, and a graph only if everything in it does, so that the part is
        a state in which the walk could have stopped.
        """
        kept: set[int] = set()
        count = 0
        for spot in self._in_order():
            opened = spot.parent < 0 or self.spots[spot.parent].open
            if not spot.done or not opened or not kept.issuperset(self._before(spot)):
                continue
            if spot.step.task:
                if count >= most:
                    continue
                count += 1
                kept.add(spot.index)
            elif kept.issuperset(spot.children):
                kept.add(spot.index)
        return kept

    def _before(self, spot: Spot) -> set[int]:
        """What must be kept for `spot` to be: what it depends on, and what the graphs around it depend on."""
        before = set(spot.depends)
        parent = spot.parent
        while parent >= 0:
            before.update(self.spots[parent].depends)
            parent = self.spots[parent].parent
        return before

    def _in_order(self) -> Iterable[Spot]:
        """Spots such that whatever one rests on comes first: a graph after what lies in it."""
        out: list[Spot] = []
        stack = [(index, False) for index in reversed(self._top.values())]
        while stack:
            index, left = stack.pop()
            spot = self.spots[index]
            if left or not spot.step.dag:
                out.append(spot)
                continue
            stack.append((index, True))
            stack.extend((child, False) for child in reversed(spot.children))
        return out

    def _task(self, index: int) -> plans.Task:
        return self._plan.tasks[self.spots[index].step.task]

    def _reach(self, indexes: Iterable[int]) -> None:
        """Everything before these is done: ask for tasks, open graphs."""
        work = list(indexes)
        while work:
            spot = self.spots[work.pop()]
            inputs = {name: self._evaluate(binding, spot.parent) for name, binding in spot.step.inputs.items()}
            if spot.step.task:
                spot.key = key_of(self._plan.tasks[spot.step.task], inputs)
                if spot.key and spot.key not in self._missed:
                    self._asked.setdefault(spot.key, []).append(spot.index)
                continue
            spot.open = True
            spot.scope = {name: value for name, value in inputs.items() if value is not None}
            self._inside[spot.index] = {self.spots[child].step.name: child for child in spot.children}
            work.extend(child for child in spot.children if not self.spots[child].waits)

    def _finish(self, index: int, outputs: Mapping[str, Known]) -> None:
        """This one is done: go on to what waited for it, and to the graph around it."""
        work: list[tuple[int, Mapping[str, Known]]] = [(index, outputs)]
        reached: list[int] = []
        while work:
            at, known = work.pop()
            spot = self.spots[at]
            spot.done, spot.outputs = True, known
            for each in spot.dependents:
                self.spots[each].waits -= 1
                if not self.spots[each].waits:
                    reached.append(each)
            if spot.parent < 0:
                continue
            around = self.spots[spot.parent]
            around.left -= 1
            if not around.left:
                whole = self._outputs(around)
                if whole is not None:
                    work.append((around.index, whole))
        self._reach(reached)

    def _outputs(self, spot: Spot) -> Mapping[str, Known] | None:
        """The outputs of a graph that is done, if all of them can be known here."""
        found = {
            name: self._evaluate(binding, spot.index)
            for name, binding in self._plan.dags[spot.step.dag].outputs.items()
        }
        known = {name: value for name, value in found.items() if value is not None}
        return known if len(known) == len(found) else None

    def _evaluate(self, binding: Mapping[str, Any], graph: int) -> Known | None:
        """The value of a binding in a graph (-1: the entrypoint); None if it cannot be known here."""
        if "items" in binding:
            parts = [self._evaluate(part, graph) for part in binding["items"]]
            found = [part.json for part in parts if part is not None and not references.is_envelope(part.json)]
            return Known(found) if len(found) == len(parts) else None
        value = self._source(binding, graph)
        path = binding.get("path") or ()
        if value is None or not path:
            return value
        if references.is_envelope(value.json):
            return None  # the part lies in the store, where the controller does not read
        try:
            return Known(values.select(value.json, path))
        except values.InvalidValue:
            return None

    def _source(self, binding: Mapping[str, Any], graph: int) -> Known | None:
        if "value" in binding:
            try:
                return Known(values.parse(binding["value"]))
            except values.InvalidValue:
                return None
        if "input" in binding:
            scope = self._scope if graph < 0 else self.spots[graph].scope
            return scope.get(binding["input"])
        names_here = self._top if graph < 0 else self._inside[graph]
        index = names_here.get(str(binding.get("node")))
        outputs = self.spots[index].outputs if index is not None else None
        return outputs.get(str(binding.get("output"))) if outputs is not None else None


def key_of(task: plans.Task, inputs: Mapping[str, Known | None]) -> str:
    """The cache key of a task with these inputs; empty if it is not cached, or if its key cannot be known here."""
    if task.version is None:
        return ""
    identities = {}
    for name, schema in task.inputs.items():
        value = inputs.get(name)
        identity = identity_of(value, schema) if value is not None else ""
        if not identity:
            return ""
        identities[name] = identity
    return keys.cache_key(task.key, task.version, task.interface, identities)


def identity_of(value: Known, schema: Mapping[str, Any]) -> str:
    """The identity of a value as an input of this type; empty if it cannot be known here."""
    try:
        return keys.identity(value.json, dict(schema))
    except values.InvalidValue:
        return ""
