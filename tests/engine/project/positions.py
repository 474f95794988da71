"""A failure in each position of each construct: every task has a number, and the one with the number `n` fails. See
`cases` for what must have become of all others then.

Tasks in a row need no policy: what is behind a failure does not run. Where tasks stand side by side all others go on,
so that it is the same ones each time.
"""

from __future__ import annotations

from alula import NonRecoverable, conditional, map_task, repeat, task, workflow


def _passed(at: int, n: int) -> int:
    if at == n:
        raise NonRecoverable(f"failed on purpose at {at}")
    return at + 1


@task
def turn(at: int, n: int) -> int:
    """The next number."""
    return _passed(at, n)


@task
def numbers(at: int, n: int) -> list[int]:
    """Those of three items."""
    first = _passed(at, n)
    return [first, first + 1, first + 2]


@task
def item(at: int, n: int, bound: int) -> int:
    """The next number, of an item with a bound input."""
    return _passed(at, n) + 0 * bound


@task
def last(made: list[int], n: int) -> int:
    """The largest number, behind a map."""
    return _passed(max(made), n)


@workflow
def branch(n: int) -> int:
    """1 decides, 2, 3, 4 and 5 are in the branch, 3 and 4 of them in another one; 6 is behind both."""
    decided = turn.named("decide")(1, n)
    taken = conditional("outer").if_(decided > 0).then(_branch(decided, n)).else_().then(turn.named("other")(0, n))
    return turn.named("behind")(taken, n)


def _branch(at: int, n: int) -> int:
    first = turn.named("first")(at, n)
    inner = (
        conditional("inner")
        .if_(first > 0)
        .then(turn.named("last")(turn.named("first")(first, n), n))
        .else_()
        .then(turn.named("other")(0, n))
    )
    return turn.named("last")(inner, n)


@workflow(failure_policy="continue")
def mapped(n: int) -> int:
    """1 makes a bound input and 2 the list, 3, 4 and 5 are items, and 6 is behind them."""
    bound = turn.named("bound")(1, n)
    return last.named("behind")(map_task(item)(numbers.named("list")(2, n), n=n, bound=bound), n)


@workflow(failure_policy="continue")
def batches(n: int) -> int:
    """1 and 2 are in the first pod, 3 and 4 in the last one; 5 is behind them."""
    return last.named("behind")(map_task(turn, batch=2).named("each")([1, 2, 3, 4], n=n), n)


@workflow
def called(n: int) -> int:
    """1, 2 and 3 are in a sub-workflow; 4 is behind it."""
    return turn.named("behind")(row.named("sub")(1, n), n)


@workflow
def row(at: int, n: int) -> int:
    """Three numbers in a row."""
    return turn.named("last")(turn.named("middle")(turn.named("first")(at, n), n), n)


@workflow
def pair(at: int, n: int) -> int:
    """Two numbers in a row."""
    return turn.named("last")(turn.named("first")(at, n), n)


@workflow(failure_policy="continue")
def pairs(n: int) -> int:
    """1 and 2 are one item, 11 and 12 the other; 13 is behind them."""
    return last.named("behind")(map_task(pair).named("each")([1, 11], n=n), n)


@workflow
def rounds(n: int) -> int:
    """1 is the first state, 2 and 3 are rounds, and 4 is behind them."""
    begun = turn.named("begin")(1, n)
    return turn.named("behind")(repeat(turn, until=lambda at: at > 3, max=3).named("again")(begun, n=n), n)


@workflow
def rounds_of_pairs(n: int) -> int:
    """1 and 2 are the first round, 3 and 4 the second; 5 is behind them."""
    return turn.named("behind")(repeat(pair, until=lambda at: at > 4, max=3).named("again")(1, n=n), n)


@workflow(failure_policy="continue")
def items_in_a_branch(n: int) -> int:
    """1 decides, 2 and 3 are items in the branch, 4 is behind them in it, and 5 behind the branch."""
    decided = turn.named("decide")(1, n)
    taken = (
        conditional("choose")
        .if_(decided > 0)
        .then(last(map_task(turn).named("each")([decided, 3], n=n), n))
        .else_()
        .then(turn.named("other")(0, n))
    )
    return turn.named("behind")(taken, n)


@workflow
def either(at: int, n: int) -> int:
    """A number, and then one of two branches."""
    decided = turn.named("decide")(at, n)
    return (
        conditional("choose")
        .if_(decided > 10)
        .then(turn.named("high")(decided, n))
        .else_()
        .then(turn.named("low")(decided, n))
    )


@workflow(failure_policy="continue")
def branches_in_items(n: int) -> int:
    """1 decides on the branch of 2 in one item, 11 on that of 12 in the other; 13 is behind them."""
    return last.named("behind")(map_task(either).named("each")([1, 11], n=n), n)


@workflow
def several(at: int, n: int) -> int:
    """Two rounds."""
    return repeat(turn, until=lambda now: (now == 3) | (now == 13), max=3).named("again")(at, n=n)


@workflow(failure_policy="continue")
def rounds_in_items(n: int) -> int:
    """1 and 2 are the rounds of one item, 11 and 12 those of the other; 13 is behind them."""
    return last.named("behind")(map_task(several).named("each")([1, 11], n=n), n)


@workflow
def spread(at: int, n: int) -> int:
    """Two items, of which the second never fails, and what is behind them."""
    return last(map_task(turn).named("each")([at, -9], n=n), n)


@workflow(failure_policy="continue")
def items_in_rounds(n: int) -> int:
    """1 is an item of the first round and 2 behind it, 3 and 4 those of the second; 5 is behind them."""
    return turn.named("behind")(repeat(spread, until=lambda at: at > 4, max=3).named("again")(1, n=n), n)
