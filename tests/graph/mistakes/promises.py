from __future__ import annotations

import copy
import functools
import math
import pickle  # noqa: TID251
from pathlib import Path

from alula import task, workflow


@task
def count(n: int = 1) -> int:
    return n


@task
def numbers(n: int = 1) -> list[int]:
    return [n]


@task
def table() -> dict[str, int]:
    return {}


def adds_up(value: int) -> int:
    return value + 1


@workflow
def in_an_if(n: int) -> int:
    if count(n) > 3:
        return count(1)
    return count(2)


@workflow
def an_input_in_an_if(n: int, fast: bool) -> int:
    if fast:
        return count(n)
    return count(count(n))


@workflow
def in_an_and(n: int) -> int:
    return count(n) and count(n)


@workflow
def in_an_fstring(n: int) -> int:
    print(f"counting {count(n)}")
    return count(n)


@workflow
def in_str(n: int) -> int:
    return count(len(str(count(n))))


@workflow
def in_a_loop(n: int) -> int:
    result = 0
    for item in numbers(n):
        result = count(item)
    return result


@workflow
def in_arithmetic(n: int) -> int:
    return count(count(n) + 1)


@workflow
def an_input_in_arithmetic(n: int) -> int:
    return count(2 * n)


@workflow
def in_range(n: int) -> int:
    for _ in range(n):
        count(1)
    return count(2)


@workflow
def in_a_comparison(n: int) -> int:
    return count(1 if n == 1 else 2)


@workflow
def in_int(n: int) -> int:
    return count(int(count(n)))


@workflow
def in_len(n: int) -> int:
    return count(len(numbers(n)))


@workflow
def searched(n: int) -> int:
    return count(1 if 3 in numbers(n) else 2)


@workflow
def in_a_library(n: int) -> int:
    return count(math.floor(count(n)))


@workflow
def as_a_path(n: int) -> int:
    Path(count(n))
    return count(n)


@workflow
def copied(n: int) -> int:
    return copy.deepcopy(count(n))


@workflow
def pickled(n: int) -> int:
    pickle.dumps(count(n))
    return count(n)


@workflow
def changed(n: int) -> dict[str, int]:
    result = table()
    result["x"] = n
    return result


@workflow
def called(n: int) -> int:
    return count(n)()


@workflow
def with_a_method(n: int) -> list[int]:
    numbers(n).append(3)
    return numbers(n)


@workflow
def in_a_helper(n: int) -> int:
    return count(adds_up(count(n)))


@workflow
def caught_and_forgotten(n: int) -> int:
    try:
        if count(n):
            pass
    except Exception:
        pass
    return count(n)


@workflow
def is_a_key(n: int) -> int:
    names = {count(n): "first"}
    return count(len(names))


@workflow
def is_looked_for_in_a_dict(n: int) -> int:
    return count(1) if count(n) in {1: 2} else count(2)


@functools.lru_cache
def cached(n: int) -> int:
    return n + 1


@workflow
def is_given_to_a_cache(n: int) -> int:
    return cached(count(n))


@workflow
def is_in_a_set(n: int) -> int:
    return count(len({count(n), count(1)}))


@workflow
def is_none(n: int) -> int:
    made = count(n)
    if made is not None and n is None:
        return count(1)
    return made


@workflow
def is_asked_for_its_type(n: int) -> int:
    return count(1) if isinstance(n, float) else count(n)


@workflow
def is_matched(n: int) -> int:
    match n:
        case int():
            return count(1)
        case _:
            return count(2)


@workflow
def is_matched_by_a_value(n: int) -> int:
    match count(n):
        case 1:
            return count(1)
        case _:
            return count(2)


@workflow
def the_first_of_a_chain_may_be_none(n: int) -> int:
    last = None
    for _ in range(3):
        last = count(n) if last is None else count(last)
    assert last is not None
    return last


@workflow
def is_sliced(n: int) -> list[int]:
    return numbers(n)[:2]
