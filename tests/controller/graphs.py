"""Random plans for the property tests: graphs in graphs, cached and uncached tasks, bindings of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from alula_controller.runs import plans
from tests.controller.scenes import INT

TASKS = {
    "cached": plans.Task("flows:cached", "1", "i1", {"a": INT, "b": INT}, {"o0": INT}),
    "plain": plans.Task("flows:plain", None, "i2", {"a": INT, "b": INT}, {"o0": INT}),
}


@st.composite
def random_plans(draw: st.DrawFn) -> plans.Plan:
    dags: dict[str, plans.Dag] = {}
    for level in range(draw(st.integers(1, 3))):
        dags[f"g{level}"] = draw(_dags(list(dags)))
    dags["main"] = draw(_dags(list(dags)))
    inputs = tuple(plans.Input(name, INT, default="1") for name in ("a", "b"))
    return plans.Plan("t", "main", inputs, TASKS, dags)


@st.composite
def _dags(draw: st.DrawFn, below: list[str]) -> plans.Dag:
    steps: list[plans.Step] = []
    for index in range(draw(st.integers(1, 5))):
        before = [step.name for step in steps]
        bindings = {name: draw(_binding(before)) for name in ("a", "b")}
        needed = {binding["node"] for binding in bindings.values() if "node" in binding}
        if before:
            needed |= set(draw(st.lists(st.sampled_from(before), max_size=2)))
        graph = draw(st.sampled_from(["", "", *below]))
        target = graph or draw(st.sampled_from(["cached", "cached", "cached", "plain"]))
        kinds: dict[str, Any] = {"task": "", "dag": graph} if graph else {"task": target, "dag": ""}
        steps.append(plans.Step(f"n{index}", target, inputs=bindings, depends=tuple(sorted(needed)), **kinds))
    output = {"node": draw(st.sampled_from([step.name for step in steps])), "output": "o0"}
    return plans.Dag(("a", "b"), tuple(steps), {"o0": output})


def _binding(before: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    choices: list[st.SearchStrategy[dict[str, Any]]] = [
        st.sampled_from(["a", "b"]).map(lambda name: {"input": name}),
        st.integers(0, 3).map(lambda number: {"value": str(number)}),
    ]
    if before:
        choices.append(st.sampled_from(before).map(lambda name: {"node": name, "output": "o0"}))
    return st.one_of(choices)
