"""Mapped workflows that return the lists of maps inside them, so that maps make lists of lists.

See `cases` for the outcome that each must have.
"""

from __future__ import annotations

from alula import NonRecoverable, conditional, map_task, repeat, task, workflow

HOSTILE = "{{=1+1}} {{workflow.uid}} é '\" \\ <&> $(x)"


@task
def numbers(n: int) -> list[int]:
    """A list whose length only the run knows."""
    return list(range(n))


@task
def texts(n: int) -> list[str]:
    """Texts of which every other one is too long for a line."""
    return [HOSTILE * (1 + 20 * (i % 2)) for i in range(n)]


@task
def double(x: int) -> int:
    """Map one item."""
    return 2 * x


@task
def same(text: str) -> str:
    """Map one text."""
    return text


@task
def both(x: int) -> tuple[int, str]:
    """Several outputs."""
    return x, f"n{x}"


@task
def unless(x: int) -> int:
    """An item that fails."""
    if x == 1:
        raise NonRecoverable("failed on purpose with 1")
    return x


@task
def total(xs: list[int]) -> int:
    """Read one of the lists."""
    return sum(xs)


@task
def known(xs: list[int | None] | None) -> str:
    """Read one that may have failed, of items that may have."""
    return "-" if xs is None else " ".join("?" if x is None else str(x) for x in xs)


@task
def shown(rows: list[list[int]]) -> str:
    """Read all of them."""
    return "|".join(" ".join(map(str, row)) for row in rows)


@task
def lengths(rows: list[list[str]]) -> list[int]:
    """Read lists of texts, of which some lie in the store."""
    assert all(text in (HOSTILE, HOSTILE * 21) for row in rows for text in row)
    return [sum(map(len, row)) for row in rows]


@workflow
def row(x: int) -> list[int]:
    """The list of a map."""
    return map_task(double)(numbers(x))


@workflow
def grid(n: int) -> tuple[str, list[list[int]]]:
    """Lists of lists, which a task reads and the run returns."""
    rows = map_task(row)(numbers(n))
    return shown(rows), rows


@workflow
def again(xs: list[int]) -> list[int]:
    """A map over a list that is an item."""
    return map_task(double)(xs)


@workflow
def twice(n: int) -> tuple[list[int], str]:
    """Maps of tasks and of workflows over lists of lists."""
    rows = map_task(row)(numbers(n))
    return map_task(total)(rows), shown(map_task(again).named("more")(rows))


@workflow
def plane(x: int) -> list[list[int]]:
    """Lists of lists of one item."""
    return map_task(row)(numbers(x))


@workflow
def layers(n: int) -> tuple[list[list[list[int]]], list[str]]:
    """Lists of lists of lists."""
    planes = map_task(plane)(numbers(n))
    return planes, map_task(shown)(planes)


@workflow
def packed(x: int) -> list[int]:
    """The list of a map in batches."""
    return map_task(double, batch=2)(numbers(x))


@workflow
def bundles(n: int) -> tuple[str, list[int], list[list[int]]]:
    """Batches in items, and lists of lists in batches."""
    rows = map_task(packed)(numbers(n))
    return shown(rows), map_task(total, batch=2)(rows), map_task(again)(rows)


@workflow
def chosen(x: int) -> list[int]:
    """The list of a map or of a task."""
    choice = conditional("choose").if_(x > 2).then(map_task(double)(numbers(x)))
    return choice.elif_(x > 1).then(numbers(x)).else_().then(row(x))


@workflow
def choices(n: int) -> str:
    """Lists that branches make."""
    return shown(map_task(chosen)(numbers(n)))


@workflow
def passes(xs: list[int]) -> tuple[int, list[int]]:
    """Gives back what it got."""
    return total(xs), xs


@workflow
def passed(x: int) -> tuple[int, list[int]]:
    """A list that a workflow passes on."""
    return passes(map_task(double)(numbers(x)))


@workflow
def handed(n: int) -> tuple[list[int], str]:
    """Lists that workflows pass on."""
    sums, rows = map_task(passed)(numbers(n))
    return sums, shown(rows)


@task
def less(left: int) -> int:
    """One round less."""
    return left - 1


@workflow
def settled(xs: list[int], left: int) -> tuple[list[int], int]:
    """A round that makes a list by a map."""
    return map_task(double)(xs), less(left)


@workflow
def rounds(x: int) -> tuple[list[int], int]:
    """The list that the last round made."""
    made, _ = repeat(settled, until=lambda made: made[1] <= 0, max=3)(numbers(x), 2)
    return made, total(made)


@workflow
def repeats(n: int) -> tuple[str, list[int]]:
    """Lists that repeats make."""
    rows, sums = map_task(rounds)(numbers(n))
    return shown(rows), sums


@workflow
def several(x: int) -> tuple[list[str], list[int]]:
    """Two lists of one map."""
    made, names = map_task(both)(numbers(x))
    return names, made


@workflow
def couples(n: int) -> tuple[list[list[str]], list[int], int, int]:
    """Two lists of lists, and single items of one."""
    names, made = map_task(several)(numbers(n))
    return names, map_task(total)(made), total(made[2]), double(made[2][1])


@workflow
def bare(x: int) -> list[int | None]:
    """A list of items that may fail."""
    return map_task(unless, min_success_ratio=0)(numbers(x))


@workflow
def broken(x: int) -> list[int | None]:
    """A list of items that may fail, if the workflow does not."""
    made = map_task(unless, min_success_ratio=0)(numbers(x))
    return conditional("choose").if_(x == 1).then(more(made, x)).else_().then(made)


@task
def more(xs: list[int | None], x: int) -> list[int | None]:
    """Fail with an item of the map around."""
    return [*xs, unless_given(x)]


def unless_given(x: int) -> int:
    """Fail."""
    raise NonRecoverable(f"failed on purpose with {x}")


@workflow
def spared(n: int) -> tuple[list[str], list[str]]:
    """Lists that may have failed, of items that may have."""
    whole = map_task(known)(map_task(bare)(numbers(n)))
    return whole, map_task(known).named("left")(map_task(broken, min_successes=1)(numbers(n)))


@workflow
def long(x: int) -> list[str]:
    """Items of which some lie in the store."""
    return map_task(same)(texts(x))


@workflow
def hostile(n: int) -> list[int]:
    """Texts in lists of lists."""
    return lengths(map_task(long)(numbers(n)))
