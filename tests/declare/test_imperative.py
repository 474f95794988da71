"""Workflows that are put together call by call: the same resource as a function's, and mistakes told at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import alula
from alula import ImperativeWorkflow, conditional, errors, map_task, repeat, task, workflow
from alula.emit import resources

CODE = resources.Code("ghcr.io/acme/all:1")


class Made(NamedTuple):
    total: int
    each: list[int]


@task
def inc(n: int, by: int = 1) -> int:
    return n + by


@task
def several(n: int) -> list[int]:
    return list(range(n))


@task
def add(values: list[int]) -> int:
    return sum(values)


@workflow
def twice(n: int) -> int:
    return inc(inc(n))


@workflow(name="built", failure_policy="continue")
def decorated(n: int, least: int = 3) -> Made:
    """Does it all.

    Args:
        n: Where to begin.
    """
    first = inc(n)
    second = inc.named("second").__call__(twice(first), by=2)
    third = inc.with_overrides(retries=2)(second)
    chosen = conditional("choose").if_(third > least).then(inc(third)).else_().then(0)
    each = map_task(inc, concurrency=2)(several(chosen), by=third)
    total = add([first, second, 7])
    first >> total
    return Made(total, each)


def built(name: str = "built") -> ImperativeWorkflow:
    wf = ImperativeWorkflow(name, description="Does it all.", failure_policy="continue")
    n = wf.add_input("n", int, description="Where to begin.")
    least = wf.add_input("least", int, default=3)
    first = wf.add(inc, n)
    second = wf.add(inc.named("second"), wf.add(twice, first), by=2)
    third = wf.add(inc.with_overrides(retries=2), second)
    with wf:
        chosen = conditional("choose").if_(third > least).then(inc(third)).else_().then(0)
    each = wf.add(map_task(inc, concurrency=2), wf.add(several, chosen), by=third)
    total = wf.add(add, [first, second, 7])
    with wf:
        first >> total
    wf.add_output("total", total)
    wf.add_output("each", each, list[int])
    return wf


WHOLE = built()


def test_it_is_the_same_resource_as_the_function_with_the_same_calls() -> None:
    assert resources.workflow(WHOLE, CODE) == resources.workflow(decorated, CODE)


def test_it_runs_here_and_gives_what_the_function_gives() -> None:
    made = WHOLE(2)
    assert (made.total, made.each) == decorated(2)
    assert alula.run(WHOLE, {"n": 5}, records=False).ok
    assert repr(WHOLE).startswith("<workflow built at tests/declare/test_imperative.py:")
    assert WHOLE.entrypoint == "tests.declare.test_imperative:WHOLE"


def test_it_is_a_node_of_another_workflow_of_either_kind() -> None:
    @workflow
    def around(n: int) -> int:
        return WHOLE(n).total  # type: ignore[no-any-return]

    outer = ImperativeWorkflow("outer")
    outer.add_output("o0", outer.add(around, outer.add(WHOLE, 3).total))
    assert outer() == around(WHOLE(3).total)
    assert {each["name"] for each in resources.workflow(outer, CODE)["spec"]["graphs"]} >= {"main", "built"}  # type: ignore[index, call-overload, union-attr]


def test_workflows_of_a_factory_have_names_of_their_own_and_two_of_one_name_are_told() -> None:
    one, other = built("one"), built("other")
    around = ImperativeWorkflow("around")
    around.add_output("o0", around.add(add, [around.add(one, 1).total, around.add(other, 1).total]))
    assert {"one", "other"} <= {graph.name for graph in around.closure.graphs}
    clash = ImperativeWorkflow("clash")
    clash.add(built("same"), 1)
    clash.add(built("same"), 2)
    with pytest.raises(errors.DefinitionError, match="DUPLICATE_NAME"):
        _ = clash.closure


def _line(text: str) -> str:
    lines = Path(__file__).read_text().splitlines()
    return f"tests/declare/test_imperative.py:{next(i for i, each in enumerate(lines, 1) if text in each)}: error"


def _used(wf: ImperativeWorkflow) -> None:
    wf.add(inc, 1)
    assert wf.closure.graphs
    wf.add(inc, 2)  # too late


def _mistyped(wf: ImperativeWorkflow) -> None:
    wf.add(add, wf.add(inc, 1))  # mistyped


def _within(wf: ImperativeWorkflow) -> None:
    with wf:
        inc("1")  # type: ignore[arg-type] # within


def _outside(wf: ImperativeWorkflow) -> None:
    first = wf.add(inc, 1)
    add([2, first])  # outside


def _stray(wf: ImperativeWorkflow) -> None:
    strange = ImperativeWorkflow("strange").add_input("n", int)
    wf.add(inc, strange)  # stray


def _twice(wf: ImperativeWorkflow) -> None:
    wf.add_input("n", int)
    wf.add_input("n", str)  # twice


def _untyped(wf: ImperativeWorkflow) -> None:
    wf.add_output("all", [wf.add(inc, 1)])  # untyped


def _wrong_output(wf: ImperativeWorkflow) -> None:
    wf.add_output("all", wf.add(inc, 1), str)  # wrong output


def _unended(wf: ImperativeWorkflow) -> None:
    n = wf.add_input("n", int)
    with wf:
        begun = conditional("c").if_(n > 1).then(inc(n))
    wf.add_output("n", begun)  # unended


MISTAKES: dict[str, tuple[Callable[[ImperativeWorkflow], Any], str, str]] = {
    "a function that is no task": (lambda wf: wf.add(len, [1]), "len is none of them", "no task"),
    "too late": (_used, "nothing can be added to it any more", "# too late"),
    "a result of another type": (_mistyped, "list[int]", "# mistyped"),
    "a constant of another type": (_within, "expected int, got the str", "# within"),
    "a call outside of it": (_outside, "within `with wf:`, or by wf.add(...)", "# outside"),
    "what belongs to another workflow": (_stray, "belongs to workflow strange", "# stray"),
    "two inputs of one name": (_twice, "there is an input 'n' already", "# twice"),
    "an output of another workflow": (
        lambda wf: wf.add_output("all", ImperativeWorkflow("other").add(inc, 1)),
        "the result of task inc belongs to workflow other",
        "another",
    ),
    "itself": (lambda wf: wf.add(wf, 1), "it cannot call itself", "itself"),
    "a method of Flyte": (lambda wf: wf.add_entity(inc, n=1), "put it together with ImperativeWorkflow", "Flyte"),  # type: ignore[attr-defined]
    "an output without a type": (_untyped, 'write add_output("all", ..., list[int])', "# untyped"),
    "an output that is not ended": (_unended, "end it with .else_().then(...)", "# unended"),
    "inputs as Flyte has them": (lambda wf: wf.inputs["n"], "add_input(...) returns it", "inputs"),  # type: ignore[attr-defined]
    "an output of another type": (_wrong_output, "the output all", "# wrong output"),
    "a name that is none": (lambda wf: wf.add_input("a b", int), "cannot name", "a name that is none"),
    "a type that is none": (lambda wf: wf.add_input("x", object), "UNSUPPORTED_TYPE", "a type that is none"),
    "a default that is none": (lambda wf: wf.add_input("x", int, default="a"), "BAD_DEFAULT", "a default that"),
    "a default of None": (lambda wf: wf.add_input("x", int, default=None), "BAD_DEFAULT", "a default of None"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_at_once_where_it_stands(case: str) -> None:
    make, text, place = MISTAKES[case]
    with pytest.raises((errors.DefinitionError, errors.ValueMismatch)) as caught:
        make(ImperativeWorkflow("wrong"))
    told = str(caught.value)
    assert text in told
    if place.startswith("# "):
        assert told.startswith(_line(place)), told
    else:
        assert re.match(r"tests/declare/test_imperative.py:\d+: error", told)


def test_outputs_may_have_names_that_no_field_of_python_has() -> None:
    wf = ImperativeWorkflow("odd")
    wf.add_output("class", wf.add(inc, 1))
    wf.add_output("_n", 3, int)
    assert wf() == (2, 3)
    assert [each["name"] for each in resources.workflow_spec(wf, CODE).to_json()["outputs"]] == ["class", "_n"]


def test_a_workflow_that_calls_itself_or_has_nothing_in_it_is_told_or_runs() -> None:
    assert ImperativeWorkflow("empty")() is None
    wf = ImperativeWorkflow("circle")
    with wf:
        wf()
    with pytest.raises(errors.DefinitionError, match="CYCLE"):
        _ = wf.closure


def test_a_repetition_is_added_like_a_call() -> None:
    wf = ImperativeWorkflow("again")
    made = wf.add(repeat(inc, until=lambda n: n > 5, max=9), wf.add_input("n", int))
    wf.add_output("o0", made, int)
    assert wf(2) == 6


def test_what_was_found_wrong_stays_wrong() -> None:
    wf = ImperativeWorkflow("wrong")
    with pytest.raises(errors.DefinitionError):
        wf.add(inc, "1")
    with pytest.raises(errors.DefinitionError):
        wf()


@pytest.mark.parametrize("name", ["My Flow", "", None, 3])
def test_it_needs_a_name_that_a_resource_can_have(name: Any) -> None:
    with pytest.raises(errors.DefinitionError, match="BAD_NAME"):
        ImperativeWorkflow(name)
