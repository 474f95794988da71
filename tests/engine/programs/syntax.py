"""The syntax of a random program, and its text as people would write it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, TypeAlias

TYPES = {
    "int": "int",
    "opt": "int | None",
    "ints": "list[int]",
    "opts": "list[int | None]",
    "rows": "list[list[int]]",
    "pair": "Pair",
    "pairs": "list[Pair]",
}
"""The types of values, as they are written."""
PARTS = {"left": "int", "right": "opt", "many": "ints"}
"""The parts of a pair that are values of a type."""


@dataclasses.dataclass(frozen=True)
class Constant:
    """A value that is written."""

    type: str
    text: str


@dataclasses.dataclass(frozen=True)
class Variable:
    """An input of the workflow, or a result.

    Attributes:
        type: One of `TYPES`; empty for what gives nothing and can only be waited for.
        name: In the text.
        origin: `input`; `task` for what tasks make; `list` for a map's results; `mixed` for what is passed on.
        inputs: Of the workflow, those that it passes on.
    """

    type: str
    name: str
    origin: str
    inputs: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a pair."""

    type: str
    whole: Variable
    part: str

    @property
    def text(self) -> str:
        return f"{self.whole.name}.{self.part}"


@dataclasses.dataclass(frozen=True)
class Several:
    """A list of single values."""

    items: tuple[Constant | Variable | Part, ...]
    type: str = "ints"

    @property
    def text(self) -> str:
        return f"[{', '.join(item.text for item in self.items)}]"


Value: TypeAlias = Constant | Variable | Part | Several


@dataclasses.dataclass(frozen=True)
class Parameter:
    """An input of a workflow or task; `default` is the text of its default."""

    name: str
    type: str
    default: str = ""


@dataclasses.dataclass(frozen=True)
class Task:
    """A task of `pieces`: what it takes and gives."""

    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    deciding: frozenset[str] = frozenset()


@dataclasses.dataclass
class Flow:
    """A workflow.

    Attributes:
        deciding: The inputs that a condition, a map's length or a repeat reads.
        kind: `item` keeps to what a mapped workflow may give, `step` to what one that is repeated may.
    """

    name: str
    inputs: tuple[Parameter, ...]
    body: Body
    deciding: frozenset[str] = frozenset()
    kind: str = "any"

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.body.types


Callee: TypeAlias = Task | Flow


@dataclasses.dataclass
class Body:
    """Statements and what they give, of these types."""

    statements: list[Statement]
    results: list[Value]
    types: tuple[str, ...]


@dataclasses.dataclass
class Call:
    """A call; `given` is by the names of inputs."""

    node: str
    made: tuple[Variable, ...]
    callee: Callee
    given: dict[str, Value]


@dataclasses.dataclass
class Map:
    """A map; `over` are the inputs that are lists, and `options` as they are written."""

    node: str
    made: tuple[Variable, ...]
    callee: Callee
    over: dict[str, Value]
    given: dict[str, Value]
    options: str


@dataclasses.dataclass
class Repeat:
    """A repeat; `until` is a condition on `made`, as its lambda calls what a round gives."""

    node: str
    made: tuple[Variable, ...]
    callee: Callee
    given: dict[str, Value]
    until: str
    rounds: int


@dataclasses.dataclass
class Branch:
    """A conditional. A case ends in a body, or in a failure, whose call is a text.

    Attributes:
        otherwise: The last branch; None without one.
        or_none: Whether the results are None then, and not absent.
    """

    node: str
    made: tuple[Variable, ...]
    cases: list[tuple[str, Body | str]]
    otherwise: Body | str | None
    or_none: bool = False


@dataclasses.dataclass
class Order:
    """A wait of one result for another."""

    first: Variable
    second: Variable


Statement: TypeAlias = Call | Map | Repeat | Branch | Order


