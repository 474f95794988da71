"""Makes random programs that are right: what they give is of its type, and nothing is done that the docs exclude."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tests.engine.programs.syntax import (
    PARTS,
    Body,
    Branch,
    Call,
    Callee,
    Constant,
    Flow,
    Map,
    Order,
    Parameter,
    Part,
    Program,
    Repeat,
    Several,
    Statement,
    Task,
    Value,
    Variable,
)

TASKS = (
    Task("inc", (Parameter("x", "int"),), ("int",)),
    Task("add", (Parameter("x", "int"), Parameter("y", "int", "5")), ("int",)),
    Task("picky", (Parameter("x", "int"),), ("int",)),
    Task("half", (Parameter("x", "int"),), ("opt",)),
    Task("known", (Parameter("x", "opt"),), ("int",)),
    Task("numbers", (Parameter("n", "int"),), ("ints",)),
    Task("total", (Parameter("xs", "ints"),), ("int",)),
    Task("counted", (Parameter("xs", "opts"),), ("int",)),
    Task("pair", (Parameter("x", "int"), Parameter("y", "int")), ("pair",)),
    Task("pairs", (Parameter("n", "int"),), ("pairs",)),
    Task("heavy", (Parameter("ps", "pairs"),), ("int",)),
    Task("better", (Parameter("p", "pair"), Parameter("by", "int", "2")), ("pair",)),
    Task("pace", (Parameter("x", "int"), Parameter("y", "int")), ("int", "int")),
    Task("weigh", (Parameter("p", "pair"),), ("int",)),
    Task("two", (Parameter("x", "int"),), ("int", "int")),
    Task("rows", (Parameter("n", "int"),), ("rows",)),
    Task("spread", (Parameter("xss", "rows"),), ("int",)),
    Task("split", (Parameter("x", "int"),), ("int", "ints")),
)
_BY_NAME = {each.name: each for each in TASKS}
_CONSTANTS = {
    "int": [str(number) for number in range(10)],
    "opt": ["None", "4", "7"],
    "ints": ["[]", "[1, 2]", "[6, 3, 8]"],
    "opts": ["[]", "[1, None]"],
    "rows": ["[]", "[[1], [], [2, 3]]"],
    "pairs": ["[]"],
}
_INPUTS: dict[str, tuple[Any, ...]] = {
    "int": tuple(range(13)),
    "opt": (None, 4, 7),
    "ints": ([], [5], [2, 9], [3, 3, 7]),
    "rows": ([], [[]], [[4, 1], [2]]),
    "pairs": (
        [],
        [{"left": 3, "right": None, "even": False, "many": [1, 4], "text": "é {{=1+1}}"}],
        [
            {"left": 6, "right": 2, "even": True, "many": [], "text": "z" * 200},
            {"left": 1, "right": 5, "even": False, "many": [8], "text": ""},
        ],
    ),
}
"""What a run may be given, as JSON."""
_LISTS = {"int": "ints", "opt": "opts", "pair": "pairs", "ints": "rows"}
"""The type of a list by that of its items."""
_ASKED = {"better": ("made.left", "made.right"), "pace": ("made[0]", "made[1]")}
"""Of what a round of a task makes, what a condition may read, where that is not all of it."""
_SINGLE = {"ints": "int", "pairs": "pair"}
"""The lists that may be written item by item, and what these are."""
_WRITTEN = {"int": "3", "pair": "Pair(left=4, right=None, even=True, many=[5, 6], text='é {{=1+1}}')"}
_OPTIONAL_LISTS = {"int": "opts", "opt": "opts"}
"""The same where items may fail."""
_TOLERANCES = ("min_successes=1", "min_success_ratio=0.0", "min_success_ratio=0.25", "min_success_ratio=0.5")
_V = TypeVar("_V", bound=Value)
_KINDS = ("any", "item", "item", "step")


def program(rng: random.Random, size: int = 5) -> Program:
    """A program of about so many statements in each body."""
    return _Maker(rng, size).program()


class _Scope:
    """What can be read in a body, and what of it is made in the body itself."""

    def __init__(self, variables: tuple[Variable, ...], depth: int = 0) -> None:
        self.variables, self.depth = [*variables], depth
        self.own: list[Variable] = []

    def add(self, made: tuple[Variable, ...]) -> None:
        self.variables += [each for each in made if each.type]
        self.own += made

    def inner(self) -> _Scope:
        return _Scope(tuple(self.variables), self.depth + 1)


class _Maker:
    def __init__(self, rng: random.Random, size: int) -> None:
        self.rng, self.size = rng, size
        self.flows: list[Flow] = []
        self.numbers = itertools.count(1)
        self.kind = "any"
        self.inputs: tuple[Parameter, ...] = ()
        self.deciding: set[str] = set()

    def program(self) -> Program:
        for number in range(self.rng.randint(0, 3)):
            self.flows.append(self.flow(f"flow_{number}", self.rng.choice(_KINDS)))
        self.flows.append(self.flow("main", "main"))
        inputs = {each.name: self.rng.choice(_INPUTS[each.type]) for each in self.flows[-1].inputs}
        return Program(_called(self.flows), inputs)

    def flow(self, name: str, kind: str) -> Flow:
        self.kind, self.deciding = kind, set()
        inputs = [Parameter("a", self.rng.choice(["int", "int", "pair", "ints"]) if kind == "item" else "int")]
        if kind == "main":
            inputs += [Parameter("b", "int")]
            inputs += [
                Parameter(f"c{n}", self.rng.choice(["opt", "ints", "pairs", "rows"])) for n in range(self.count(0, 2))
            ]
        elif kind == "item":
            inputs += [Parameter("b", self.rng.choice(["int", "ints", "opt", "pair"]))]
        elif self.rng.random() < 0.6:
            type_ = self.rng.choice(["int", "ints", "opt", "pair"])
            inputs += [Parameter("b", type_, "3" if type_ == "int" and self.rng.random() < 0.5 else "")]
        self.inputs = tuple(inputs)
        own = tuple(Variable(each.type, each.name, "input", frozenset([each.name])) for each in inputs)
        types = {"item": (self.rng.choice(["int", "int", "pair", "ints", "ints"]),), "step": ("int",)}.get(kind)
        if types is None:
            types = tuple(
                self.rng.choice(["int", "int", "opt", "ints", "opts", "pair", "pairs", "rows"])
                for _ in range(self.count(1, 3))
            )
        body = self.body(_Scope(own), types, is_flow=True)
        return Flow(name, self.inputs, body, frozenset(self.deciding), kind)

    def count(self, least: int, most: int) -> int:
        return self.rng.choice([*range(least, most + 1), *[least] * (most - least)])

    # Bodies

    def body(self, scope: _Scope, types: tuple[str, ...], *, is_flow: bool = False) -> Body:
        most = self.size if is_flow else max(1, self.size // 2 - scope.depth)
        statements: list[Statement] = []
        for _ in range(self.rng.randint(1 if is_flow else 0, most)):
            statements.append(self.statement(scope))
            if len(scope.own) > 1 and self.rng.random() < 0.12:
                statements += self.order(statements, scope)
        results: list[Value] = []
        for type_ in types:
            results.append(self.result(scope, type_, statements, is_flow=is_flow))
        return Body(statements, results, types)

    def result(self, scope: _Scope, type_: str, statements: list[Statement], *, is_flow: bool) -> Value:
        """What a body gives: of a mapped workflow or of a branch whole values, which tasks make, or lists of maps."""
        wanted = [each for each in scope.variables if each.type == type_ and each.origin in ("task", "list")]
        if self.kind == "main" and is_flow and self.rng.random() < 0.3:
            return self.value(scope, type_)
        if not is_flow:
            given = [each for each in scope.variables if each.type == type_]
            wanted = [each for each in given if self.kind != "item" or not each.inputs]  # an item is a list of it alone
            if self.rng.random() < 0.3 and self.kind not in ("item", "step") and type_ in _CONSTANTS:
                return Constant(type_, "None" if type_ == "opt" else self.rng.choice(_CONSTANTS[type_]))
        if is_flow and self.kind == "item" and type_ == "ints" and self.rng.random() < 0.7:
            made = self.map(scope, "int")
            statements.append(made)
            if made.made[0].type == type_:
                return made.made[0]
        recent = [each for each in wanted if each in scope.own]
        if recent and self.rng.random() < 0.8:
            return self.rng.choice(recent)
        if wanted and self.rng.random() < 0.8:
            return self.rng.choice(wanted)
        statement = self.making(scope, type_)
        statements.append(statement)
        return next(each for each in statement.made if each.type == type_)

    def making(self, scope: _Scope, type_: str) -> Call:
        """A call of a task that gives a value of a type."""
        if type_ == "opts":  # no task makes one
            flows = [each for each in self.flows if each.outputs == ("opts",)]
            if not flows:
                body = Body([], [Variable("opts", "a", "input", frozenset("a"))], ("opts",))
                self.flows.append(Flow("passed", (Parameter("a", "opts"),), body))
                flows = [self.flows[-1]]
            return self.called(scope, flows[0])
        return self.called(scope, self.rng.choice([each for each in TASKS if each.outputs[0] == type_]))

    def statement(self, scope: _Scope) -> Statement:
        kinds: list[Callable[[_Scope], Statement]] = [self.call, self.call, self.map, self.map, self.repeat]
        if scope.depth < 2 and self.readable(scope, "int"):
            kinds += [self.branch, self.branch]
        return self.rng.choice(kinds)(scope)

    def order(self, statements: list[Statement], scope: _Scope) -> Iterator[Statement]:
        """A wait of what was made last in a body for something else that was made there.

        What waits for what need not be there is not there either, so nothing else reads it.
        """
        last = statements[-1]
        if isinstance(last, Order) or not last.made:
            return
        absent = [each for each in scope.own if not each.type]
        if absent:
            yield from self.aside(self.rng.choice(absent), scope)
            return
        earlier = [each for each in scope.own if each not in last.made]
        if earlier:
            yield Order(self.rng.choice(earlier), last.made[0])

    def aside(self, first: Variable, scope: _Scope) -> Iterator[Statement]:
        """A call that waits for what need not be there, and perhaps one that reads what it made."""
        unseen = _Scope(tuple(scope.variables))
        called = self.called(unseen, self.rng.choice(TASKS))
        yield called
        yield Order(first, called.made[0])
        if called.made[0].type == "int" and self.rng.random() < 0.5:
            yield Call(
                self.node(),
                (Variable("int", f"v{next(self.numbers)}", "task"),),
                _BY_NAME["add"],
                {"x": called.made[0]},
            )

    def made(
        self, scope: _Scope, types: tuple[str, ...], origin: str, inputs: frozenset[str] = frozenset()
    ) -> tuple[Variable, ...]:
        found = tuple(Variable(each, f"v{next(self.numbers)}", origin, inputs) for each in types)
        scope.add(found)
        return found

    def node(self) -> str:
        return f"n{next(self.numbers)}"

    # Calls

    def call(self, scope: _Scope) -> Call:
        callees: list[Callee] = [*TASKS, *self.flows, *self.flows]
        return self.called(scope, self.rng.choice(callees))

    def called(self, scope: _Scope, callee: Callee) -> Call:
        given = self.given(scope, callee.inputs, callee.deciding)
        node = self.node()
        return Call(node, self.made(scope, callee.outputs, _origin(callee)), callee, given)

    def given(
        self,
        scope: _Scope,
        inputs: tuple[Parameter, ...],
        deciding: frozenset[str] = frozenset(),
        *,
        whole: bool = False,
    ) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for each in inputs:
            if each.default and self.rng.random() < 0.5:
                continue
            found[each.name] = self.value(scope, each.type, decides=each.name in deciding, whole=whole)
        return found

    def map(self, scope: _Scope, gives: str = "") -> Map:
        """A map; where it says so of what gives one value of a type."""
        callees: list[Callee] = [each for each in TASKS if each.inputs[0].type in _LISTS]
        callees += [each for each in self.flows if each.kind == "item"] * 6
        fitting = [each for each in callees if _listable(each) and (not gives or each.outputs == (gives,))]
        callee = self.rng.choice(fitting)
        first, *others = _listable(callee)
        over = {first.name: self.listed(scope, _LISTS[first.type])}
        if others and others[0].type == first.type and self.rng.random() < 0.2:
            over[others[0].name] = over[first.name]  # in step, and of one length in any case
        elif others and self.rng.random() < 0.3:
            over = {others[0].name: self.listed(scope, _LISTS[others[0].type])}
        given = self.given(scope, tuple(each for each in callee.inputs if each.name not in over), callee.deciding)
        options, is_tolerant = self.options(callee)
        made = _OPTIONAL_LISTS if is_tolerant else _LISTS
        node = self.node()
        types = tuple(made.get(each, "") for each in callee.outputs)
        return Map(node, self.made(scope, types, "list"), callee, over, given, options)

    def options(self, callee: Callee) -> tuple[str, bool]:
        found, is_tolerant = "", False
        if self.rng.random() < 0.2:
            found += f", concurrency={self.rng.randint(1, 2)}"
        if self.rng.random() < 0.25:
            is_tolerant = True
            found += f", {self.rng.choice(_TOLERANCES)}"
        if isinstance(callee, Task) and self.rng.random() < 0.25:
            found += f", batch={self.rng.choice(['1', '2', chr(34) + 'auto' + chr(34)])}"
        return found, is_tolerant

    def listed(self, scope: _Scope, type_: str) -> Value:
        """A list to go over."""
        found = [each for each in scope.variables if each.type == type_]
        parts = self.parts(scope, type_)
        if type_ in _SINGLE and self.rng.random() < 0.15:
            single = [each for each in scope.variables if each.type == _SINGLE[type_]]
            constant = Constant(_SINGLE[type_], _WRITTEN[_SINGLE[type_]])
            chosen = [self.rng.choice([*single, constant]) for _ in range(self.rng.randint(1, 3))]
            return Several(tuple(self.decided(each) for each in chosen), type_)
        if (found or parts) and self.rng.random() < 0.85:
            return self.decided(self.rng.choice([*found, *parts]))
        return Constant(type_, self.rng.choice(_CONSTANTS[type_]))

    def repeat(self, scope: _Scope) -> Repeat:
        callees: list[Callee] = [_BY_NAME[name] for name in ("inc", "add", "picky", "better", "pace")]
        callees += [each for each in self.flows if each.kind == "step"] * 2
        callee = self.rng.choice(callees)
        given = self.given(scope, callee.inputs, callee.deciding, whole=not isinstance(callee, Task))
        asked = _ASKED.get(callee.name, ("made",))
        made = self.rng.choice(asked)
        until = f"{made} {self.sign()} {self.number(scope)}"
        if made.endswith("right"):
            until = f"is_none({made}) | ({until})"
        if self.rng.random() < 0.2:
            until = f"({until}) | ({self.number(scope)} == {asked[0]})"
        rounds = self.rng.randint(1, 4)
        node = self.node()
        return Repeat(node, self.made(scope, callee.outputs, _origin(callee)), callee, given, until, rounds)

    # Branches

    def branch(self, scope: _Scope) -> Branch:
        node = self.node()
        types = tuple(self.rng.choice(["int", "int", "int", "opt", "pair", "ints"]) for _ in range(self.count(1, 2)))
        cases: list[tuple[str, Body | str]] = []
        bodies: list[Body] = []
        for number in range(self.count(1, 3)):
            when = self.condition(scope)
            if self.rng.random() < (0.14 if number else 0.04):
                cases.append((when, self.failure(scope)))
                continue
            bodies.append(self.body(scope.inner(), types))
            cases.append((when, bodies[-1]))
        ending = self.rng.choice(["else", "else", "else", "none", "absent", "fail"])
        otherwise: Body | str | None = None
        if not bodies:
            types, ending = ("",), "absent"
        if ending == "else":
            otherwise = self.body(scope.inner(), types)
            bodies.append(otherwise)
        elif ending == "fail":
            otherwise = self.failure(scope)
        elif ending == "none":
            types = tuple({"int": "opt", "opt": "opt"}.get(each, "") for each in types)
            if "" in types:
                ending = "absent"
        if ending == "absent":
            types = ("",)
        results = [value for body in bodies for value in body.results]
        passed = frozenset[str]().union(*(value.inputs for value in results if isinstance(value, Variable)))
        tasks = all(isinstance(value, Variable) and value.origin == "task" for value in results)
        made = self.made(scope, types, "task" if tasks and ending != "none" else "mixed", passed)
        return Branch(node, made, cases, otherwise, ending == "none")

    def failure(self, scope: _Scope) -> str:
        return f'.fail("refused on purpose with {{x}}", x={self.value(scope, "int", whole=True).text})'

    def condition(self, scope: _Scope, depth: int = 0) -> str:
        kind = self.rng.choice(["compare", "compare", "compare", "none", "even", "joined", "not"])
        if kind == "joined" and depth < 2:
            return f"({self.condition(scope, depth + 1)}) {self.rng.choice('&|')} ({self.condition(scope, depth + 1)})"
        if kind == "not" and depth < 2:
            return f"~({self.condition(scope, depth + 1)})"
        optional = self.readable(scope, "opt")
        if kind == "none" and optional:
            asked = self.decided(self.rng.choice(optional)).text
            return self.rng.choice(
                [
                    f"is_none({asked})",
                    f"~is_none({asked})",
                    f"is_none({asked}) | ({asked} > 4)",
                    f"~is_none({asked}) & ({asked} < 6)",
                    f"{asked} == 4",
                ]
            )
        pairs = [each for each in scope.variables if each.type == "pair"]
        if kind == "even" and pairs:
            chosen = self.rng.choice(pairs)
            self.decided(chosen)
            return f"{chosen.name}.even"
        readable = self.readable(scope, "int")
        return f"{self.decided(self.rng.choice(readable)).text} {self.sign()} {self.number(scope)}"

    def readable(self, scope: _Scope, type_: str) -> list[Variable | Part]:
        return [*(each for each in scope.variables if each.type == type_), *self.parts(scope, type_)]

    def sign(self) -> str:
        return self.rng.choice([">", "<", ">=", "<=", "==", "!="])

    def number(self, scope: _Scope) -> str:
        readable = self.readable(scope, "int")
        if readable and self.rng.random() < 0.25:
            return self.decided(self.rng.choice(readable)).text
        return str(self.rng.randint(0, 12))

    # Values

    def decided(self, value: _V) -> _V:
        variable = value.whole if isinstance(value, Part) else value
        if isinstance(variable, Variable):
            self.deciding |= variable.inputs
        return value

    def parts(self, scope: _Scope, type_: str) -> list[Part]:
        pairs = [each for each in scope.variables if each.type == "pair"]
        return [Part(type_, each, part) for each in pairs for part, kind in PARTS.items() if kind == type_]

    def value(self, scope: _Scope, type_: str, *, decides: bool = False, whole: bool = False) -> Value:
        found: list[Value] = [each for each in scope.variables if each.type == type_]
        if not whole:
            found += self.parts(scope, type_)
        if type_ == "opt" and self.rng.random() < 0.3:
            found += [each for each in scope.variables if each.type == "int"]
        if type_ == "ints" and not whole and not decides and self.rng.random() < 0.25:
            singles = [each for each in scope.variables if each.type == "int"]
            return Several(
                tuple(self.rng.choice([*singles, Constant("int", "3")]) for _ in range(self.rng.randint(0, 3)))
            )
        if found and (self.rng.random() < 0.85 or type_ not in _CONSTANTS):
            chosen = self.rng.choice([*found, *found[-3:]])
            return self.decided(chosen) if decides else chosen
        if type_ in _CONSTANTS:
            return Constant(type_, self.rng.choice(_CONSTANTS[type_]))
        return Constant(type_, _WRITTEN[type_])


def _called(flows: list[Flow]) -> list[Flow]:
    """The workflows that the last one calls, directly or through others, and that one."""
    found = [flows[-1]]
    for flow in reversed(flows[:-1]):
        if re.search(rf"\b{flow.name}\b", Program(found, {}).text()):
            found.insert(0, flow)
    return found


def _listable(callee: Callee) -> list[Parameter]:
    """What may be lists that a map goes over."""
    return [each for each in callee.inputs if each.type in _LISTS]


def _origin(callee: Callee) -> str:
    if isinstance(callee, Task):
        return "task"
    made = [value for value in callee.body.results if not (isinstance(value, Variable) and value.origin == "task")]
    return "mixed" if made else "task"
