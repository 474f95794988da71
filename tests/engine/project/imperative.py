"""A workflow that is put together by calls."""

from __future__ import annotations

from alula import ImperativeWorkflow, conditional, map_task, task


@task
def count(n: int) -> list[int]:
    """As many numbers."""
    return list(range(n))


@task
def inc(n: int) -> int:
    """One more."""
    return n + 1


@task
def total(ns: list[int]) -> int:
    """Their sum."""
    return sum(ns)


built = ImperativeWorkflow("imperative-built")
_n = built.add_input("n", int)
_sum = built.add(total, built.add(map_task(inc), built.add(count, _n)))
with built:
    _chosen = conditional("choose").if_(_sum > 5).then(inc(_sum)).else_().then(0)
built.add_output("sum", _sum)
built.add_output("chosen", _chosen, int)
