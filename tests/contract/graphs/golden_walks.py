"""Walks written down in `walks.json`, for everything that walks plans: the contract's walk, the local runner, others.

A task makes the path of its own spot, so that inputs read as where they come from. `make golden` writes the file anew.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alula_api.contract.graphs import plans
from alula_api.contract.graphs.bindings import Binding, Constant, FirstOf, FromInput, FromNode, Items, nodes
from alula_api.contract.graphs.calls import Call, GraphCall, MapCall, RepeatCall, TaskCall, Watched
from alula_api.contract.graphs.conditions import Compare, Literal, Read
from alula_api.contract.graphs.plans import Graph, Plan, Step
from tests.contract.graphs.random_plans import branch

FILE = Path(__file__).parent / "walks.json"
ANY: dict[str, Any] = {}
TASKS = {"t": plans.Task("flows:t", None, "i", {"x": ANY, "y": ANY}, {"o0": ANY})}


class Told(NamedTuple):
    """One walk of the file.

    Attributes:
        plan: What is walked.
        inputs: Of the run.
        failing: The paths of tasks that fail for good.
        started: Each task that starts where one runs after the other, with its inputs, in order.
        states: Of each step that is reached, by path; graphs stand for what lies in them and is not there.
        outputs: Of the run; empty when it fails.
    """

    plan: Plan
    inputs: Mapping[str, Any]
    failing: tuple[str, ...]
    started: list[tuple[str, Mapping[str, Any]]]
    states: Mapping[str, str]
    outputs: Mapping[str, Any]

    def state(self, path: str) -> str:
        """The state of any step of the plan, also of one that lies in what was never opened."""
        found = path
        while found not in self.states:
            found = found.rpartition(".")[0]
        state = self.states[found]
        return "not taken" if found != path and state in ("done", "failed") else state  # another branch was opened


def load() -> dict[str, Told]:
    """All walks, by what they show."""
    return {
        name: Told(
            plans.from_json(found["plan"]),
            found["inputs"],
            tuple(found["failing"]),
            [(path, inputs) for path, inputs in found["started"]],
            found["states"],
            found["outputs"],
        )
        for name, found in json.loads(FILE.read_text()).items()
    }


def made(path: str) -> dict[str, Any]:
    """The outputs of the task at a path."""
    return {"o0": path}


def _step(name: str, call: Call | None = None, *, after: tuple[str, ...] = (), **inputs: Binding) -> Step:
    before = [*after, *(node for binding in inputs.values() for node in nodes(binding))]
    return Step(name, call or TaskCall("t"), tuple(inputs.items()), tuple(dict.fromkeys(before)))


def _graph(*steps: Step, **outputs: Binding) -> Graph:
    return Graph(("x", "y", "yes", "no", "items"), steps, tuple(outputs.items()))


def _plan(*steps: Step, graphs: Mapping[str, Graph] = {}, **outputs: Binding) -> Plan:
    return Plan({"main": _graph(*steps, **outputs), **graphs}, "main", TASKS)


def _out(node: str, *path: str) -> FromNode:
    return FromNode(node, "o0", path)


INPUTS = {"x": {"a": ["one", "two"]}, "y": "why", "yes": True, "no": False, "items": ["i", "j"]}
X, Y, YES, NO, ITEMS = (FromInput(name) for name in INPUTS)
LONG = Constant("[1, 2, 3, 4, 5]")
PAIR = _graph(_step("a", x=X), _step("b", x=_out("a"), y=Y), o0=_out("b"))
THROUGH = Graph(("x",), (), (("o0", X),))
GRAPHS = {"pair": PAIR, "through": THROUGH}
EACH = MapCall(TaskCall("t"), ("x",), ("o0",))
TWO = dataclasses.replace(EACH, concurrency=2)
BRANCHES = branch(("then", "first", "pair"), ("elif-1", "second", "through"), otherwise=GraphCall("pair"))
JOIN = _step("join", x=FirstOf((_out("either"), _out("or"))))


def _repeat(step: TaskCall | GraphCall, last: str, most: int = 4) -> RepeatCall:
    """Rounds until one gives the path of the task that makes it."""
    until = Compare("==", Read("made"), Literal(last))
    return RepeatCall(step, until, most, (("x", "o0"),), ("o0",), (Watched("made", {"type": "string"}, "o0"),))


CASES: dict[str, tuple[Plan, tuple[str, ...]]] = {
    "a chain": (_plan(_step("a", x=X), _step("b", x=_out("a")), _step("c", x=_out("b")), o0=_out("c")), ()),
    "a fan, in the order of the graph": (
        _plan(
            _step("a"), _step("b", x=_out("a")), _step("c", x=_out("a")),
            _step("d", x=Items((_out("b"), Y, _out("c"), Constant("1")))), o0=_out("d"),
        ),
        (),
    ),
    "parts of values": (_plan(_step("a", x=FromInput("x", ("a", "1"))), o0=_out("a"), o1=FromInput("x", ("a",))), ()),
    "an order without data": (_plan(_step("a"), _step("b"), _step("c", after=("b",)), o0=_out("c")), ()),
    "graphs, opened where they are called": (
        _plan(
            _step("first", GraphCall("pair"), x=X, y=Y), _step("beside"),
            _step("second", GraphCall("pair"), x=_out("first"), y=_out("beside")), o0=_out("second"),
            graphs=GRAPHS,
        ),
        (),
    ),
    "a graph that only passes on": (
        _plan(
            _step("a"), _step("on", GraphCall("through"), x=_out("a")), _step("b", x=_out("on")), o0=_out("b"),
            graphs=GRAPHS,
        ),
        (),
    ),
    "a map": (_plan(_step("each", EACH, x=ITEMS, y=Y), _step("all", x=_out("each")), o0=_out("all")), ()),
    "a map of graphs": (
        _plan(
            _step("each", MapCall(GraphCall("pair"), ("x", "y"), ("o0",)), x=ITEMS, y=FromInput("x", ("a",))),
            o0=_out("each"), graphs=GRAPHS,
        ),
        (),
    ),
    "a map, some items at a time": (
        _plan(_step("each", TWO, x=LONG), _step("all", x=_out("each")), o0=_out("all")),
        (),
    ),
    "a map of graphs, one at a time": (
        _plan(
            _step("each", MapCall(GraphCall("pair"), ("x",), ("o0",), 1), x=ITEMS, y=Y), o0=_out("each"),
            graphs=GRAPHS,
        ),
        (),
    ),
    "a failure in a map, some items at a time": (
        _plan(_step("each", TWO, x=LONG), _step("b", x=_out("each")), o0=_out("b")),
        ("each(1)",),
    ),
    "items that may fail": (
        _plan(
            _step("each", dataclasses.replace(EACH, min_success_ratio="0.5"), x=LONG),
            _step("subs", MapCall(GraphCall("pair"), ("x",), ("o0",), min_successes=1), x=_out("each"), y=Y),
            _step("b", x=_out("subs")), o0=_out("b"), graphs=GRAPHS,
        ),
        ("each(1)", "each(3)", "subs(0).a", "subs(4).b"),
    ),
    "a map over nothing": (_plan(_step("each", EACH, x=Constant("[]")), _step("b", x=_out("each")), o0=_out("b")), ()),
    "a repeat, until its condition holds": (
        _plan(
            _step("again", _repeat(TaskCall("t"), "again.round-2"), x=X, y=Y), _step("b", x=_out("again")), o0=_out("b")
        ),
        (),
    ),
    "a repeat of graphs, whose condition never holds": (
        _plan(
            _step("again", _repeat(GraphCall("pair"), "", 2), x=X, y=Y), _step("b", x=_out("again")), o0=_out("b"),
            graphs=GRAPHS,
        ),
        (),
    ),
    "a failure in a repeat": (
        _plan(_step("again", _repeat(GraphCall("pair"), ""), x=X, y=Y), _step("b", x=_out("again")), o0=_out("b"),
            graphs=GRAPHS,
        ),
        ("again.round-2.a",),
    ),
    "the first branch": (
        _plan(_step("pick", BRANCHES, x=X, y=Y, first=YES, second=YES), o0=_out("pick"), graphs=GRAPHS), (),
    ),
    "the second branch": (
        _plan(_step("pick", BRANCHES, x=X, y=Y, first=NO, second=YES), o0=_out("pick"), graphs=GRAPHS), (),
    ),
    "the last branch": (
        _plan(_step("pick", BRANCHES, x=X, y=Y, first=NO, second=NO), o0=_out("pick"), graphs=GRAPHS), (),
    ),
    "no branch, and what needs it": (
        _plan(
            _step("either", branch(("then", "c", "pair")), x=X, y=Y, c=NO),
            _step("needs", x=_out("either")), _step("after", after=("needs",)), _step("or"), JOIN, o0=_out("join"),
            graphs=GRAPHS,
        ),
        (),
    ),
    "a failure, after which nothing starts": (
        _plan(
            _step("a"), _step("sub", GraphCall("pair"), x=_out("a"), y=Y), _step("b", x=_out("sub")), _step("c"),
            o0=_out("b"), graphs=GRAPHS,
        ),
        ("sub.a",),
    ),
    "a failure in a map": (_plan(_step("each", EACH, x=ITEMS), _step("b", x=_out("each")), o0=_out("b")), ("each(0)",)),
    "a failure in a branch": (
        _plan(_step("pick", BRANCHES, x=X, y=Y, first=YES, second=NO), o0=_out("pick"), graphs=GRAPHS),
        ("pick.then.a",),
    ),
}  # fmt: skip
