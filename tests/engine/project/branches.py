"""Conditionals: every shape of skip and merge. See `cases` for the outcome that each must have."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass

from alula import NonRecoverable, conditional, is_none, order, task, workflow


class Stage(enum.Enum):
    """Where a model stands."""

    TEST = "test"
    PRODUCTION = "production"


@dataclass
class Score:
    """What is known of a model."""

    accuracy: float
    name: str
    stage: Stage
    made: datetime.datetime
    wins: int | None
    passed: bool


@task
def score(n: int) -> Score:
    """A score that has everything that can be compared."""
    made = datetime.datetime(2026, 1, n + 1, tzinfo=datetime.UTC)
    stage = Stage.PRODUCTION if n > 5 else Stage.TEST
    return Score(n / 10, "{{=1+1}} é '\"" if n > 5 else "plain", stage, made, n if n > 5 else None, n > 5)


@task
def inc(n: int) -> int:
    """One more."""
    return n + 1


@task
def say(text: str) -> str:
    """The text."""
    return text


@task
def large(n: int) -> list[str]:
    """More than travels inline."""
    return ["x" * 1000] * n


@task
def count(items: list[str]) -> int:
    """How many."""
    return len(items)


@task
def show(n: int | None) -> str:
    """In words."""
    return "nothing" if n is None else f"got {n}"


@task
def two(n: int) -> tuple[int, str]:
    """Two outputs."""
    return n, f"n{n}"


@task
def fails(n: int) -> int:
    """It always fails."""
    raise NonRecoverable(f"failed on purpose with {n}")


@workflow
def chosen(n: int) -> int:
    """The first, the second or the last branch."""
    return conditional("choose").if_(n > 10).then(inc(n)).elif_(n > 5).then(inc(inc(n))).else_().then(n)


@workflow
def compared(n: int) -> str:
    """Parts of every kind, joined."""
    found = score(n)
    moment = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    everything = (
        (found.accuracy >= 0.6)
        & (found.name == "{{=1+1}} é '\"")
        & (found.stage == Stage.PRODUCTION)
        & (found.made > moment)
        & ~is_none(found.wins)
        & (is_none(found.wins) | (found.wins > 5))
        & found.passed
    )
    return conditional("all").if_(everything).then(say("all of it")).else_().then(say("not all"))


@workflow
def maybe(n: int) -> str:
    """Without a last branch the result may be None."""
    return show(conditional("some").if_(n > 3).then(inc(n)).or_none())


@workflow
def aside(n: int) -> int:
    """Nothing happens when no condition holds, and what waits for it alone does not run."""
    taken = conditional("aside").if_(n > 3).then(inc(n))
    after = inc.named("after")(n)
    order(taken, after)
    order(after, inc.named("later")(n))
    return inc.named("other")(n)


@workflow
def several(n: int) -> tuple[int, str]:
    """Several outputs, from a task and from constants."""
    return conditional("pair").if_(n > 3).then(two(n)).else_().then((0, "none"))


@workflow
def inner(n: int) -> int:
    """A sub-workflow with a conditional of its own."""
    found = score(n)
    return conditional("inner").if_(found.accuracy > 0.5).then(inc(n)).else_().then(inc(0))


@workflow
def nested(n: int) -> int:
    """A conditional in a conditional, over a sub-workflow that has one."""
    first = inner.named("sub")(n)
    return (
        conditional("outer")
        .if_(first > 1)
        .then(conditional("within").if_(first > 8).then(inner.named("again")(inc(first))).else_().then(inc(first)))
        .else_()
        .then(first)
    )


@workflow
def stored(n: int) -> int:
    """A value that lies in the store, read in a branch; its length decides."""
    items = large(n)
    return conditional("long").if_(count(items) > 5).then(count(items)).else_().then(-1)


@workflow
def broken(n: int) -> int:
    """A branch that fails, and what is behind it."""
    found = conditional("risk").if_(n > 3).then(fails(n)).else_().then(inc(n))
    return inc.named("behind")(found)


@task
def hostile(n: int) -> str:
    """A text that other programs would evaluate."""
    return "{{=1+1}} {n} {{workflow.uid}} é '\" \\ <&> $(HOME) %s" + "!" * n


@workflow
def refused(n: int) -> int:
    """A branch that ends in a failure, between others that give something."""
    found = score(n)
    return (
        conditional("check")
        .if_(found.accuracy > 0.7)
        .then(inc(n))
        .elif_(found.accuracy > 0.4)
        .fail(
            "{accuracy} of {name} {{=1+1}} is not enough: {text} {passed} {wins} {{{n}}}",
            accuracy=found.accuracy,
            name="{n}",
            text=hostile(n),
            passed=found.passed,
            wins=found.wins,
            n=n,
        )
        .else_()
        .then(-1)
    )


@workflow
def guarded(n: int) -> int:
    """A check: what waits for it runs where it is passed."""
    first = inc(n)
    guard = conditional("guard").if_(first > 5).fail("more than 5")
    second = inc(first)
    order(guard, second)
    return second


@workflow
def sheltered(n: int) -> int:
    """A check in a branch, on what is made outside, and what waits for it."""
    first = inc(n)
    return conditional("around").if_(n > 0).then(_guarded(first)).else_().then(0)


def _guarded(first: int) -> int:
    guard = conditional("guard").if_(first > 5).fail("more than 5")
    second = inc(first)
    order(guard, second)
    return second


@task
def perhaps(n: int) -> bool | None:
    """True, False or unknown."""
    return None if n > 5 else n > 3


@task
def half(n: int) -> int | None:
    """Half of an even number."""
    return None if n % 2 else n // 2


@workflow
def doubtful(n: int) -> int:
    """A condition that may be None by itself."""
    return conditional("flag").if_(~perhaps(n)).then(inc(n)).else_().then(0)  # type: ignore[operator]


@workflow
def uncertain(n: int) -> int:
    """An order of what may be None."""
    return conditional("size").if_(half(n) > 1).then(inc(n)).else_().then(0)  # type: ignore[operator]
