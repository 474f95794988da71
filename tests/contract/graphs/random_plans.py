"""Random plans for property tests: graphs in graphs, maps and branches, cached and uncached tasks, bindings of every
kind. Used by the tests of the walk, of filling in, and of the compiler's meaning."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from alula_api.contract.graphs import plans
from alula_api.contract.graphs.bindings import Binding, Constant, FirstOf, FromInput, FromNode, Items
from alula_api.contract.graphs.calls import BranchCall, Call, Case, GraphCall, MapCall, RepeatCall, TaskCall, Watched
from alula_api.contract.graphs.conditions import Compare, Literal, Read, Truth

INT = {"type": "integer"}
PORTS = {"a": INT, "b": INT}
TASKS = {
    "cached": plans.Task("flows:cached", "1", "i1", PORTS, {"o0": INT}),
    "plain": plans.Task("flows:plain", None, "i2", PORTS, {"o0": INT}),
}


@st.composite
def random_plans(draw: st.DrawFn, *, several: bool = False) -> plans.Plan:
    """Plans of tasks and graphs, with `several` also of maps and branches."""
    graphs: dict[str, plans.Graph] = {}
    for level in range(draw(st.integers(1, 3))):
        graphs[f"g{level}"] = draw(_graphs(graphs, several))
    graphs["main"] = draw(_graphs(graphs, several))
    inputs = tuple(plans.Input(name, INT, default="1") for name in PORTS)
    return plans.Plan(graphs, "main", TASKS, inputs, (("o0", INT),), "t")


@st.composite
def _graphs(draw: st.DrawFn, below: Mapping[str, plans.Graph], several: bool) -> plans.Graph:
    steps: list[plans.Step] = []
    for index in range(draw(st.integers(0 if several else 1, 5))):
        before = [step.name for step in steps]
        call = draw(_calls(below, several))
        inputs = {name: draw(_bindings(before, several)) for name in PORTS}
        if isinstance(call, BranchCall):
            inputs |= {name: draw(_conditions()) for name, _ in call.reads}
        if isinstance(call, MapCall):
            leaves = st.lists(_leaves(before), max_size=3)
            inputs |= {name: Items(tuple(draw(leaves))) for name in call.over}
        depends = {node for binding in inputs.values() for node in _nodes(binding)}
        if before:
            depends |= set(draw(st.lists(st.sampled_from(before), max_size=2)))
        template = call.task if isinstance(call, TaskCall) else call.graph if isinstance(call, GraphCall) else ""
        steps.append(plans.Step(f"n{index}", call, tuple(inputs.items()), tuple(sorted(depends)), template))
    output = draw(_bindings([step.name for step in steps], several, constants=False))
    return plans.Graph(tuple(PORTS), tuple(steps), (("o0", output),))


def _nodes(binding: Binding) -> list[str]:
    leaves = binding.leaves if isinstance(binding, (Items, FirstOf)) else (binding,)
    return [leaf.node for leaf in leaves if isinstance(leaf, FromNode)]


def _calls(below: Mapping[str, plans.Graph], several: bool) -> st.SearchStrategy[Call]:
    tasks = st.sampled_from(["cached", "cached", "cached", "plain"]).map(TaskCall)
    if not below:
        return tasks if not several else st.one_of(tasks, _maps(tasks), _repeats(tasks))
    graphs = st.sampled_from(list(below))
    steps = [TaskCall("cached"), TaskCall("plain"), *(GraphCall(n) for n, graph in below.items() if _is_number(graph))]
    calls = graphs.map(GraphCall)
    if not several:
        return st.one_of(tasks, tasks, calls)
    branches = st.builds(
        lambda names, otherwise: branch(
            *((f"case-{i}", f"c{i}", name) for i, name in enumerate(names)), otherwise=otherwise
        ),
        st.lists(graphs, min_size=1, max_size=2),
        st.none() | calls,
    )
    return st.one_of(tasks, tasks, calls, branches, _maps(tasks | calls), _repeats(st.sampled_from(steps)))


def branch(*cases: tuple[str, str, str], otherwise: GraphCall | None = None) -> BranchCall:
    """A conditional on booleans: of each case its name, the input that decides and the graph."""
    found = tuple(Case(name, Truth(Read(when)), graph) for name, when, graph in cases)
    reads = dict.fromkeys(when for _, when, _ in cases)
    return BranchCall(found, otherwise, tuple((name, {"type": "boolean"}) for name in reads))


def _maps(items: st.SearchStrategy[TaskCall | GraphCall]) -> st.SearchStrategy[MapCall]:
    return st.builds(MapCall, items, st.just(("a",)), st.just(("o0",)), st.integers(0, 2))


def _is_number(graph: plans.Graph) -> bool:
    """Whether a graph gives what a task of it makes, which is a number."""
    tasks = {step.name for step in graph.steps if isinstance(step.call, TaskCall)}
    (binding,) = (binding for _, binding in graph.outputs)
    return isinstance(binding, FromNode) and binding.node in tasks


def _repeats(steps: st.SearchStrategy[TaskCall | GraphCall]) -> st.SearchStrategy[RepeatCall]:
    """Repeats of which about half end before their last round: what a task makes is a number of 32 bits."""
    until = Compare("<", Read("made"), Literal(2**31))
    watched = (Watched("made", INT, "o0"),)
    return st.builds(
        RepeatCall,
        steps,
        st.just(until),
        st.integers(1, 4),
        st.just((("a", "o0"),)),
        st.just(("o0",)),
        st.just(watched),
    )


def _conditions() -> st.SearchStrategy[Binding]:
    return st.sampled_from(["true", "false"]).map(Constant)


def _leaves(before: list[str], *, constants: bool = True) -> st.SearchStrategy[Constant | FromInput | FromNode]:
    choices: list[st.SearchStrategy[Constant | FromInput | FromNode]] = [st.sampled_from(list(PORTS)).map(FromInput)]
    if constants:
        choices.append(st.integers(0, 3).map(lambda number: Constant(str(number))))
    if before:
        choices += [st.sampled_from(before).map(lambda name: FromNode(name, "o0"))] * 2
    return st.one_of(choices)


def _bindings(before: list[str], several: bool, *, constants: bool = True) -> st.SearchStrategy[Binding]:
    leaves = _leaves(before, constants=constants)
    if not several or not before:
        return leaves
    first = st.lists(st.sampled_from(before), min_size=1, max_size=2, unique=True).map(
        lambda names: FirstOf(tuple(FromNode(name, "o0") for name in names))
    )
    return st.one_of(leaves, leaves, first)
