"""One attempt at one task, and what came of it: the values that pass between the drivers and the work they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alula.attempt.invoke import Phase

if TYPE_CHECKING:
    from alula_api.contract.failures import FailureRecord
    from alula_api.contract.graphs.walks import Spot
    from alula_api.contract.values import Json


@dataclass(frozen=True, slots=True)
class Success:
    """The task's outputs in wire normal form; `cached` when they came from the cache."""

    outputs: Mapping[str, Json]
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed; `error` is the user's own exception where it was raised in this process."""

    record: FailureRecord
    retryable: bool
    error: BaseException | None = None


Outcome = Success | Failure


class Attempt:
    """One try of `spot`; `number` counts from 1.

    `over` turns True when the driver has drawn its conclusion: whoever still works on the attempt then must leave
    nothing behind. `abandon` may be set by the worker to end what it waits for, for example a child process. `ready`
    is called by a worker that had to prepare something first: the time of the timeout begins anew.
    """

    __slots__ = ("abandon", "deadline", "number", "over", "phase", "ready", "spot", "started", "task")

    def __init__(self, spot: Spot, number: int, started: float) -> None:
        self.spot = spot
        self.task = spot.task
        self.number = number
        self.started = started
        self.over = False
        self.phase = Phase.INPUTS
        self.deadline: float | None = None
        self.abandon: Callable[[], None] | None = None
        self.ready: Callable[[], None] | None = None


Work = Callable[[Attempt], Outcome]
