"""One attempt at one task, and what came of it: the values that pass between the drivers and the work they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alula.attempt.invoke import Phase

if TYPE_CHECKING:
    from alula_api.contract.failures import FailureRecord
    from alula_api.contract.graphs.frames import Spot
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
    """One try of a task.

    Attributes:
        spot: What is tried.
        task: The task's name.
        number: Counts from 1.
        started: When it began, on the run's clock.
        timeout: Seconds that it may take; None for no limit.
        deadline: When that time is over.
        phase: How far it came.
        over: Turns True when the driver has drawn its conclusion: whatever still works on the attempt must then leave
            nothing behind.
        abandon: Set where something can end what the attempt waits for, as a child process.
        interrupt: Set where that can be asked to end, and clean up.
        ready: Called by what had to prepare something first: the time of the timeout begins anew.
    """

    deadline: float | None = None
    phase: Phase = Phase.INPUTS
    over: bool = False
    abandon: Callable[[], None] | None = None
    interrupt: Callable[[], None] | None = None
    ready: Callable[[], None] | None = None

    def __init__(self, spot: Spot, number: int, started: float, timeout: float | None) -> None:
        self.spot = spot
        self.task = spot.task
        self.number = number
        self.started = started
        self.timeout = timeout


Work = Callable[[Attempt], Outcome]
