"""How a graph proceeds: one lazy walk over a plan, for all that run it, look it up or draw it.

The local runner is this walk with retries and time; filling in is this walk with its ready spots looked up in the
cache. Both do the same:

    walk = Walk(plan, inputs)
    while (spot := walk.take()) is not None:      # `walk.ready` shows what may start, in order
        walk.finish(spot, outputs)                # or walk.fail(spot), walk.rest(spot), walk.retry(spot)

A *spot* is a step in its place: `spot.path` is `sub.train`, `spot.call` what it does, `spot.inputs` what it gets. Only
tasks become ready. Graphs, branches, maps and repeats open by themselves when everything before them is done, and end
when all that lies in them has. After `walk.over`, `walk.root` has the state and the outputs of the run, `walk.failed`
the spots that failed, `walk.skipped` those that never started with the path of the one that they did not start
`because` of (a graph's spot stands for all that lies in it), and `walk.blocked` those that could not be opened or
ended.

- An input that cannot be known here (a part of a value in the store, an output that `finish` was not given) is
  `UNKNOWN`, never a guess; so is one whose path leads nowhere, for which `spot.problems` has the error. A branch or map
  that hangs on such a value, and a graph with such an output, is blocked: nothing behind it is reached, and only `fail`
  ends it.
- A step is *not taken* when no case of its branch holds, or when it needs one that is not taken: waits for it, or reads
  it in any way but as one of several in a `FirstOf` of which another has a value. What is not taken does not fail
  the graph around it; as an item of a map's list it is null.
- A repeat is a graph of its rounds, `tune.round-1` and so on, opened as a graph is: a round after one with which its
  condition holds is not taken, and the last one that is gives the outputs.
- An item of a map that lets items fail is null in the map's lists when it does, and stops nothing; a map of which too
  few items succeed is blocked.
- After the first failure nothing new starts, and what runs may finish (or is ended, by what runs it, with
  `Policy.ABORT`). With `Policy.CONTINUE` everything still runs that does not depend on what failed.

Nothing is expanded before it is reached, and nothing recurses, neither along a chain nor into nested graphs: a walk
costs O(steps + edges) of what it reaches. No threads, clock or I/O: who shares a walk between threads holds a lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, assert_never

from alula_api.contract.graphs import bindings, calls, conditions, map_items, rounds
from alula_api.contract.graphs.bindings import UNKNOWN, MaybeValue, Value
from alula_api.contract.graphs.calls import BranchCall, GraphCall, MapCall, RepeatCall, TaskCall
from alula_api.contract.graphs.frames import Frame, Made, Outputs, Shape, Spot, State, given_up, makers
from alula_api.contract.graphs.plans import Graph, Plan, Step
from alula_api.contract.lists import listed, too_few
from alula_api.contract.problems import InvalidValue

MAX_SPOTS: Final = 20_000
"""Spots of one walk, more than one run can hold."""
MAX_DEPTH: Final = 100
"""Graphs inside graphs."""
ITEM: Final = "(i)"
"""In an outline, what stands for the number of a map's item."""


class TooLarge(Exception):
    """The graph is larger than anything that one run holds, or its graphs lie in each other without end."""


class TooDeep(TooLarge):
    """Graphs lie in each other without end."""


class Policy(StrEnum):
    """What happens after a failure, as a resource says it."""

    DRAIN = "Drain"
    """Nothing new starts, and what runs may finish."""
    ABORT = "Abort"
    """Nothing new starts, and what runs is ended."""
    CONTINUE = "Continue"
    """What does not depend on what failed still runs."""


# Names of their own, because a member of an enum costs as much as a call to reach.
_RUNNING, _DONE, _NOT_TAKEN, _SKIPPED = State.RUNNING, State.DONE, State.NOT_TAKEN, State.SKIPPED


