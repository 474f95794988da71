"""Conditionals that are not ones."""

from __future__ import annotations

import datetime
import decimal
import enum
from dataclasses import dataclass

import numpy

from alula import File, conditional, is_none, order, task, workflow


class Color(enum.Enum):
    RED = 1


class Hue(enum.Enum):
    RED = 1


@dataclass
class Score:
    accuracy: float
    name: str
    color: Color
    wins: int | None


@task
def score(n: int) -> Score:
    return Score(n, "", Color.RED, None)


@task
def count(n: int) -> int:
    return n


@task
def say(n: int) -> str:
    return str(n)


@task
def write(n: int) -> File:
    return File("x")


@task
def note(n: int) -> None:
    pass


@workflow
def in_an_elif(n: int) -> int:
    if count(n) > 3:
        return 1
    if n == 4:
        return 2
    return 3


@workflow
def chained(n: int) -> int:
    return conditional("c").if_(0 < n < 4).then(count(n)).else_().then(0)


@workflow
def joined_by_and(n: int) -> int:
    return conditional("c").if_(n > 0 and n < 4).then(count(n)).else_().then(0)


@workflow
def unlike_types(n: int) -> int:
    found = score(n)
    return (
        conditional("c")
        .if_((n > found.accuracy) | (found.name == 3) | (found.color == "RED") | (n > 0.5) | (n > "3"))  # type: ignore
        .then(count(n))
        .elif_((found.name < "a") | (n == datetime.date(2026, 1, 1)) | is_none(n))  # type: ignore
        .then(count(n))
        .else_()
        .then(0)
    )


@workflow
def known_now(n: int) -> int:
    return conditional("c").if_(3 > 2).then(count(n)).else_().then(0)


@workflow
def a_number(n: int) -> int:
    return conditional("c").if_(n).then(count(n)).else_().then(0)


@workflow
def on_a_file(n: int) -> int:
    return conditional("c").if_(write(n) == "x").then(count(n)).else_().then(0)  # type: ignore


@workflow
def of_nothing(n: int) -> int:
    return conditional("c").if_(note(n) == 3).then(count(n)).else_().then(0)  # type: ignore


@workflow
def unlike_branches(n: int) -> int:
    return conditional("c").if_(n > 3).then(count(n)).else_().then(say(n))  # type: ignore


@workflow
def other_numbers_of_values(n: int) -> int:
    return conditional("c").if_(n > 3).then((1, 2)).else_().then(say(n))  # type: ignore


@workflow
def none_where_a_value_is_needed(n: int) -> int:
    return conditional("c").if_(n > 3).then(count(n)).or_none()  # type: ignore


@workflow
def a_result_from_inside(n: int) -> int:
    inside = []
    conditional("c").if_(n > 3).then(inside.append(count(n)))
    return count(inside[0])


@workflow
def without_then(n: int) -> int:
    conditional("c").if_(n > 3)
    return count(n)


@workflow
def twice_one_name(n: int) -> int:
    conditional("c").if_(n > 3).then(count(n))
    conditional("c").if_(n > 3).then(count(n))
    return count(n)


@workflow
def no_name(n: int) -> int:
    conditional("My Branch").if_(n > 3).then(count(n))
    return count(n)


@workflow
def a_list(n: int) -> list[int]:
    return conditional("c").if_(n > 3).then([count(n), n]).else_().then([1])


@workflow
def a_part(n: int) -> str:
    return conditional("c").if_(n > 3).then(score(n).name).else_().then(say(n))


@workflow
def a_part_of_what_was_there(n: int) -> str:
    found = score(n)
    return conditional("c").if_(n > 3).then(say(n)).else_().then(found.name)


@workflow
def failing_with_unfit_values(n: int) -> int:
    found = score(n)
    return (
        conditional("a")
        .if_(n > 3)
        .fail("{made} {found} {missing}", made=write(n), found=found)
        .elif_(n > 2)
        .fail("a { alone, and nothing of this", n=n)
        .elif_(n > 1)
        .fail(say(n))  # type: ignore[arg-type]
        .elif_(n > 0)
        .fail("{found} and {when}", found=[found], when=datetime.date(2026, 1, 1))
        .else_()
        .then(n)
    )


@workflow
def failing_in_all_branches(n: int) -> int:
    return conditional("a").if_(n > 3).fail("too much").else_().fail("too little")


@task
def two(n: int) -> tuple[int, str]:
    return n, ""


@task
def numbers(n: int) -> list[int]:
    return [n]


@workflow
def no_else_where_a_value_is_needed(n: int) -> int:
    return count(conditional("c").if_(n > 3).then(count(n)))  # type: ignore


@workflow
def no_else_where_a_value_is_returned(n: int) -> int:
    return conditional("c").if_(n > 3).then(count(n))  # type: ignore


@workflow
def no_else_where_parts_are_needed(n: int) -> int:
    first, _ = conditional("c").if_(n > 3).then(two(n))  # type: ignore
    return first


@workflow
def no_else_inside_a_branch(n: int) -> int:
    return conditional("c").if_(n > 3).then(conditional("d").if_(n > 5).then(count(n))).else_().then(0)  # type: ignore


@workflow
def two_last_branches(n: int) -> int:
    c = conditional("c").if_(n > 3).then(count(n))
    first = c.else_().then(2)
    c.else_().then(3)
    c.elif_(n > 2).then(4)
    return first


@workflow
def two_first_branches(n: int) -> int:
    c = conditional("c")
    c.if_(n > 3).then(count(n))
    return c.if_(n > 5).then(1).else_().then(2)


@workflow
def a_result_that_need_not_be_there(n: int) -> int:
    wait = conditional("c").if_(n > 3).then(note(n))
    made = count(n)
    wait >> made
    return count(made)