@dataclasses.dataclass
class Program:
    """Workflows, of which the last one is the program, and the inputs that it is run with, as JSON."""

    flows: list[Flow]
    inputs: dict[str, Any]

    def text(self, prefix: str = "") -> str:
        """The workflows as a module has them, without its imports, with a prefix before their names."""
        return "\n\n".join("\n".join(_flow(flow, prefix)) for flow in self.flows)


HEAD = '''"""Programs that were made at random."""

from functools import partial

from alula import conditional, is_none, map_task, order, repeat, workflow
from pieces import Pair, add, better, counted, half, heavy, inc, known, numbers, pair, pairs
from pieces import pace, picky, rows, split, spread, total, two, weigh

'''


def _flow(flow: Flow, prefix: str) -> Iterator[str]:
    inputs = ", ".join(
        f"{each.name}: {TYPES[each.type]}" + (f" = {each.default}" if each.default else "") for each in flow.inputs
    )
    given = [TYPES[each] for each in flow.outputs]
    made = given[0] if len(given) == 1 else f"tuple[{', '.join(given)}]"
    yield '@workflow(failure_policy="continue")'
    yield f"def {prefix}{flow.name}({inputs}) -> {made}:"
    yield from (f"    {line}" for line in _body(flow.body, prefix))


def _body(body: Body, prefix: str) -> Iterator[str]:
    for statement in body.statements:
        yield from _statement(statement, prefix)
    if body.types:
        yield f"return {', '.join(value.text for value in body.results)}"


def _statement(statement: Statement, prefix: str) -> Iterator[str]:
    match statement:
        case Order(first, second):
            yield f"order({first.name}, {second.name})"
        case Call(node, made, callee, given):
            yield f"{_made(made)}{_name(callee, prefix)}.named({node!r})({_given(given)})"
        case Map(node, made, callee, over, given, options):
            lists = ", ".join(value.text for value in over.values())
            called = f"map_task({_name(callee, prefix)}{options}).named({node!r})"
            if list(over) == [each.name for each in callee.inputs][: len(over)]:
                yield f"{_made(made)}{called}({lists}{', ' if given else ''}{_given(given)})"
            else:
                bound = f"partial({_name(callee, prefix)}, {_given(given)})"
                yield f"{_made(made)}map_task({bound}{options}).named({node!r})({_given(over)})"
        case Repeat(node, made, callee, given, until, rounds):
            called = f"repeat({_name(callee, prefix)}, until=lambda made: {until}, max={rounds})"
            yield f"{_made(made)}{called}.named({node!r})({_given(given)})"
        case Branch(node, made, cases, otherwise, or_none):
            ends = []
            for number, (when, end) in enumerate(cases):
                yield from _branch(end, f"{node}_{number}", prefix)
                ends.append(f".{'elif_' if number else 'if_'}({when}){_end(end, f'{node}_{number}')}")
            if otherwise is not None:
                yield from _branch(otherwise, f"{node}_else", prefix)
                ends.append(f".else_(){_end(otherwise, f'{node}_else')}")
            ends += [".or_none()"] * or_none
            yield f"{_made(made)}conditional({node!r}){''.join(ends)}"


def _branch(end: Body | str, name: str, prefix: str) -> Iterator[str]:
    if not isinstance(end, str) and end.statements:
        yield f"def {name}():"
        yield from (f"    {line}" for line in _body(end, prefix))


def _end(end: Body | str, name: str) -> str:
    if isinstance(end, str):
        return end
    if end.statements:
        return f".then({name}())"
    results = ", ".join(value.text for value in end.results)
    return f".then({results})" if len(end.results) == 1 else f".then(({results}))"


def _made(made: tuple[Variable, ...]) -> str:
    return f"{', '.join(each.name for each in made)} = " if made else ""


def _name(callee: Callee, prefix: str) -> str:
    return callee.name if isinstance(callee, Task) else prefix + callee.name


def _given(given: dict[str, Value]) -> str:
    return ", ".join(f"{name}={value.text}" for name, value in given.items())
