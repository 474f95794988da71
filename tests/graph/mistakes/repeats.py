"""Repeats that cannot be made."""

from __future__ import annotations

from typing import Any, NamedTuple

from alula import conditional, map_task, repeat, task, workflow


class Pair(NamedTuple):
    left: int
    right: str


@task
def inc(n: int) -> int:
    return n + 1


@task
def text(n: int) -> str:
    return ""


@task
def nothing(n: int) -> None: ...


@task
def alone() -> int:
    return 1


@task
def pair(left: str, right: str) -> Pair:
    return Pair(1, "")


@task
def many(n: int) -> tuple[int, int]:
    return 1, 2


@task
def numbers(ns: list[int]) -> list[int]:
    return ns


@task
def large(n: int) -> bool:
    return n > 3


@workflow
def more(n: int) -> int:
    return inc(n)


@workflow
def no_round(n: int) -> int:
    return repeat(inc, until=lambda n: n > 3, max=0)(n)


@workflow
def too_many_rounds(n: int) -> int:
    return repeat(inc, until=lambda n: n > 3, max=51)(n)


@workflow
def nothing_right(n: int) -> int:
    return repeat(len, until=3, max="many")(n)  # type: ignore


@workflow
def results_of_another_type(n: int) -> str:
    return repeat(text, until=lambda t: t == "", max=3)(n)


@workflow
def no_result(n: int) -> None:
    return repeat(nothing, until=lambda _: True, max=3)(n)


@workflow
def no_argument(n: int) -> int:
    return repeat(alone, until=lambda n: n > 3, max=3)()


@workflow
def a_field_of_another_type(n: int) -> Pair:
    return repeat(pair, until=lambda p: p.left > 3, max=3)("", "")


@workflow
def more_results_than_arguments(n: int) -> tuple[int, int]:
    return repeat(many, until=lambda both: both[0] > 3, max=3)(n)


@workflow
def until_of_another_type(n: int) -> int:
    return repeat(inc, until=lambda n: n > "three", max=3)(n)  # type: ignore


@workflow
def until_in_an_if(n: int) -> int:
    return repeat(inc, until=lambda n: 1 if n > 3 else 0, max=3)(n)


@workflow
def until_that_is_known(n: int) -> int:
    return repeat(inc, until=lambda n: True, max=3)(n)


@workflow
def until_on_what_no_round_changes(n: int) -> int:
    return repeat(inc, until=lambda _: n > 3, max=3)(n)


@workflow
def until_on_a_list(n: int) -> list[int]:
    return repeat(numbers, until=lambda ns: ns == [], max=3)([1])


@workflow
def until_with_a_task(n: int) -> int:
    return repeat(inc, until=lambda n: large(n), max=3)(n)


@workflow
def until_of_nothing(n: int) -> int:
    made: Any = repeat
    return made(inc, until=lambda: True, max=3)(n)


@workflow
def no_first_state(n: int) -> int:
    return repeat(inc, until=lambda n: n > 3, max=3)()  # type: ignore


@workflow
def a_first_state_of_another_type(n: int) -> int:
    return repeat(inc, until=lambda n: n > 3, max=3)("one")  # type: ignore


@workflow
def a_name_that_is_taken(n: int) -> int:
    first = repeat(inc, until=lambda n: n > 3, max=3).named("rounds")(n)
    return repeat(inc, until=lambda n: n > 3, max=3).named("rounds")(first)


@workflow
def a_part_for_a_workflow(n: int) -> int:
    made: Any = numbers([n, n])
    return repeat(more, until=lambda n: n > 3, max=3)(made[0])


@workflow
def fine_in_a_branch(n: int) -> int:
    done = repeat(more, until=lambda n: n > 3, max=3)(n)
    inner = repeat(inc, until=lambda m: (m > n) & (m > done), max=3)
    return conditional("go").if_(done > 2).then(inner(done)).else_().then(0)


@workflow
def never_called(n: int) -> int:
    return inc(repeat(inc, until=lambda n: n > 3, max=3))  # type: ignore


@workflow
def of_a_map(ns: list[int]) -> list[int]:
    return repeat(map_task(inc), until=lambda ns: ns[0] > 3, max=3)(ns)


@task
def both(a: int, b: str) -> tuple[int, str]:
    return a, b


@workflow
def until_that_takes_each_output(n: int) -> tuple[int, str]:
    return repeat(both, until=lambda a, b: a > 3, max=3)(n, "x")  # type: ignore


@workflow
def until_that_raises(n: int) -> int:
    return repeat(inc, until=lambda n: round(n / 2) > 3 if n is None else 1 // 0, max=3)(n)


@workflow
def without_until(n: int) -> int:
    return repeat(inc, max=3)(n)  # type: ignore


@workflow
def rounds_that_only_the_run_knows(n: int) -> int:
    return repeat(inc, until=lambda n: n > 3, max=n)(n)


@workflow
def of_a_repeat(n: int) -> int:
    return repeat(repeat(inc, until=lambda n: n > 3, max=3), until=lambda n: n > 5, max=3)(n)  # type: ignore
