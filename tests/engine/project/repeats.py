"""Repeats: every form of state, of step and of place. See `cases` for the outcome that each must have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from alula import NonRecoverable, conditional, is_none, map_task, repeat, task, workflow


@dataclass
class State:
    """What a round passes on."""

    size: int
    name: str
    best: float | None = None


class Step(NamedTuple):
    """What a round makes: one field is an argument of the next, the other is only asked."""

    position: int
    error: float


@task
def inc(n: int) -> int:
    """One more."""
    return n + 1


@task
def begin(n: int) -> State:
    """The first state."""
    return State(n, "é {{=1+1}} ")


@task
def improve(state: State, by: int, mark: str = "!") -> State:
    """A better state."""
    size = state.size + by
    return State(size, state.name + mark, 0.5 if size > 6 else None)


@task
def approach(target: int, position: int) -> Step:
    """Half of the way."""
    position += (target - position + 1) // 2
    return Step(position, abs(target - position) / 2)


@task
def swapped(a: int, b: str, c: int) -> tuple[int, str]:
    """Two parts of a state, by their places."""
    return a + c, f"{b}{a}"


class Heavy(NamedTuple):
    """A state that does not travel inline, and how large it is."""

    texts: list[str]
    size: int


@task
def heavy(texts: list[str], by: int) -> Heavy:
    """More of it."""
    return Heavy([*texts, *["x" * 1000] * by], len(texts) + by)


@task
def count(texts: list[str]) -> int:
    """How many."""
    return len(texts)


@task
def breaks(n: int) -> int:
    """It fails at three."""
    if n == 3:
        raise NonRecoverable(f"failed on purpose with {n}")
    return n + 1


@task
def numbers(n: int) -> list[int]:
    """As many as asked for."""
    return list(range(n))


@task
def total(values: list[int]) -> int:
    """All of them together."""
    return sum(values)


@workflow
def onwards(n: int, least: int = 0) -> int:
    """A step with a conditional on its state."""
    return conditional("jump").if_(n < 3).then(inc(inc(n))).elif_(n < least).then(inc(n)).else_().then(n)


@workflow
def counted(n: int) -> int:
    """A single value, until it is large."""
    return repeat(inc, until=lambda n: n >= 5, max=6)(n)


@workflow
def records(n: int, limit: int = 8) -> tuple[State, str]:
    """A record with bound inputs, asked in parts, beside what the workflow knows."""
    found = repeat(improve, until=lambda state: (state.size > limit) & ~is_none(state.best), max=5)(begin(n), by=3)
    told = conditional("told").if_(found.size > limit).then("large").else_().then("small")
    return found, told


@workflow
def fields(n: int) -> Step:
    """A NamedTuple: its field is the argument of its name."""
    return repeat(approach, until=lambda step: step.error <= 0.5, max=8)(target=n, position=0)


@workflow
def places(n: int) -> tuple[int, str]:
    """A tuple: its parts are the first arguments."""
    return repeat(swapped, until=lambda both: both[0] > 6, max=4)(n, "", 2)


@workflow
def kept(n: int) -> int:
    """A state in the store, after as many rounds as there may be."""
    return count(repeat(heavy, until=lambda made: made.size > 100, max=3)(["a"], n).texts)


@workflow
def graphs(n: int) -> int:
    """A workflow as the step, with a conditional on what the round before made."""
    return repeat(onwards, until=lambda n: n >= 7, max=4)(n, least=6)


@workflow
def fails(n: int) -> int:
    """A round may fail."""
    return inc(repeat(breaks, until=lambda n: n > 4, max=5)(n))


@workflow
def twice(n: int) -> int:
    """A repeat as the step of another."""
    return repeat(counted, until=lambda n: n > 6, max=3)(n)


@workflow
def few(n: int) -> int:
    """One or two rounds."""
    return repeat(inc, until=lambda n: n >= 2, max=3)(n)


@workflow
def each(n: int) -> int:
    """Repeats as the items of a map, whose list is as long as a repeat says, in a branch."""
    long = inc(repeat(inc, until=lambda n: n > 2, max=3)(n))
    return conditional("mapped").if_(long > 3).then(total(map_task(few)(numbers(long)))).else_().then(0)
