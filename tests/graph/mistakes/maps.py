"""Maps that cannot be made."""

from __future__ import annotations

from functools import partial
from typing import Any

from alula import Batch, map_task, repeat, task, workflow


@task
def numbers(n: int) -> list[int]:
    return []


@task
def texts(n: int) -> list[str]:
    return []


@task
def double(x: int, plus: int = 0) -> int:
    return 2 * x + plus


@task
def total(xs: list[int]) -> int:
    return 0


@workflow
def over_one_number(n: int) -> list[int]:
    return map_task(double)(n)  # type: ignore


@workflow
def over_a_constant(n: int) -> list[int]:
    return map_task(double)(3)  # type: ignore


@workflow
def items_of_another_type(n: int) -> list[int]:
    return map_task(double)(texts(n))  # type: ignore


@workflow
def results_of_another_type(n: int) -> list[str]:
    return map_task(double)(numbers(n))  # type: ignore


@workflow
def unequal(n: int) -> list[int]:
    return map_task(double)([1, 2, 3], [n, n])


@workflow
def a_million(n: int) -> list[int]:
    return map_task(double)([0] * 1_000_000)


@workflow
def no_list(n: int) -> list[int]:
    return map_task(double)()


@workflow
def all_by_name(n: int) -> list[int]:
    return map_task(double)(x=numbers(n), plus=3)  # type: ignore


@workflow
def too_many_lists(n: int) -> list[int]:
    return map_task(partial(double, plus=n))(numbers(n), numbers(n))  # type: ignore


@workflow
def twice(n: int) -> list[int]:
    return map_task(double)(numbers(n), x=3)  # type: ignore


@workflow
def no_such_input(n: int) -> list[int]:
    return map_task(double)(numbers(n), scale=3)  # type: ignore


@workflow
def one_item_where_all_are_needed(n: int) -> int:
    made: Any = map_task(double)(numbers(n))
    return total(made[0])


@workflow
def no_task(n: int) -> list[str]:
    return map_task(str)(numbers(n))


@workflow
def more_than_all(n: int) -> list[int | None]:
    return map_task(double, min_success_ratio=1.5)(numbers(n))


@workflow
def results_that_may_be_none(n: int) -> int:
    return total(map_task(double, min_successes=1)(numbers(n)))  # type: ignore


@workflow
def none_at_one_time(n: int) -> list[int]:
    return map_task(double, concurrency=0)(numbers(n))


@workflow
def no_such_option(n: int) -> list[int]:
    return map_task(double, parallel=3)(numbers(n))  # type: ignore


@workflow
def no_item_a_pod(n: int) -> list[int]:
    return map_task(double, batch=0)(numbers(n))


@workflow
def less_than_none(n: int) -> list[int]:
    return map_task(double, batch=-1)(numbers(n))


@workflow
def many(n: int) -> list[int]:
    return map_task(double, batch="many")(numbers(n))  # type: ignore


@workflow
def too_large(n: int) -> list[int]:
    return map_task(double, batch=5000)(numbers(n))


@workflow
def more_at_one_time_than_there_are(n: int) -> list[int]:
    return map_task(double, batch=Batch(3, parallel=4))(numbers(n))


@workflow
def none_side_by_side(n: int) -> list[int]:
    return map_task(double, batch=Batch(3, parallel=0))(numbers(n))


@workflow
def one(n: int) -> int:
    return total(numbers(n))


@workflow
def workflows_in_batches(n: int) -> list[int]:
    return map_task(one, batch=20)(numbers(n))


@workflow
def too_long_for_its_batch() -> list[int]:
    return map_task(double, batch=2)([0] * 2001)


@workflow
def with_the_lists_beside_the_task(n: int) -> list[int]:
    return map_task(double, numbers(n))  # type: ignore


@workflow
def never_called(n: int) -> int:
    return total(map_task(double))  # type: ignore


@workflow
def a_map_of_a_map(n: int) -> list[int]:
    return map_task(map_task(double))(numbers(n))  # type: ignore


@workflow
def a_percentage(n: int) -> list[int | None]:
    return map_task(double, min_success_ratio=90)(numbers(n))  # type: ignore


@workflow
def options_that_only_the_run_knows(n: int) -> list[int]:
    return map_task(double, concurrency=n, batch=n)(numbers(n))


@workflow
def a_list_for_one_call(n: int) -> int:
    return double(numbers(n))  # type: ignore


@workflow
def more_successes_than_items(n: int) -> list[int | None]:
    return map_task(double, min_successes=3)([1, n])  # type: ignore


@workflow
def a_map_of_a_repeat(n: int) -> list[int]:
    return map_task(repeat(double, until=lambda x: x > 3, max=3))(numbers(n))  # type: ignore


@workflow
def options_by_position(n: int) -> int:
    return double.with_overrides(3)(n)  # type: ignore


@workflow
def a_result_as_flyte_names_it(n: int) -> int:
    return double(n).o0  # type: ignore
