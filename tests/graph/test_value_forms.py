"""What only a task can make or read is refused when a workflow is traced, in the compiler's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from alula import conditional, errors, map_task, repeat, task, workflow
from alula.cli import limits
from alula.graph import value_forms
from alula_api.contract.graphs import calls

Define = Callable[[], Any]


@dataclass
class Row:
    """A record."""

    a: int
    xs: list[int]


@task
def one(x: int) -> int:
    return x + 1


@task
def numbers(x: int) -> list[int]:
    return [x]


@task
def row(x: int) -> Row:
    return Row(x, [x])


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def rows(x: int) -> list[Row]:
    return map_task(row)(numbers(x))


@workflow
def of_first(found: list[Row]) -> int:
    return conditional("way").if_(found[0].a > 1).then(one(1)).else_().then(one(2))


@workflow
def doubled(x: int) -> list[int]:
    return map_task(one)(numbers(x))


@workflow
def same(x: int) -> int:
    return x


@workflow
def passes(x: int) -> int:
    return same(x)


@workflow
def chosen(x: int) -> int:
    return conditional("way").if_(x > 1).then(one(x)).else_().then(one(2))


@workflow
def onwards(xs: list[int]) -> list[int]:
    return map_task(one)(xs)


@workflow
def by_first(xs: list[int]) -> int:
    return conditional("way").if_(xs[0] > 1).then(total(xs)).else_().then(one(2))


@workflow
def doubles(xs: list[int], count: int) -> tuple[list[int], int]:
    return map_task(one)(xs), one(count)


@workflow
def rounds(xs: list[int]) -> list[int]:
    made, _ = repeat(doubles, until=lambda made: made[1] > 1, max=2)(xs, 0)
    return made


@workflow
def kept(xs: list[int]) -> tuple[int, list[int]]:
    return total(xs), xs


LOOKS = calls.IN_NO_PIECE.format("it looks into", "row")
GOES = calls.IN_NO_PIECE.format("it goes over", "row")


def looks_into_items() -> Any:
    @workflow
    def wf(x: int) -> int:
        return of_first(map_task(row)(numbers(x)))

    return wf


def looks_into_a_workflow_s_list() -> Any:
    @workflow
    def wf(x: int) -> int:
        return of_first(rows(x))

    return wf


def goes_over_a_field_of_an_item() -> Any:
    @workflow
    def wf(x: int) -> list[int]:
        return map_task(one)(rows(x)[0].xs)

    return wf


def goes_over_parts() -> Any:
    @workflow
    def wf(x: int) -> list[int]:
        return map_task(one)([one(x), row(x).a])

    return wf


def looks_into_an_item_that_a_map_made() -> Any:
    @workflow
    def wf(x: int) -> list[int]:
        return map_task(by_first)(map_task(doubled)(numbers(x)))

    return wf


def goes_over_one_of_several_lists() -> Any:
    @workflow
    def wf(x: int) -> list[int]:
        return map_task(one)(map_task(doubled)(numbers(x))[0])

    return wf


def repeats_from_an_item() -> Any:
    @workflow
    def wf(x: int) -> list[list[int]]:
        return map_task(rounds)(map_task(doubled)(numbers(x)))

    return wf


def repeats_from_a_list_in_a_list() -> Any:
    @workflow
    def wf(x: int) -> list[list[int]]:
        return map_task(rounds)([doubled(x), doubled(2)])

    return wf


def gives_its_item_back() -> Any:
    @workflow
    def wf(x: int) -> tuple[list[int], list[list[int]]]:
        return map_task(kept)(map_task(doubled)(numbers(x)))

    return wf


def runs_nothing() -> Any:
    @workflow
    def wf(x: int) -> int:
        return repeat(passes, until=lambda x: x > 1, max=2)(x)

    return wf


def decides_by_items_of_batches() -> Any:
    @workflow
    def wf(x: int) -> list[int]:
        return map_task(chosen)(map_task(one, batch=2)(numbers(x)))

    return wf


def rounds_give_lists() -> Any:
    @workflow
    def wf(x: int) -> list[int]:
        return repeat(onwards, until=lambda xs: xs[0] > 9, max=2)(numbers(x))

    return wf


REFUSED = {
    looks_into_items: LOOKS,
    looks_into_a_workflow_s_list: LOOKS,
    goes_over_a_field_of_an_item: GOES,
    goes_over_parts: calls.PART_IN_LIST,
    looks_into_an_item_that_a_map_made: calls.IN_NO_PIECE.format("it looks into", "one"),
    goes_over_one_of_several_lists: calls.IN_NO_PIECE.format("it goes over", doubled.name),
    repeats_from_an_item: calls.PART_OF_STATE,
    repeats_from_a_list_in_a_list: calls.PART_OF_STATE,
    gives_its_item_back: "the graph test-value-forms-kept gives a part of a value, or a list of single values, as o1",
    runs_nothing: calls.RUNS_NO_TASK.format(*calls.OF_ROUNDS, passes.name),
    decides_by_items_of_batches: calls.IN_NO_PIECE.format("it looks into", "one"),
    rounds_give_lists: calls.IN_NO_PIECE.format("it looks into", "one"),
}


@pytest.mark.parametrize(("define", "message"), REFUSED.items(), ids=[define.__name__ for define in REFUSED])
def test_it_is_refused_where_it_is_written_as_the_compiler_refuses_it(
    define: Define, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.DefinitionError) as raised:
        _ = define().closure
    (found,) = raised.value.diagnostics
    assert found.message == message
    assert found.source.startswith("tests/graph/test_value_forms.py:") and found.hint
    monkeypatch.setattr(value_forms.ValueForms, "look", lambda *_: ())
    compiled = limits.problems(define())
    assert {(each.code, each.message, each.hint) for each in compiled} == {(found.code, message, found.hint)}


def test_what_takes_a_list_that_a_map_made_whole_is_taken() -> None:
    @workflow
    def wf(x: int) -> tuple[int, list[int], int, list[int]]:
        made = map_task(one)(numbers(x))
        by_item = map_task(chosen)(map_task(chosen)(made))
        kept = conditional("way").if_(x > 1).then(map_task(one)(made)).else_().then(numbers(x))
        return total(made), by_item, one(made[0]), map_task(one)(kept)

    assert limits.problems(wf) == []
