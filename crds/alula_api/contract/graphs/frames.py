"""The opened graphs of a walk and their spots: what is known, what still reads it, who waits for whom. See `walks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.bindings import (
    UNKNOWN,
    Binding,
    Constant,
    FirstOf,
    FromInput,
    FromNode,
    Leaf,
    MaybeValue,
)
from alula_api.contract.graphs.calls import Call, RepeatCall, TaskCall
from alula_api.contract.graphs.plans import Graph, Step
from alula_api.contract.problems import InvalidValue

Source: TypeAlias = str | tuple[str, str]
"""What a leaf reads in a frame: an input by its name, or a node and its output."""
Made: TypeAlias = tuple["Frame", Source]
"""A value of some frame."""
Outputs: TypeAlias = Mapping[str, MaybeValue]


class Shape:
    """What is the same wherever a graph is opened.

    Attributes:
        name: Of the graph, in the plan; of the rounds of a repeat that of the graph in which it lies.
        graph: Its steps.
        after: The steps that wait for one, last first, as they are reached last in, first out.
        first: The steps that wait for none, last first.
        waits: How many steps each waits for.
        reads: How often each value is read by inputs of steps and by outputs of the graph; empty unless asked for.
    """

    __slots__ = ("after", "first", "graph", "name", "reads", "waits")

    def __init__(self, name: str, graph: Graph, *, with_reads: bool) -> None:
        self.name, self.graph = name, graph
        self.after: dict[str, list[Step]] = {}
        self.first: list[Step] = []
        self.waits: dict[str, int] = {}
        self.reads: dict[Source, int] = {}
        for step in reversed(graph.steps):
            before = step.depends if len(step.depends) < 2 else dict.fromkeys(step.depends)
            self.waits[step.name] = len(before)
            for each in before:
                self.after.setdefault(each, []).append(step)
            if not before:
                self.first.append(step)
        if with_reads:
            self._count(graph)

    def _count(self, graph: Graph) -> None:
        for bound in (graph.outputs, *(step.inputs for step in graph.steps)):
            for _, binding in bound:
                for source in sources(binding):
                    self.reads[source] = self.reads.get(source, 0) + 1


class State(Enum):
    """Where a spot stands; a step without a spot waits for others."""

    READY = "ready"
    RUNNING = "running"
    RESTING = "resting"  # between two attempts
    OPEN = "open"  # a graph, branch or map: what lies in it is under way
    BLOCKED = "blocked"  # it needs a value that cannot be known here
    DONE = "done"
    FAILED = "failed"
    NOT_TAKEN = "not taken"
    SKIPPED = "skipped"  # after a failure


class Frame:
    """An opened graph.

    Attributes:
        name: As of its shape.
        graph: Its steps.
        rounds: The repeat whose rounds they are.
        spot: The one that opened it.
        spots: Those of its steps that were reached, by name.
        values: What is known; an error where a path led nowhere.
        behind: What inputs of the graph and outputs of graphs in it were made of, in other frames.
        passed: What the lists that a map made of its graphs' outputs may hold, in the map's frame and in its items'.
        uses: How often each value is still to be read.
        borrows: Whether the map, of which this is an item, keeps what is behind the inputs.
        trouble: Steps that have ended without being done.
        absent: Outputs of what is not taken; a step's name stands for all of its own.
    """

    __slots__ = (
        "absent", "behind", "borrows", "depth", "graph", "left", "name", "passed", "prefix", "rounds", "shape", "spot",
        "spots", "trouble", "uses", "values", "waits",
    )  # fmt: skip

    def __init__(self, shape: Shape, spot: Spot | None, prefix: str, depth: int) -> None:
        self.name, self.graph = shape.name, shape.graph
        self.rounds: RepeatCall | None = None
        self.shape, self.spot, self.prefix, self.depth = shape, spot, prefix, depth
        self.spots: dict[str, Spot] = {}
        self.values: dict[Source, MaybeValue | InvalidValue] = {}
        self.behind: dict[Source, list[Made]] = {}
        self.passed: dict[Source, list[Made]] = {}
        self.uses = dict(shape.reads)
        self.borrows = False
        self.waits = dict(shape.waits)
        self.left = len(self.graph.steps)
        self.trouble: dict[str, Spot] = {}
        self.absent: set[Source] = set()

    def input(self, name: str) -> MaybeValue:
        """Return an input of the graph; see `bindings.Scope`.

        Raises:
            InvalidValue: A path on the way to it led nowhere.
        """
        value = self.values.get(name, UNKNOWN)
        if isinstance(value, InvalidValue):
            raise value
        return value

    def output(self, node: str, output: str) -> MaybeValue:
        """Return an output of a step, as `input`."""
        value = self.values.get((node, output), UNKNOWN)
        if isinstance(value, InvalidValue):
            raise value
        return value

    def made(self, binding: Binding) -> list[Made]:
        """Return the values that a binding is made of."""
        return [(self, source) for source in sources(binding)]

    def lacks(self, binding: Binding) -> bool:
        """Whether a binding reads what is not taken: every leaf of a `FirstOf`, any of another."""
        absent = [self._is_absent(leaf) for leaf in bindings.leaves(binding)]
        return bool(absent) and all(absent) if isinstance(binding, FirstOf) else any(absent)

    def needs_absent(self, step: Step) -> bool:
        """Whether a step cannot do without something that is not taken."""
        if any(self.lacks(binding) for _, binding in step.inputs):
            return True
        several = [binding for _, binding in step.inputs if isinstance(binding, FirstOf)]
        choices = {node for binding in several for node in bindings.nodes(binding)}
        return any(name in self.absent and name not in choices for name in step.depends)

    def only_last(self) -> list[Made]:
        """Have the last round that was taken give the outputs of a repeat; returns what the others made of them."""
        outputs, others = [], list[Made]()
        for name, binding in self.graph.outputs:
            leaves = bindings.leaves(binding)
            last = next((leaf for leaf in leaves if not self._is_absent(leaf)), leaves[-1])
            outputs.append((name, last))
            others += (made for leaf in leaves if leaf is not last for made in self.made(leaf))
        self.graph = replace(self.graph, outputs=tuple(outputs))
        return others

    def _is_absent(self, leaf: Leaf) -> bool:
        return isinstance(leaf, FromNode) and (leaf.node in self.absent or (leaf.node, leaf.output) in self.absent)


class Spot:
    """A step in its place, or one item of a map.

    Attributes:
        path: From the entrypoint: `train`, `sub.train`, `score(3)` for an item; empty for the run itself.
        step: The node of the graph.
        call: What it does; of an item, what runs for each.
        frame: The opened graph that it lies in.
        inputs: As they travel.
        problems: Why inputs are UNKNOWN that should have a value; of a map, why it cannot be opened.
        outputs: Empty until it is done, and where the walk was given `released`, also then.
        because: The path of the failed spot that kept it from starting.
        inner: The graph that it opened.
        items: Of a map.
        begun: How many of them are ready or further; the others wait, as its `concurrency` says.
        batch: Of a map whose items are batches, in a compiled plan, how many items of its lists one has; otherwise 0.
        count: Likewise how many items the lists have.
        whole: The map of which it is an item.
    """

    state: State = State.READY
    problems: Mapping[str, InvalidValue] = MappingProxyType({})
    outputs: Outputs = MappingProxyType({})
    because: str = ""
    inner: Frame | None = None
    items: tuple[Spot, ...] = ()
    begun: int = 0
    batch: int = 0
    count: int = 0
    whole: Spot | None = None
    left: int = 0

    def __init__(self, path: str, step: Step, call: Call, frame: Frame, inputs: Mapping[str, MaybeValue]) -> None:
        self.path = path
        self.step = step
        self.call = call
        self.frame = frame
        self.inputs = inputs

    def __repr__(self) -> str:
        return f"<{self.path} {self.state.value}>"

    @property
    def task(self) -> str:
        """The task of a spot that is ready."""
        assert isinstance(self.call, TaskCall)
        return self.call.task


def sources(binding: Binding) -> list[Source]:
    """Return what the leaves of a binding read."""
    if isinstance(binding, FromNode):
        return [(binding.node, binding.output)]
    if isinstance(binding, FromInput):
        return [binding.input]
    if isinstance(binding, Constant):
        return []
    return [source for leaf in binding.leaves for source in sources(leaf)]


def makers(made: list[Made]) -> tuple[str, ...]:
    """Return the paths of the tasks that values come from, each once."""
    found: dict[str, None] = {}
    stack = made[::-1]
    while stack:
        frame, source = stack.pop()
        behind = frame.behind.get(source)
        if behind is not None:
            stack.extend(reversed(behind))
        elif isinstance(source, tuple):
            found[f"{frame.prefix}{source[0]}"] = None
    return tuple(found)


def given_up(read: list[Made]) -> list[MaybeValue]:
    """Count one use less of each of these values; returns those made by tasks that nothing will read any more."""
    found: list[MaybeValue] = []
    stack = list(read)
    while stack:
        frame, source = stack.pop()
        left = frame.uses.get(source, 0) - 1
        frame.uses[source] = left
        if left > 0:
            continue
        value = frame.values.pop(source, UNKNOWN)
        behind = frame.behind.get(source, frame.passed.get(source))
        if behind is not None:
            if isinstance(source, tuple) or not frame.borrows:
                stack.extend(behind)
        elif isinstance(source, tuple) and not isinstance(value, InvalidValue) and value is not UNKNOWN:
            found.append(value)
    return found
