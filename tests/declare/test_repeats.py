"""`repeat` outside a workflow: the calls are made one after the other, as the rounds of a run are."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from alula import DefinitionError, repeat, task, workflow


class Page(NamedTuple):
    cursor: int
    is_last: bool


@task
def inc(n: int, by: int = 1) -> int:
    return n + by


@task
def page(size: int, cursor: int) -> Page:
    return Page(cursor + size, cursor + size > 6)


@task
def swap(a: int, b: str) -> tuple[int, str]:
    return a + 1, f"{b}{a}"


@task
def text(n: int) -> str:
    return str(n)


@workflow
def twice(n: int) -> int:
    return inc(inc(n))


def test_it_ends_when_the_condition_holds_and_at_the_latest_after_so_many_rounds() -> None:
    assert repeat(inc, until=lambda n: n > 3, max=9)(0) == 4
    assert repeat(inc, until=lambda n: n > 3, max=9)(7) == 8
    assert repeat(inc, until=lambda n: n > 3, max=2)(0) == 2
    assert repeat(inc, until=lambda n: n > 3, max=1)(0, by=3) == 3


def test_what_is_returned_takes_the_place_of_the_first_argument_or_of_that_of_its_name() -> None:
    assert repeat(inc, until=lambda n: n > 30, max=9)(0, 10) == 40
    assert repeat(inc, until=lambda n: n > 30, max=9)(by=10, n=1) == 31
    assert repeat(page, until=lambda found: found.is_last, max=9)(3, 0) == Page(9, True)
    assert repeat(swap, until=lambda both: both[0] > 3, max=9)(1, "") == (4, "123")
    assert repeat(twice, until=lambda n: n > 3, max=9)(1) == 5


def test_what_no_round_could_take_is_refused() -> None:
    with pytest.raises(DefinitionError, match="it returns str, and takes int as n"):
        repeat(text, until=lambda t: t == "3", max=3)(1)  # type: ignore[arg-type]


def test_it_says_what_it_is_and_has_a_name_in_a_workflow() -> None:
    made = repeat(inc, until=lambda n: n > 3, max=3)
    assert repr(made) == "<repeat of task inc>"

    @workflow
    def named(n: int) -> int:
        return made.named("rounds")(made(n))

    assert [node.id for node in named.graph.nodes] == ["inc", "rounds"]