@workflow
def a_branch_whose_result_need_not_be_there(n: int) -> int:
    wait = conditional("c").if_(n > 3).then(note(n))
    found = conditional("d").if_(n > 4).then(made := count(n)).else_().then(0)
    wait >> made
    return count(found)


@workflow
def what_is_not_called(n: int) -> int:
    return conditional("c").if_(n > 3).then(count).elif_(n > 2).then(lambda: count(n)).else_().then(...)  # type: ignore


@workflow
def joined_by_a_caret(n: int) -> int:
    return conditional("c").if_((n > 3) ^ (n > 5)).then(count(n)).else_().then(0)  # type: ignore


@workflow
def on_a_list(n: int) -> int:
    return conditional("c").if_(numbers(n) == [1]).then(count(n)).else_().then(0)


@workflow
def on_a_file_itself(n: int) -> int:
    return conditional("c").if_(write(n)).then(count(n)).else_().then(0)  # type: ignore


@workflow
def fine_with_constants_of_every_kind(n: int) -> list[int]:
    return conditional("c").if_(n > 3).then([1, 2]).elif_(n > 2).then(numbers(n)).else_().then([])


@workflow
def fine_with_branches_that_give_nothing(n: int) -> None:
    return conditional("c").if_(n > 3).then(conditional("d").if_(n > 5).then(note(n)))  # type: ignore


@workflow
def a_text_for_an_enum(n: int) -> int:
    return conditional("c").if_(score(n).color == "RED").then(1).else_().then(0)


@workflow
def the_value_of_an_enum(n: int) -> int:
    return conditional("c").if_(score(n).color == Color.RED.value).then(1).else_().then(0)


@workflow
def a_time_without_a_zone(when: datetime.datetime) -> int:
    return conditional("c").if_(when > datetime.datetime(2026, 1, 1)).then(1).else_().then(0)


@workflow
def without_parentheses(n: int) -> int:
    return conditional("c").if_(count(n) > 1 & n < 3).then(1).else_().then(0)  # type: ignore


@workflow
def compared_with_a_condition(n: int) -> int:
    return conditional("c").if_(count(n) == (n > 1)).then(1).else_().then(0)


@workflow
def searched_for_in_constants(n: int) -> int:
    return conditional("c").if_(say(n) in ("1", "2")).then(1).else_().then(0)


@workflow
def then_before_if(n: int) -> int:
    return conditional("c").then(count(n)).else_().then(0)  # type: ignore


@workflow
def two_results_of_a_branch(n: int) -> int:
    return conditional("c").if_(n > 1).then(count(n)).then(1).else_().then(0)  # type: ignore


@workflow
def else_before_then(n: int) -> int:
    return conditional("c").if_(n > 1).else_().then(0)  # type: ignore


@workflow
def a_value_for_else(n: int) -> int:
    return conditional("c").if_(n > 1).then(count(n)).else_(0)  # type: ignore


@workflow
def nothing_for_then(n: int) -> int:
    return conditional("c").if_(n > 1).then().else_().then(0)  # type: ignore


@workflow
def without_a_name(n: int) -> int:
    return conditional().if_(n > 1).then(1).else_().then(0)  # type: ignore


@workflow
def values_of_a_failure_by_position(n: int) -> int:
    return conditional("c").if_(n > 1).then(1).else_().fail("{} is low", n)  # type: ignore


@workflow
def a_failure_with_parts_and_formats(n: int) -> int:
    found = score(n)
    return (
        conditional("c")
        .if_(n > 1)
        .then(1)
        .else_()
        .fail("{found.name} has {accuracy:.2f} of {}", found=found, accuracy=found.accuracy)
    )


@workflow
def a_failure_that_says_nothing(n: int) -> int:
    return conditional("c").if_(n > 1).then(1).else_().fail(" ")


@workflow
def without_branches(n: int) -> int:
    conditional("c")
    return count(n)


@workflow
def a_constant_that_does_not_fit(n: int) -> datetime.datetime:
    return conditional("c").if_(n > 1).then(datetime.datetime(2026, 1, 1)).else_().then(datetime.datetime.max)


@workflow
def ordered_before_the_call(n: int) -> int:
    order(count(n), note)
    return count(n)


@workflow
def a_member_of_another_enum(n: int) -> int:
    return conditional("c").if_(score(n).color == Hue.RED).then(1).else_().then(0)


@workflow
def a_constant_that_nothing_carries(n: int) -> int:
    return conditional("c").if_(score(n).accuracy > decimal.Decimal("0.9")).then(1).else_().then(0)


@workflow
def fine_with_numbers_of_numpy(n: int) -> float:
    found = (score(n).accuracy > numpy.float64(0.5)) & (count(n) < numpy.int64(9))
    return conditional("c").if_(found).then(numpy.float64(0.5)).else_().then(0.0)


@task
def flag(found: bool) -> bool:
    return found


@workflow
def a_condition_in_a_text(n: int) -> int:
    print(f"tracing {n > 3}")
    return count(n)


@workflow
def a_condition_that_is_compared(n: int) -> int:
    return count(1) if (n > 3) == True else count(2)  # noqa: E712


@workflow
def a_condition_for_a_task(n: int) -> bool:
    return flag(n > 3)


@workflow
def a_condition_as_a_result(n: int) -> bool:
    return conditional("c").if_(n > 1).then(n > 3).else_().then(False)


@workflow
def a_conditional_in_a_text(n: int) -> int:
    found = conditional("c").if_(n > 1).then(say(n))
    print(f"tracing {found}")
    return count(n)


@workflow
def a_conditional_in_an_if(n: int) -> int:
    found = conditional("c").if_(n > 1).then(say(n))
    return count(1) if found else count(2)
