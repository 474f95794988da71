"""Improve a model round after round until it is good enough, and say so when it is not."""

from dataclasses import dataclass
from typing import NamedTuple

from alula import conditional, repeat, task, workflow


@dataclass
class Model:
    """What is known after a round."""

    rounds: int
    loss: float


class Page(NamedTuple):
    """What one call of a service gives: where to go on, and whether there is more."""

    cursor: int
    is_last: bool


@task(cache=True)
def start(loss: float) -> Model:
    """Begin."""
    return Model(0, loss)


@task(cache=True, retries=2)
def improve(model: Model, rate: float) -> Model:
    """Train for one round."""
    return Model(model.rounds + 1, model.loss * (1 - rate))


@task
def describe(model: Model) -> str:
    """Say how good it is."""
    return f"{model.loss:.2f} after {model.rounds} rounds"


@workflow
def train(loss: float = 1.0, rate: float = 0.5, goal: float = 0.2) -> str:
    """Improve until the loss is below the goal, at most eight times; a model that is not good enough says so."""
    model = repeat(improve, until=lambda model: model.loss < goal, max=8)(start(loss), rate=rate)
    return conditional("judge").if_(model.loss < goal).then(describe(model)).else_().then("not good enough")


@task
def fetch(cursor: int, size: int) -> Page:
    """Read one page of a service that has seven records."""
    return Page(cursor + size, cursor + size >= 7)


@workflow
def crawl(size: int = 3) -> int:
    """Read page after page; each begins where the one before ended."""
    return repeat(fetch, until=lambda page: page.is_last, max=20)(0, size).cursor
