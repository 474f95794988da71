"""The work on one attempt: take the inputs, look into the cache, call the task, keep the result.

Called by the drivers, in any thread. Everything that can go wrong in it becomes a `Failure`; only an interrupt and our
own alarm pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from alula.attempt import invoke
from alula.attempt.errors import bad_input
from alula.local.drive import alarms
from alula.local.drive.attempts import Attempt, Failure, Outcome, Success
from alula.local.work import environment, failures, mocks, thread_interrupt
from alula.progress.current import current
from alula_api.contract.graphs.bindings import UNKNOWN

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.local.drive.reporter import Reporter
    from alula.local.store.cache import Cache
    from alula.local.store.place import DataRoot
    from alula.types.carriers import Carrier
    from alula_api.contract.graphs.frames import Spot
    from alula_api.contract.graphs.walks import Walk
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only

UNKEPT = "results are not kept in the cache: the tasks of this run share one process (this is said once)"

Call = Callable[["Task[..., Any]", Attempt, Mapping[str, "Json"]], "dict[str, Json] | Failure"]


class Executor:
    """Works on the attempts of one run.

    Args:
        run: The run's id.
        tasks: By the names that the plan calls them.
        call: Calls a task; `Caller` does so in this thread.
        cached: The names of the tasks that use the cache.
        cache: None where no task uses it.
        keeps: Whether results go into the cache; where tasks share this process they may depend on each other.
        place: Where the run keeps its data.
        walk: Knows which nodes are behind an input.
        reporter: Takes note of why a task ran though it could have been cached.
    """

    def __init__(
        self,
        *,
        run: str,
        tasks: Mapping[str, Task[..., Any]],
        call: Call,
        cached: Collection[str],
        cache: Cache | None,
        keeps: bool,
        place: DataRoot,
        walk: Walk,
        reporter: Reporter,
    ) -> None:
        self._run = run
        self._tasks = tasks
        self._call = call
        self._cached = cached
        self._cache = cache
        self._keeps = keeps
        self._place = place
        self._walk = walk
        self._reporter = reporter

    def work(self, attempt: Attempt) -> Outcome:
        """Work on `attempt`; see `attempts.Work`."""
        spot = attempt.spot
        task = self._tasks[attempt.task]
        current.node = spot.path
        try:
            for name, problem in spot.problems.items() if spot.problems else ():
                raise bad_input(name, problem)
            given: Mapping[str, Any] = spot.inputs
            cache = self._cache if attempt.task in self._cached else None
            if cache is not None:
                found, why = cache.find(spot.path, task, given, lambda: self._origins(spot))
                if found is not None:
                    return Success(found, cached=True)
                if attempt.number == 1:
                    self._reporter.explain(spot, why)
            outputs = self._call(task, attempt, given)
            if isinstance(outputs, Failure):
                return outputs
            if cache is not None and not attempt.over:
                if self._keeps:
                    outputs = cache.keep(spot.path, task, outputs)
                else:
                    self._reporter.warn(UNKEPT)
            return Success(outputs)
        except (KeyboardInterrupt, alarms.Overdue):
            raise
        except BaseException as error:
            return failures.of_error(error, task, self.context(attempt))
        finally:
            current.node = ""

    def context(self, attempt: Attempt) -> failures.Context:
        """Where `attempt` stands, and what it was given."""
        spot = attempt.spot
        known: dict[str, Any] = {name: value for name, value in spot.inputs.items() if value is not UNKNOWN}
        return failures.Context(
            self._run, spot.path, attempt.number, known, owns_store=self._place.owns, phase=attempt.phase
        )

    def overdue(self, attempt: Attempt) -> Failure:
        """The failure of an attempt whose time is over."""
        return failures.overdue(self._tasks[attempt.task], self.context(attempt), attempt.timeout or 0.0)

    def late(self, attempt: Attempt, deadline: float) -> Failure:
        """The failure of an attempt that is ended because the time of the run is over."""
        return failures.late(self._tasks[attempt.task], self.context(attempt), deadline)

    def aborted(self, attempt: Attempt) -> Failure:
        """The failure of an attempt that is ended because another task failed."""
        how = "it was ended because another task failed, as the workflow's failure_policy says"
        return failures.killed(self._tasks[attempt.task], self.context(attempt), how)

    def _origins(self, spot: Spot) -> dict[str, str]:
        """The node behind each input that one made."""
        return {name: ", ".join(makers) for name, makers in self._walk.makers(spot).items()}


class Caller:
    """Calls tasks in the thread that asks.

    Args:
        carrier: What brings the inputs of a task, and takes its outputs.
        alone: No other task runs meanwhile in this process, whose environment becomes that of the task.
    """

    def __init__(self, carrier: Callable[[Spot], Carrier], *, alone: bool) -> None:
        self._carrier, self._alone = carrier, alone

    def __call__(self, task: Task[..., Any], attempt: Attempt, given: Mapping[str, Json]) -> dict[str, Json]:
        """The outputs of the task."""
        attempt.interrupt = interrupt = thread_interrupt.ThreadInterrupt()
        try:
            with environment.put(task.options.environment if self._alone else {}):
                return invoke.invoke(task, given, self._carrier(attempt.spot), attempt, function=mocks.of(task))
        finally:
            interrupt.end()
            attempt.interrupt = None
