"""`map_task` outside a workflow: the calls are made one after the other, with the same mistakes told."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from alula import DefinitionError, ValueMismatch, map_task, task, workflow


@task
def double(x: int, plus: int = 0) -> int:
    return 2 * x + plus


@task
def both(x: int) -> tuple[int, str]:
    return x, f"n{x}"


@task
def nothing(x: int) -> None:
    assert x


@workflow
def quadruple(x: int) -> int:
    return double(double(x))


def test_positions_are_lists_and_names_are_the_same_for_all() -> None:
    assert map_task(double)([1, 2]) == [2, 4]
    assert map_task(double)([1, 2], plus=1) == [3, 5]
    assert map_task(double)([1, 2], [10, 20]) == [12, 24]
    assert map_task(double)([]) == []


def test_names_alone_are_lists_and_a_partial_binds() -> None:
    assert map_task(double)(x=[1, 2], plus=[10, 20]) == [12, 24]
    assert map_task(partial(double, plus=1))(x=[1, 2]) == [3, 5]
    assert map_task(partial(partial(double, plus=1), plus=2))([1]) == [4]
    assert map_task(partial(double, 1))([10, 20]) == [12, 22]


def test_outputs_become_lists_in_their_shape_and_a_workflow_can_be_mapped() -> None:
    assert map_task(both)([1, 2]) == ([1, 2], ["n1", "n2"])
    map_task(nothing)([1, 2])
    assert map_task(quadruple)([1, 2]) == [4, 8]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (([1, 2], [1]), "the input x must be as long as the other lists: x has 2 and plus has 1"),
        ((3,), "the input x must be a list of items, not int"),
        (([0] * 1001,), "the input x has 1,001 items, and a map without batches takes at most 1,000: batch=2 would do"),
        ((["a"],), "expected int, got the str 'a'"),
    ],
)
def test_what_is_no_list_for_it_is_told(lists: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueMismatch, match=message):
        map_task(double)(*lists)


@pytest.mark.parametrize("option", ["metadata", "parallel"])
def test_an_option_is_refused_with_a_hint(option: str) -> None:
    made: Any = map_task
    with pytest.raises(DefinitionError, match=rf"map_task\(\) has no option '{option}'"):
        made(double, **{option: 1})


@pytest.mark.parametrize("count", [0, -1, 2**31, True, 1.5, "2"])
def test_a_concurrency_that_is_no_number_of_items_is_refused(count: Any) -> None:
    with pytest.raises(DefinitionError, match=r"concurrency of map_task\(\) must be a whole number from 1 to") as told:
        map_task(double, concurrency=count)
    assert told.value.diagnostics[0].hint == "leave it out to run all items at one time"


def test_a_concurrency_changes_no_result() -> None:
    assert map_task(double, concurrency=1)([1, 2], plus=1) == [3, 5]


@pytest.mark.parametrize("ratio", [1.01, -0.1, True, "1", 0.1234567, float("nan")])
def test_a_ratio_that_is_no_share_is_refused(ratio: Any) -> None:
    with pytest.raises(DefinitionError, match=r"min_success_ratio of map_task\(\) must be a share from 0.0 to 1.0"):
        map_task(double, min_success_ratio=ratio)


@task
def positive(x: int) -> tuple[int, str]:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x, f"n{x}"


def test_items_that_fail_are_none_where_enough_succeed_and_else_the_first_failure_is_raised() -> None:
    assert map_task(positive, min_successes=2)([1, -2, 3]) == ([1, None, 3], ["n1", None, "n3"])
    assert map_task(positive, min_success_ratio=0.5)([1, -2]) == ([1, None], ["n1", None])
    for options in ({"min_successes": 2}, {"min_success_ratio": 0.51}):
        made: Any = map_task
        with pytest.raises(ValueError, match="-2 is negative"):
            made(positive, **options)([1, -2])