class Walk:
    """One walk; see the module.

    Args:
        plan: What is walked.
        inputs: Of the run, as they travel.
        policy: What happens after a failure.
        released: Takes each output of a task that nothing will read any more. Without it, spots keep their inputs and
            outputs; with it, frames do not even keep the spots of tasks that have ended.
        compiled: The plan is of what an engine runs: all items of a map are ready at once, whatever its `concurrency`,
            and its lists travel as their items.

    Raises:
        TooLarge: As does everything that moves the walk on.
    """

    def __init__(
        self,
        plan: Plan,
        inputs: Mapping[str, Value],
        *,
        policy: Policy = Policy.DRAIN,
        released: Callable[[MaybeValue], None] | None = None,
        compiled: bool = False,
    ) -> None:
        self.plan = plan
        self.ready: deque[Spot] = deque()
        self.running = 0
        self.failed: list[Spot] = []
        self.skipped: list[Spot] = []
        self.blocked: list[Spot] = []
        self._policy = policy
        self._stopped = False
        self._released = released
        self._compiled = compiled
        self._tolerates = False
        self._resting: dict[Spot, None] = {}
        self._shapes: dict[str | tuple[str, str], Shape] = {}
        self._count = 0
        self._reached: list[tuple[Frame, Step]] = []
        self._ended: list[tuple[Spot, State, Outputs]] = []
        call = GraphCall(plan.entrypoint)
        outside = Frame(Shape("", Graph((), ()), with_reads=False), None, "", -1)
        self.root = Spot("", Step("", call), call, outside, inputs)
        self._open(self.root, plan.entrypoint, "")
        self._settle()

    @property
    def failing(self) -> bool:
        """Whether nothing new starts any more."""
        return self._stopped or (bool(self.failed) and self._policy is not Policy.CONTINUE)

    @property
    def over(self) -> bool:
        """Whether nothing runs and nothing will."""
        return not (self.ready or self.running or self._resting)

    def take(self) -> Spot | None:
        """Return the next spot to start, now running; None when none may start."""
        if not self.ready:
            return None
        spot = self.ready.popleft()
        spot.state = _RUNNING
        self.running += 1
        return spot

    def finish(self, spot: Spot, outputs: Outputs) -> None:
        """Take the outputs of a spot that runs: what waited for it alone becomes ready."""
        if spot.state is _RUNNING:
            self.running -= 1
        else:
            self._stop(spot)
        self._end(spot, _DONE, outputs)
        self._settle()

    def fail(self, spot: Spot) -> None:
        """Take note that a spot that runs, rests or is blocked has failed for good."""
        self._stop(spot)
        self._ended.append((spot, State.FAILED, {}))
        if tolerated(spot):
            self._tolerates = True
            self._settle()
            return
        self.failed.append(spot)
        if self.failing:
            for resting in self._resting:
                self.failed.append(resting)
                self._ended.append((resting, State.FAILED, {}))
            self._resting.clear()
            while self.ready:
                self._skip(self.ready.pop(), self.failed[0])
        self._settle()

    def stop(self) -> None:
        """Let nothing new start from the next failure on, whatever the policy: the run is to end."""
        self._stopped = True

    def rest(self, spot: Spot) -> None:
        """Put a spot that runs aside until `retry` or `fail`; after a first failure it fails with it."""
        self._stop(spot)
        spot.state = State.RESTING
        self._resting[spot] = None

    def retry(self, spot: Spot) -> None:
        """Make a spot that runs or rests ready again, before all others; not after a failure that stops the run."""
        self._stop(spot)
        spot.state = State.READY
        self.ready.appendleft(spot)

    def makers(self, spot: Spot) -> dict[str, tuple[str, ...]]:
        """Return the paths of the tasks that each input was made by, for inputs that any was; before the spot ends."""
        found = {name: makers(spot.frame.made(binding)) for name, binding in spot.step.inputs}
        return {name: paths for name, paths in found.items() if paths}

    def _stop(self, spot: Spot) -> None:
        if spot.state is _RUNNING:
            self.running -= 1
        elif spot.state is State.RESTING:
            del self._resting[spot]
        elif spot.state is State.BLOCKED:
            self.blocked.remove(spot)
        else:
            raise AssertionError(f"{spot.path} is {spot.state.value}, not running")

    def _settle(self) -> None:
        """Follow what has ended and what it lets begin, until only tasks are left."""
        ended, reached = self._ended, self._reached
        while True:
            if ended:
                self._end(*ended.pop())
            elif reached:
                self._reach(*reached.pop())
            else:
                return

    def _reach(self, frame: Frame, step: Step) -> None:
        """All before this step has ended: start it, or end it without a start."""
        inputs: dict[str, MaybeValue] = {}
        call, name = step.call, step.name
        self._grow(1)
        spot = frame.spots[name] = Spot(frame.prefix + name, step, call, frame, inputs)
        for port, binding in step.inputs:
            try:
                inputs[port] = bindings.evaluate(binding, frame)
            except InvalidValue as error:
                inputs[port] = UNKNOWN
                spot.problems = {**spot.problems, port: error}
        if (self.failed or self._tolerates) and (cause := self._cause(frame, step)) is not None:
            self._skip(spot, cause)
        elif frame.absent and frame.needs_absent(step):
            self._ended.append((spot, _NOT_TAKEN, {}))
        elif frame.rounds is not None and step.depends and not self._goes_on(spot, frame.rounds):
            pass  # it is not taken, or blocked
        elif isinstance(call, TaskCall):
            self.ready.append(spot)
        else:
            self._enter(spot)

    def _goes_on(self, spot: Spot, call: RepeatCall) -> bool:
        """Whether another round of a repeat begins; what becomes of it where it does not is settled here."""
        try:
            ended = rounds.ended(call, rounds.before(spot.step.name), spot.frame)
        except InvalidValue as error:
            ended, spot.problems = None, {**spot.problems, "": error}
        if ended is None:
            self._block(spot)
        elif ended:
            self._ended.append((spot, _NOT_TAKEN, {}))
        return ended is False

    def _cause(self, frame: Frame, step: Step) -> Spot | None:
        """The spot because of which a step does not start."""
        if self.failing:
            return self.failed[0]
        ended = (frame.trouble[name] for name in step.depends if name in frame.trouble)
        return next((spot for spot in ended if spot.state is not State.NOT_TAKEN), None)

    def _grow(self, spots: int) -> None:
        self._count += spots
        if self._count > MAX_SPOTS:
            raise TooLarge(f"the graph has more than {MAX_SPOTS} nodes")

    def _enter(self, spot: Spot) -> None:
        """Open the graph, the branch or the items of a spot, or find that it cannot be known here."""
        match spot.call:
            case GraphCall(graph):
                self._open(spot, graph, f"{spot.path}.")
            case BranchCall():
                self._choose(spot, spot.call)
            case MapCall():
                self._open_items(spot, spot.call)
            case RepeatCall():
                self._open_rounds(spot, spot.call)
            case TaskCall():
                raise AssertionError(f"{spot.path} is a task")
            case _:
                assert_never(spot.call)

    def _choose(self, spot: Spot, call: BranchCall) -> None:
        """Open the branch whose case holds."""
        taken, name, types = call.otherwise, calls.ELSE, dict(call.reads)
        for case in call.cases:
            try:
                holds = conditions.holds(case.when, spot.inputs, types)
            except InvalidValue as error:
                holds, spot.problems = None, {**spot.problems, case.name: error}
            if holds is None:
                self._block(spot)
                return
            if holds:
                taken, name = GraphCall(case.graph), case.name
                break
        if taken is None:
            self._ended.append((spot, State.NOT_TAKEN, {}))
        else:
            self._open(spot, taken.graph, f"{spot.path}.{name}.")

    def _open_rounds(self, spot: Spot, call: RepeatCall) -> None:
        """Open the graph of a repeat's rounds."""
        key = spot.frame.name, spot.step.name
        shape = self._shapes.get(key)
        if shape is None:
            graph = rounds.graph(spot.step, call)
            shape = self._shapes[key] = Shape(spot.frame.name, graph, with_reads=self._released is not None)
        self._begin_frame(spot, shape, f"{spot.path}.").rounds = call

    def _open(self, spot: Spot, name: str, prefix: str) -> None:
        shape = self._shapes.get(name)
        if shape is None:
            shape = Shape(name, self.plan.graphs[name], with_reads=self._released is not None)
            self._shapes[name] = shape
        self._begin_frame(spot, shape, prefix)

    def _begin_frame(self, spot: Spot, shape: Shape, prefix: str) -> Frame:
        depth = spot.frame.depth + 1
        if depth > MAX_DEPTH:
            raise TooDeep(f"graphs lie more than {MAX_DEPTH} deep in each other")
        spot.state = State.OPEN
        frame = spot.inner = Frame(shape, spot, prefix, depth)
        frame.borrows = spot.whole is not None
        for each, value in spot.inputs.items():
            frame.values[each] = spot.problems.get(each, value)
        for each, binding in spot.step.inputs:
            frame.behind[each] = spot.frame.made(binding)
            if each not in frame.uses and not frame.borrows:
                self._give_up(frame.behind[each])
        if self._released is not None and spot is not self.root:
            spot.inputs = {}  # the frame has them
        self._reached += [(frame, step) for step in shape.first]
        if not shape.graph.steps:
            self._close(frame, spot)
        return frame

    def _open_items(self, spot: Spot, call: MapCall) -> None:
        found = map_items.found(spot.inputs, call, compiled=self._compiled)
        if found.items is None:
            spot.problems = {**spot.problems, **found.problems}
            self._block(spot)
            return
        spot.batch, spot.count, count = found.size, found.count, found.spots
        if not count and call.needed(0):
            self._end_tolerant(spot, call)
            return
        if not count:
            self._done_map(spot, call)
        self._grow(count)
        spot.state, spot.left = State.OPEN, count
        along = map_items.along(spot.inputs, call, count)
        spot.items = tuple(self._item(spot, call, index, found.at(index), along) for index in range(count))
        self._begin(spot, count if self._compiled or not call.at_once else min(count, call.at_once))

    def _begin(self, spot: Spot, count: int) -> None:
        """Let the next items of a map begin."""
        items = spot.items[spot.begun : spot.begun + count]
        spot.begun += len(items)
        if items and isinstance(items[0].call, TaskCall):
            self.ready.extend(items)
            return
        for item in reversed(items):  # what is opened last is reached first
            self._enter(item)

    def _item(
        self, whole: Spot, call: MapCall, index: int, own: dict[str, Any], along: Mapping[str, list[MaybeValue]]
    ) -> Spot:
        if self._compiled and isinstance(call.item, GraphCall):  # whose nodes take the item out of a list of it alone
            own = {name: UNKNOWN if item is UNKNOWN else listed([item]) for name, item in own.items()}
        inputs = {**whole.inputs, **own, **{name: values[index] for name, values in along.items()}}
        item = Spot(f"{whole.path}({index})", whole.step, call.item, whole.frame, inputs)
        item.whole, item.problems = whole, whole.problems
        return item

    def _block(self, spot: Spot) -> None:
        spot.state = State.BLOCKED
        self.blocked.append(spot)

    def _skip(self, spot: Spot, cause: Spot) -> None:
        spot.because = cause.because or cause.path
        self._ended.append((spot, State.SKIPPED, {}))

    def _end(self, spot: Spot, state: State, outputs: Outputs) -> None:
        """A spot has ended: so has a part of its map or its graph."""
        spot.state = state
        if self._released is None or not isinstance(spot.call, TaskCall):
            spot.outputs = outputs
        if spot.whole is not None:
            self._end_item(spot.whole, spot, outputs)
        elif spot is self.root:
            return
        elif state is _DONE:
            if spot.inner is not None:
                self._keep_graph(spot, spot.inner, outputs)
            elif self._released is not None and spot.items and spot.items[0].inner is not None:
                self._keep_graphs(spot, outputs)
            else:
                self._keep(spot, outputs)
            self._end_step(spot)
        else:
            spot.frame.trouble[spot.step.name] = spot
            if state is _NOT_TAKEN:
                spot.frame.absent.add(spot.step.name)
            self._end_step(spot)
        if state is _SKIPPED or state is _NOT_TAKEN:
            self.skipped.append(spot)

    def _end_item(self, whole: Spot, item: Spot, outputs: Outputs) -> None:
        item.outputs = outputs  # until the list is made of them
        whole.left -= 1
        if whole.begun < len(whole.items):
            if self.failing:
                self._skip(whole.items[whole.begun], self.failed[0])
                whole.begun += 1
            else:
                self._begin(whole, 1)
        if whole.left:
            return
        ended = {each.state: each for each in reversed(whole.items)}
        assert isinstance(whole.call, MapCall)
        if whole.call.is_tolerant and State.SKIPPED not in ended:
            self._end_tolerant(whole, whole.call)
        elif State.FAILED in ended:
            self._ended.append((whole, State.FAILED, {}))
        elif State.SKIPPED in ended:
            self._skip(whole, ended[State.SKIPPED])
        else:
            self._done_map(whole, whole.call)
        if self._released is not None:
            for each in whole.items:
                each.inputs = each.outputs = {}

    def _end_tolerant(self, whole: Spot, call: MapCall) -> None:
        """All items of a map have ended, of which some may have failed."""
        failed, count = sum(each.state is State.FAILED for each in whole.items), whole.count
        successes = count - failed * (whole.batch or 1)  # where the items are batches, none fails here
        if successes >= call.needed(count):
            self._done_map(whole, call)
            return
        problem = too_few(successes, count, call.needed(count))
        whole.problems = {**whole.problems, "": problem}
        self._block(whole)

    def _done_map(self, whole: Spot, call: MapCall) -> None:
        try:
            outputs = map_items.published(self._lists(whole, call), call)
        except InvalidValue as error:
            whole.problems = {**whole.problems, "": error}
            self._block(whole)
        else:
            self._done(whole, outputs)

    def _lists(self, whole: Spot, call: MapCall) -> Outputs:
        if whole.batch:
            return map_items.joined((each.outputs for each in whole.items), call, whole.batch, whole.count)
        outputs = [each.outputs for each in whole.items]
        found = {name: [each.get(name) for each in outputs] for name in call.outputs}
        return {**{name: self._list(values) for name, values in found.items()}, **map_items.parts(outputs, call)}

    def _list(self, values: list[MaybeValue]) -> MaybeValue:
        found = bindings.listed(values)
        return listed(found) if self._compiled and isinstance(found, list) else found

    def _end_step(self, spot: Spot) -> None:
        frame, name = spot.frame, spot.step.name
        if self._released is not None:
            self._forget(spot)
        waits, after = frame.waits, frame.shape.after.get(name, ())
        for step in after:
            left = waits[step.name] = waits[step.name] - 1
            if not left and len(after) == 1 and isinstance(step.call, TaskCall):
                self._reach(frame, step)  # as in a chain: nothing else could come before it
            elif not left:
                self._reached.append((frame, step))
        frame.left -= 1
        if not frame.left:
            assert frame.spot is not None
            self._close(frame, frame.spot)

    def _forget(self, spot: Spot) -> None:
        """Let go of the values of a spot that has ended: its frame has those that are still read."""
        if spot.inner is None or spot.items:
            for _, binding in spot.step.inputs:
                self._give_up(spot.frame.made(binding))
        if isinstance(spot.call, TaskCall):
            del spot.frame.spots[spot.step.name]
        else:
            spot.inputs = spot.outputs = {}

    def _keep(self, spot: Spot, outputs: Outputs) -> None:
        """Make the outputs of a task or map that is done those of its step."""
        frame, name = spot.frame, spot.step.name
        for output, value in outputs.items():
            if self._released is None or (name, output) in frame.uses:
                frame.values[name, output] = value
            else:
                self._released(value)

    def _keep_graph(self, spot: Spot, inner: Frame, outputs: Outputs) -> None:
        """Make the outputs of a graph that is done those of the step that opened it."""
        frame, name = spot.frame, spot.step.name
        for output, binding in inner.graph.outputs:
            source = name, output
            frame.behind[source] = inner.made(binding)
            if output in outputs:
                frame.values[source] = outputs[output]
            else:
                frame.absent.add(source)
            if source not in frame.uses:
                self._give_up(frame.behind[source])

    def _keep_graphs(self, spot: Spot, outputs: Outputs) -> None:
        """Make the lists that a map made those of its step: they may hold what its graphs made, or only passed on."""
        frame, name = spot.frame, spot.step.name
        inner = [item.inner for item in spot.items if item.inner is not None]
        given = [made for _, binding in spot.step.inputs for made in frame.made(binding)]
        for output, binding in inner[0].graph.outputs:
            source = name, output
            passed = frame.passed[source] = [*given, *(made for each in inner for made in each.made(binding))]
            for _, read in given:
                frame.uses[read] += 1
            if source in frame.uses:
                frame.values[source] = outputs.get(output, UNKNOWN)
            else:
                self._give_up(passed)

    def _close(self, frame: Frame, spot: Spot) -> None:
        """Everything in a graph has ended: so has the spot that opened it, unless an output cannot be known here."""
        bad = [each for each in frame.trouble.values() if each.state is not State.NOT_TAKEN]
        if bad:
            for _, binding in frame.graph.outputs:
                self._give_up(frame.made(binding))
            failed = next((each for each in bad if each.state is State.FAILED), None)
            if failed is None:
                self._skip(spot, bad[0])
            else:
                spot.because = failed.because or failed.path
                self._ended.append((spot, State.FAILED, {}))
            return
        if frame.rounds is not None:
            self._give_up(frame.only_last())
        outputs: dict[str, MaybeValue] = {}
        for name, binding in frame.graph.outputs:
            if frame.absent and frame.lacks(binding):
                continue
            try:
                outputs[name] = bindings.evaluate(binding, frame)
            except InvalidValue as error:
                outputs[name] = UNKNOWN
                spot.problems = {**spot.problems, name: error}
        self._done(spot, outputs)

    def _done(self, spot: Spot, outputs: Outputs) -> None:
        """All that lies in a spot is done: so is the spot, if its outputs are known here."""
        if UNKNOWN in outputs.values():
            spot.outputs = outputs
            self._block(spot)
        else:
            self._ended.append((spot, State.DONE, outputs))

    def _give_up(self, read: list[Made]) -> None:
        """One use less of each of these values."""
        if self._released is not None:
            for value in given_up(read):
                self._released(value)


def tolerated(spot: Spot) -> bool:
    """Whether a failure of this spot is one of an item that may fail, or of what lies in one."""
    return any(calls.is_tolerant(whole.call) for whole in maps(spot))


def written(spot: Spot) -> tuple[str, str]:
    """The graph and the node in which a spot is written; that of a round is the node of its repeat."""
    while spot.frame.rounds is not None and spot.frame.spot is not None:
        spot = spot.frame.spot
    return spot.frame.name, spot.step.name


def maps(spot: Spot) -> Iterator[Spot]:
    """The maps in which a spot lies, the innermost first."""
    at: Spot | None = spot
    while at is not None:
        if at.whole is not None:
            yield at.whole
        at = at.whole or at.frame.spot
