"""Tasks and workflows with decorators of the project's own: they count for the cache as the task's code does."""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from alula import Task, order, task, workflow

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


def announced(function: Callable[P, R]) -> Callable[P, R]:
    """Log that a task begins and that it is done."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        log.info("%s begins", function.__name__)
        result = function(*args, **kwargs)
        log.info("%s is done", function.__name__)
        return result

    return wrapper


def at_most(limit: int) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Bound a task's result."""

    def decorate(function: Callable[P, int]) -> Callable[P, int]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> int:
            return min(limit, function(*args, **kwargs))

        return wrapper

    return decorate


@task(cache=True)
@announced
@at_most(100)
def square(x: int) -> int:
    """The square of a number, bounded by a decorator."""
    return x * x


@workflow
def squares(x: int = 7) -> int:
    """The square of a bounded square."""
    return square(square(x))


@task
def start() -> None:
    """Start a service that others need."""


@task
def stop() -> None:
    """Stop the service."""


def between(before: Task[[], None], after: Task[[], None]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run a task before all that a workflow does, and one after it."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        steps = workflow(name=f"{function.__name__}-steps")(function)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            made = steps(*args, **kwargs)
            order(before(), made, after())
            return made

        return wrapper

    return decorate


@workflow
@between(start, stop)
def served(x: int = 3) -> int:
    """The square of a square, with a service that runs meanwhile."""
    return square(square(x))
