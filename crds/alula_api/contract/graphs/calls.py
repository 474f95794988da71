"""What a node does: one tagged union for the resource, the compiler, the stored plan and the walk.

A new kind of call is a class here with its form in JSON; what else must know it asks these functions, or matches on the
union, where a type checker finds what is missing. To come: `RunCall` (a child run) and `GateCall` (a person's answer).
"""

from __future__ import annotations

import fractions
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, assert_never

from alula_api.contract import lists
from alula_api.contract.families import Schema
from alula_api.contract.graphs import conditions
from alula_api.contract.graphs.conditions import Condition
from alula_api.contract.problems import InvalidValue, Problem, member, shown


@dataclass(frozen=True, slots=True)
class TaskCall:
    """Runs a task."""

    task: str


@dataclass(frozen=True, slots=True)
class GraphCall:
    """Runs a graph."""

    graph: str


@dataclass(frozen=True, slots=True)
class MapCall:
    """Runs a task or graph once for each item of one or several lists of equal length.

    Attributes:
        item: What runs for an item.
        over: The inputs whose items are taken; the others are the same for all.
        outputs: The outputs of `item`, each of which becomes a list in the order of the items.
        concurrency: How many items may run at one time; 0 for as many as there are.
        min_successes: How many items must succeed; with None and without a ratio all. The others are null in the lists.
        min_success_ratio: The share of them that must, as a decimal with at most 6 digits behind the point.
        batch: How many items one pod takes, `lists.AUTO` for as many as the length decides; None for a pod each.
            `concurrency` counts pods then.
        parallel: How many items of a batch run at one time.
        along: Only in what is compiled: inputs of which an item gets the one at its index, as `over`, but which are
            lists of what is published of something, such as a part of each item. No resource has any.
        parts: Likewise outputs that list what is published of an output of the items; each with the item's own.
        as_items: Likewise outputs that are published as an item of another map's list too, in whose item the map lies.
        of_lists: Likewise outputs whose items may be such lists, so that only their number does not bound them.
    """

    item: TaskCall | GraphCall
    over: tuple[str, ...]
    outputs: tuple[str, ...]
    concurrency: int = 0
    min_successes: int | None = None
    min_success_ratio: str | None = None
    batch: int | None = None
    parallel: int = 1
    along: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    as_items: tuple[str, ...] = ()
    of_lists: tuple[str, ...] = ()

    @property
    def at_once(self) -> int:
        """How many items may run at one time; 0 for as many as there are."""
        return self.concurrency * self.parallel

    @property
    def is_tolerant(self) -> bool:
        """Whether items may fail."""
        return self.min_successes is not None or self.min_success_ratio is not None

    def needed(self, count: int) -> int:
        """Return how many of so many items must succeed."""
        if not self.is_tolerant:
            return count
        numerator, denominator = self.share
        return max(self.min_successes or 0, -(-numerator * count // denominator))

    @property
    def share(self) -> tuple[int, int]:
        """The least share of items that must succeed, as numerator and denominator."""
        return fractions.Fraction(self.min_success_ratio or "0").as_integer_ratio()


@dataclass(frozen=True, slots=True)
class Case:
    """A branch of a conditional.

    Attributes:
        name: Of the branch, `then` or `elif-1`; a part of the paths inside it.
        when: Says whether it is taken, if no case before it is.
        graph: What runs then.
    """

    name: str
    when: Condition
    graph: str


@dataclass(frozen=True, slots=True)
class BranchCall:
    """Runs the graph of the first case that holds, else the last one; without one the step is not taken.

    Attributes:
        cases: In the order in which they are asked.
        otherwise: What runs when none of them holds.
        reads: The inputs that the conditions read, and their types.
    """

    cases: tuple[Case, ...]
    otherwise: GraphCall | None = None
    reads: tuple[tuple[str, Schema], ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """A value that the condition of a repeat reads.

    Attributes:
        name: In the condition; without an `output` that of an input of the node, which no round gets.
        type: Of the value.
        output: Of the round that has ended, in which the value lies.
        path: Where it lies there.
    """

    name: str
    type: Schema
    output: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RepeatCall:
    """Runs a task or graph round after round: what a round makes is what the next one takes.

    Attributes:
        step: What runs in each round.
        until: Asked after each round; where it holds there is no other one.
        max: The most rounds. After the last one nothing is asked: the repeat is done, whatever `until` says.
        state: Inputs of the step that get an output of the round before, each with that output.
        outputs: Those of the step; of the repeat they are those of its last round.
        watched: What `until` reads.
    """

    step: TaskCall | GraphCall
    until: Condition
    max: int
    state: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    watched: tuple[Watched, ...] = ()

    @property
    def own(self) -> tuple[str, ...]:
        """The inputs of the node that only the condition reads."""
        return tuple(each.name for each in self.watched if not each.output)


Call: TypeAlias = TaskCall | GraphCall | MapCall | BranchCall | RepeatCall
PART_OF_STATE: Final = "a repeated workflow takes a whole value, and gets a part of one or a list of single values"
"""What is wrong where the first round of a graph would take another form of value than the others."""
WHOLE_STATE: Final = "let a task make the value that the first round gets"
PART_IN_LIST: Final = "a map takes a list of whole values, and this one has a part of a value in it"
COLLECT: Final = "collect the list in a task"
"""What to do about that."""
IN_NO_PIECE: Final = "{} the list that the map {} makes, which is nowhere in one piece"
"""What is wrong with a decision, or with what a mapped workflow gives; see `USES`."""
USES: Final = {
    "scalar": "it looks into",
    "items": "it goes over",
    "batches": "it goes over",
    "item": "its items return",
}
"""What a node does with a value, by the form in which it asks for it to be published."""
TAKE_LIST: Final = "let a task take the list and return what is needed"
RUNS_NO_TASK: Final = "{} runs a graph {}, and the graph {} runs no task"
"""What is wrong with a map or repeat of a workflow that only passes values on."""
OF_ITEMS: Final = ("a map", "for each item")
OF_ROUNDS: Final = ("a repeat", "in each round")
LEAVE_OUT: Final = "leave the {} out"
MAX_ROUNDS: Final = 50
"""Of a repeat: each is a task of one DAG, and the engine asks of all of them again and again."""
ELSE: Final = "else"
"""The name of the last branch of a conditional."""
KINDS: Final = ("task", "graph", "map", "branch", "repeat")
"""The members of a node in JSON, of which it has exactly one."""
_SINGLE: Final = ("task", "graph")


def parts(call: Call) -> tuple[TaskCall | GraphCall, ...]:
    """Return the calls of a task or graph that a call may make, in their order."""
    match call:
        case TaskCall() | GraphCall():
            return (call,)
        case MapCall(item) | RepeatCall(item):
            return (item,)
        case BranchCall(cases, otherwise):
            return (*(GraphCall(case.graph) for case in cases), *((otherwise,) if otherwise else ()))
        case _:
            assert_never(call)


def graphs(call: Call) -> tuple[str, ...]:
    """Return the graphs that a call may run, in their order."""
    return tuple(part.graph for part in parts(call) if isinstance(part, GraphCall))


def tasks(call: Call) -> tuple[str, ...]:
    """Return the tasks that a call itself may run; those in the graphs that it runs are not among them."""
    return tuple(part.task for part in parts(call) if isinstance(part, TaskCall))


def with_graphs(call: Call, renamed: Callable[[str], str]) -> Call:
    """Return the call with other graphs in place of those that it runs."""
    match call:
        case TaskCall():
            return call
        case GraphCall(graph):
            return GraphCall(renamed(graph))
        case MapCall(item):
            return replace(call, item=GraphCall(renamed(item.graph))) if isinstance(item, GraphCall) else call
        case RepeatCall(step):
            return replace(call, step=GraphCall(renamed(step.graph))) if isinstance(step, GraphCall) else call
        case BranchCall(cases, otherwise):
            found = tuple(replace(case, graph=renamed(case.graph)) for case in cases)
            return replace(call, cases=found, otherwise=GraphCall(renamed(otherwise.graph)) if otherwise else None)
        case _:
            assert_never(call)


def deciding(call: Call) -> tuple[str, ...]:
    """Return the inputs that decide what a call runs, or how often."""
    match call:
        case TaskCall() | GraphCall():
            return ()
        case MapCall(_, over):
            return over
        case BranchCall(reads=reads):
            return tuple(name for name, _ in reads)
        case RepeatCall():
            return call.own
        case _:
            assert_never(call)


def reads(call: Call) -> tuple[tuple[str, Schema], ...]:
    """Return what the conditions of a call read, with the types that they read it as."""
    if isinstance(call, RepeatCall):
        return tuple((each.name, each.type) for each in call.watched)
    return call.reads if isinstance(call, BranchCall) else ()


def over(call: Call) -> tuple[str, ...]:
    """Return the inputs whose items a map takes; no other call takes any."""
    return call.over if isinstance(call, MapCall) else ()


def listed(call: Call) -> tuple[str, ...]:
    """Return the outputs of a map, of which each is a list of what its items made; no other call makes such lists."""
    return call.outputs if isinstance(call, MapCall) else ()


def watched(call: Call) -> tuple[Watched, ...]:
    """Return what the condition of a repeat reads; no other call watches anything."""
    return call.watched if isinstance(call, RepeatCall) else ()


def fed(call: Call) -> dict[str, str]:
    """Return the inputs of a repeat's step that get an output of the round before, with that output; no other's do."""
    return dict(call.state) if isinstance(call, RepeatCall) else {}


def most_rounds(call: Call) -> int:
    """Return how often what a call runs may run one after the other: the rounds of a repeat, and else once."""
    return call.max if isinstance(call, RepeatCall) else 1


def at_once(call: Call) -> int:
    """Return how often what a call runs may run at one time, as far as it says so."""
    return max(1, call.concurrency) if isinstance(call, MapCall) else 1


def batch(call: Call) -> int | None:
    """Return how many items of a map a pod takes, `lists.AUTO` for what the length decides; None for a pod each."""
    return call.batch if isinstance(call, MapCall) else None


def is_batched(call: Call) -> bool:
    """Tell whether a call is a map of which a pod takes several items."""
    return isinstance(call, MapCall) and call.batch is not None


def hands_out_parts(call: Call) -> bool:
    """Tell whether a call is a map whose items get, or are asked for, published parts."""
    return isinstance(call, MapCall) and bool(call.along or call.parts)


def makes_lists_of_lists(call: Call) -> bool:
    """Tell whether a call is a map that makes an item of another map's list, or a list of such items."""
    return isinstance(call, MapCall) and bool(call.as_items or call.of_lists)


def is_tolerant(call: Call) -> bool:
    """Tell whether a call is a map of which items may fail."""
    return isinstance(call, MapCall) and call.is_tolerant


def is_optional(call: Call) -> bool:
    """Tell whether a call may run nothing at all, so that its outputs need not be there."""
    return isinstance(call, BranchCall) and call.otherwise is None


def branches(call: Call) -> dict[str, str]:
    """Return the graph of each branch of a conditional by the branch's name, in their order; no other call has any."""
    if not isinstance(call, BranchCall):
        return {}
    last = {ELSE: call.otherwise.graph} if call.otherwise else {}
    return {case.name: case.graph for case in call.cases} | last


def name(call: Call) -> str:
    """Return what people call it: the task or graph that it runs, or the kind of the call."""
    match call:
        case TaskCall(name) | GraphCall(name):
            return name
        case MapCall(item) | RepeatCall(item):
            return name_of_item(item)
        case BranchCall():
            return "branch"
        case _:
            assert_never(call)


def described(call: Call) -> str:
    """Return what messages call it: `task load`, `graph score`, `the map of task fit`."""
    match call:
        case TaskCall(task):
            return f"task {task}"
        case GraphCall(graph):
            return f"graph {graph}"
        case MapCall(item):
            return f"the map of {described(item)}"
        case RepeatCall(step):
            return f"the repeat of {described(step)}"
        case BranchCall():
            return "the branch"
        case _:
            assert_never(call)


def name_of_item(item: TaskCall | GraphCall) -> str:
    """Return the task or graph that runs for an item or in a round."""
    return item.task if isinstance(item, TaskCall) else item.graph


# JSON


Spell: TypeAlias = Callable[[Schema], Any]
"""The form of a type: text in a resource, the type itself in a plan."""
Parse: TypeAlias = Callable[[Any], Schema]
"""The reverse; raises `InvalidValue`."""


def to_json(call: Call, spell: Spell) -> dict[str, Any]:
    """Return the member that a node has in JSON: `{"task": "load"}`."""
    match call:
        case TaskCall(task):
            return {"task": task}
        case GraphCall(graph):
            return {"graph": graph}
        case MapCall(item, over, outputs):
            chosen = {
                "concurrency": call.concurrency or None,
                "minSuccesses": call.min_successes,
                "minSuccessRatio": call.min_success_ratio,
                "batch": call.batch,
                "parallel": call.parallel if call.parallel != 1 else None,
                "along": list(call.along) or None,
                "parts": [{"name": name, "of": of} for name, of in call.parts] or None,
                "asItems": list(call.as_items) or None,
                "ofLists": list(call.of_lists) or None,
            }
            written = {name: value for name, value in chosen.items() if value is not None}
            return {"map": {**to_json(item, spell), "over": list(over), "outputs": list(outputs), **written}}
        case BranchCall(cases, otherwise, reads):
            found: dict[str, Any] = {
                "reads": [{"name": name, "type": spell(schema)} for name, schema in reads],
                "cases": [{"name": c.name, "when": conditions.text(c.when), "graph": c.graph} for c in cases],
            }
            return {"branch": found | ({"otherwise": otherwise.graph} if otherwise else {})}
        case RepeatCall(step, until, most, state, outputs, watched):
            return {
                "repeat": {
                    **to_json(step, spell),
                    "until": conditions.text(until),
                    "max": most,
                    "state": [{"input": name, "output": output} for name, output in state],
                    "outputs": list(outputs),
                    "reads": [_watched_json(each, spell) for each in watched],
                }
            }
        case _:
            assert_never(call)


def _watched_json(watched: Watched, spell: Spell) -> dict[str, Any]:
    where = {"output": watched.output or None, "path": list(watched.path) or None}
    return {"name": watched.name, "type": spell(watched.type)} | {k: v for k, v in where.items() if v is not None}


def from_json(found: dict[str, Any], parse: Parse, where: str = "$") -> Call:
    """Return the call of a node in JSON, which may have other members beside it.

    Raises:
        InvalidValue: It has none, or several, or a malformed one; names the place.
    """
    kind, inner = _kind(found, KINDS, where)
    at = member(where, kind)
    if kind in _SINGLE:
        return _single(kind, inner, at)
    if not isinstance(inner, dict):
        raise _invalid(at, f"must be an object, not {shown(inner)}")
    if kind == "map":
        over = _texts(inner, "over", at)
        if not over:
            raise _invalid(member(at, "over"), "must name a list to go over")
        item_kind, item = _kind(inner, _SINGLE, at)
        outputs = _texts(inner, "outputs", at) if inner.get("outputs") is not None else ()
        batch = _count(inner, "batch", at, least=lists.AUTO, most=lists.MAX_BATCH)
        return MapCall(
            _single(item_kind, item, at),
            over,
            outputs,
            _count(inner, "concurrency", at) or 0,
            _count(inner, "minSuccesses", at),
            _ratio(inner, "minSuccessRatio", at),
            batch,
            _count(inner, "parallel", at, most=lists.MAX_BATCH) or 1,
            _texts(inner, "along", at),
            tuple(
                (_text(each, "name", where), _text(each, "of", where)) for each, where in _objects(inner, "parts", at)
            ),
            _texts(inner, "asItems", at),
            _texts(inner, "ofLists", at),
        )
    return _branch(inner, parse, at) if kind == "branch" else _repeat(inner, parse, at)


def _repeat(found: dict[str, Any], parse: Parse, at: str) -> RepeatCall:
    kind, step = _kind(found, _SINGLE, at)
    most = _count(found, "max", at)
    if most is None or most > MAX_ROUNDS:
        raise _invalid(member(at, "max"), f"must be a whole number from 1 to {MAX_ROUNDS}, not {shown(most)}")
    outputs = _texts(found, "outputs", at)
    state = tuple(
        (_text(each, "input", where), _one_of(outputs, each, where)) for each, where in _objects(found, "state", at)
    )
    if not state:
        raise _invalid(member(at, "state"), "must have an input that gets what the round before made")
    if len(dict(state)) < len(state):
        raise _invalid(member(at, "state"), "must name each input once")
    watched = tuple(
        Watched(
            _text(each, "name", where),
            _type(each, parse, where),
            _one_of(outputs, each, where) if each.get("output") is not None else "",
            _texts(each, "path", where),
        )
        for each, where in _objects(found, "reads", at)
    )
    until = _condition(found, "until", at)
    _known(until, "until", {each.name for each in watched}, at)
    return RepeatCall(_single(kind, step, at), until, most, state, outputs, watched)


def _one_of(outputs: tuple[str, ...], found: dict[str, Any], where: str) -> str:
    output = _text(found, "output", where)
    if output not in outputs:
        raise _invalid(member(where, "output"), f"is `{output}`, which is not among `outputs`")
    return output


def _known(condition: Condition, key: str, known: Collection[str], where: str) -> None:
    for name in conditions.reads(condition):
        if name not in known:
            raise _invalid(member(where, key), f"reads `{name}`, which is not among `reads`")


def _branch(found: dict[str, Any], parse: Parse, at: str) -> BranchCall:
    reads = tuple(
        (_text(each, "name", where), _type(each, parse, where)) for each, where in _objects(found, "reads", at)
    )
    known = {name for name, _ in reads}
    cases = []
    for each, where in _objects(found, "cases", at):
        when = _condition(each, "when", where)
        _known(when, "when", known, where)
        cases.append(Case(_text(each, "name", where), when, _text(each, "graph", where)))
    if not cases:
        raise _invalid(member(at, "cases"), "must have a case")
    otherwise = GraphCall(_text(found, "otherwise", at)) if found.get("otherwise") is not None else None
    return BranchCall(tuple(cases), otherwise, reads)


def _type(found: dict[str, Any], parse: Parse, where: str) -> Schema:
    at = member(where, "type")
    try:
        return parse(found.get("type"))
    except InvalidValue as error:
        raise InvalidValue([Problem(at, each.message, each.code) for each in error.problems]) from None


def _condition(found: dict[str, Any], key: str, where: str) -> Condition:
    try:
        return conditions.parse(_text(found, key, where))
    except InvalidValue as error:
        raise _invalid(member(where, key), error.problems[0].message) from None


def _objects(found: dict[str, Any], key: str, where: str) -> list[tuple[dict[str, Any], str]]:
    at, listed = member(where, key), found.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _invalid(at, f"must be a list of objects, not {shown(listed)}")
    return [(each, f"{at}[{index}]") for index, each in enumerate(listed)]


def _kind(found: dict[str, Any], allowed: tuple[str, ...], where: str) -> tuple[str, Any]:
    kinds = [kind for kind in allowed if found.get(kind) is not None]
    if len(kinds) != 1:
        message = f"must have exactly one of {', '.join(allowed)}, not {' and '.join(kinds) or 'none'}"
        raise _invalid(where, message)
    return kinds[0], found[kinds[0]]


def _single(kind: str, name: object, where: str) -> TaskCall | GraphCall:
    if not isinstance(name, str):
        raise _invalid(where, f"must be a text, not {shown(name)}")
    return TaskCall(name) if kind == "task" else GraphCall(name)


def _text(found: dict[str, Any], key: str, where: str) -> str:
    text = found.get(key)
    if not isinstance(text, str):
        raise _invalid(member(where, key), f"must be a text, not {shown(text)}")
    return text


RATIO: Final = r"0(\.[0-9]{1,6})?|1(\.0{1,6})?"
"""The form of a ratio, a regular expression."""


def _ratio(found: dict[str, Any], key: str, where: str) -> str | None:
    text = found.get(key)
    if text is not None and (not isinstance(text, str) or re.fullmatch(RATIO, text) is None):
        raise _invalid(member(where, key), f"must be a text like 0.75, from 0 to 1, not {shown(text)}")
    return text


def _count(found: dict[str, Any], key: str, where: str, *, least: int = 1, most: float = float("inf")) -> int | None:
    """A number, positive unless it is said otherwise; None where none is written."""
    count = found.get(key)
    if count is None:
        return None
    is_number = isinstance(count, (int, float)) and not isinstance(count, bool)
    if not is_number or count != int(count) or not least <= count <= most:
        to = f" to {most:,}" if most != float("inf") else ""
        raise _invalid(member(where, key), f"must be a whole number from {least}{to}, not {shown(count)}")
    return int(count)  # to an API server 1.0 is an integer


def _texts(found: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    texts = [] if found.get(key) is None else found[key]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _invalid(member(where, key), f"must be a list of texts, not {shown(texts)}")
    return tuple(texts)


def _invalid(where: str, message: str) -> InvalidValue:
    return InvalidValue([Problem(where, message)])
