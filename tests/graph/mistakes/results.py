from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from alula import task, workflow


@dataclass
class Pair:
    a: int
    b: int


class Both(NamedTuple):
    a: int
    b: str


@task
def count(n: int = 1) -> int:
    return n


@task
def name() -> str:
    return "x"


@task
def pair() -> Pair:
    return Pair(1, 2)


@task
def both() -> Both:
    return Both(1, "x")


@task
def nothing() -> None: ...


@workflow
def forgets_to_return(n: int) -> int:
    count(n)


@workflow
def returns_another_type(n: int) -> int:
    return name()


@workflow
def returns_a_wrong_constant(n: int) -> int:
    return "seven"


@workflow
def declares_no_result(n: int):
    return count(n)


@workflow
def declares_none(n: int) -> None:
    return count(n)


@workflow
def returns_too_few(n: int) -> tuple[int, str]:
    return (count(n),)


@workflow
def returns_one_for_two(n: int) -> tuple[int, str]:
    return count(n)


@workflow
def returns_them_swapped(n: int) -> Both:
    return Both(name(), count(n))


@workflow
def returns_a_list_of_promises(n: int) -> list[int]:
    return [count(n), count(n)]


@workflow
def returns_a_dict_of_promises(n: int) -> dict[str, int]:
    return {"a": count(n)}


@workflow
def builds_a_record_of_promises(n: int) -> Pair:
    return Pair(count(n), 2)


@workflow
def returns_nothing_from_a_task(n: int) -> int:
    return nothing()


@workflow
def takes_parts_that_do_not_exist(n: int) -> int:
    count(pair().c)
    count(pair()["a"])
    count(both().b)
    count(count(n)[0])
    return pair().bb


@task
def tree() -> dict[str, dict[str, int]]:
    return {}


@workflow
def follows_parts_that_are_not_there(n: int) -> int:
    pair().zz.deeper["x"]
    tree()["x"][0]
    tree()[1.5]
    tree()[True]
    numbers()[-1]
    numbers()["x"]
    return pair().zz


@task
def numbers() -> list[int]:
    return [1]


@workflow
def takes_apart_what_returns_nothing() -> int:
    return nothing().x


@workflow
def sets_an_attribute(n: int) -> Pair:
    result = pair()
    result.a = n
    return result


@task
def distinct(values: set[int]) -> int:
    return len(values)


@workflow
def passes_a_set_of_promises(n: int) -> int:
    return distinct({count(n), count(n)})


@workflow
def returns_no_tuple(n: int) -> tuple[int, int]:
    return 3
