"""What no object can notice, because it asks a promise nothing: found in the source."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import alula
from alula import conditional, map_task, repeat, task, workflow


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Score:
    color: Color
    note: str | None


class Fit(NamedTuple):
    model: str
    loss: float | None


@task
def score(n: int) -> Score:
    return Score(Color.RED, None)


@task
def fit(n: int) -> Fit:
    return Fit("m", None)


@task
def inc(n: int) -> int:
    return n + 1


@task
def numbers(n: int) -> list[int]:
    return [n]


@workflow
def a_part_under_a_name(n: int) -> int:
    note = score(n).note
    if note is None:
        return inc(1)
    return inc(2)


@workflow
def a_name_of_a_name(n: int) -> int:
    found = score(n)
    note: str | None = found.note
    return inc(1) if note is not None else inc(2)


@workflow
def one_of_several_results(n: int) -> int:
    _, loss = fit(n)
    return inc(1) if loss is None else inc(2)


@workflow
def a_member_of_an_enum(n: int) -> int:
    return inc(1) if score(n).color is Color.RED else inc(2)


@workflow
def a_map(n: int) -> list[int]:
    made = map_task(inc)(numbers(n))
    return numbers(1) if made is None else made


@workflow
def a_repeat(n: int) -> int:
    made = repeat(inc, until=lambda n: n > 3, max=3)(n)
    return inc(1) if made is None else made


@workflow
def a_conditional(n: int) -> int:
    made = conditional("some").if_(n > 3).then(inc(n)).or_none()
    return inc(1) if made is None else inc(2)


@workflow
def a_conditional_of_a_module(n: int) -> int:
    if (made := alula.conditional("some").if_(n > 3).then(inc(n)).else_().then(1)) is None:
        return inc(1)
    return made


@workflow
def a_named_call(n: int) -> int:
    made = inc.with_overrides(retries=1).named("first")(n)
    return inc(1) if made is None else made


@workflow
def a_failure_that_nothing_catches(n: int) -> int:
    try:
        return inc(n)
    except ValueError:
        return inc(0)


@workflow
def a_clean_up_that_does_not_wait(n: int) -> list[int]:
    try:
        made = map_task(inc)(numbers(inc(n)))
    finally:
        numbers(n)
    return made


@workflow
def fine_with_a_failure_of_python(n: int) -> int:
    try:
        by = int("one")
    except ValueError:
        by = 1
    return inc(by)


@workflow
def fine_with_what_may_be_known(n: int, color: Color = Color.RED) -> int:
    chosen, made, best = Color.BLUE, [inc(n)], None
    for each in (1, 2):
        best = inc(each) if best is None else inc(best)
    return inc(1) if chosen is Color.RED or made is None else inc(2)


@task
def checked(n: int) -> tuple[bool, str]:
    return n > 3, "n"


@workflow
def several_outputs_in_an_if(n: int) -> int:
    return inc(1) if checked(n) else inc(2)


@workflow
def a_named_tuple_in_an_if(n: int) -> int:
    made = fit(n)
    if not made:
        return inc(1)
    return inc(2)


@workflow
def several_outputs_compared(n: int) -> int:
    return inc(1) if checked(n) == (True, "n") else inc(2)


@workflow
def several_outputs_in_text(n: int) -> str:
    return f"made {checked(n)}"


@workflow
def several_outputs_of_a_map(n: int) -> int:
    return inc(1) if map_task(checked)(numbers(n)) else inc(2)


@workflow
def several_outputs_of_a_conditional(n: int) -> int:
    made = conditional("some").if_(n > 3).then(checked(n)).else_().then(checked(1))
    return inc(1) if made else inc(2)


@workflow
def several_outputs_of_a_repeat(n: int) -> int:
    return inc(1) if repeat(paced, until=lambda made: made[0] > 3, max=2)(n, 1) else inc(2)


@task
def paced(n: int, by: int) -> tuple[int, int]:
    return n + by, by


@workflow
def fine_with_outputs_that_are_taken_apart(n: int) -> tuple[bool, str]:
    held, text = checked(n)
    found = checked(inc(n))
    return found if len(found) == 2 else (held, text)
