"""The work on one attempt: gather the inputs, look into the cache, call the task, keep the result.

Called by the drivers, in any thread. Everything that can go wrong in it becomes a `Failure`; only an interrupt and our
own alarm pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from alula.attempt import invoke
from alula.attempt.errors import bad_input
from alula.local import plans
from alula.local.drive import alarms
from alula.local.drive.attempts import Attempt, Failure, Outcome, Success
from alula.local.work import failures, mocks
from alula.progress.current import current
from alula_api.contract import values

if TYPE_CHECKING:
    from alula.local.store.cache import Cache
    from alula.types.carriers import Carrier
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only

Call = Callable[[plans.Step, Attempt, Mapping[str, "Json"]], "dict[str, Json] | Failure"]


class Executor:
    """Works on the attempts of one run, and holds the values that pass between its steps.

    Args:
        run: The run's id.
        plan: Its steps.
        inputs: The wire values of the run's inputs.
        call: Calls a step's task; the default does so in this thread.
        cached: The steps that use the cache.
        cache: Opens the cache on first use.
        owns_store: Whether the store at a URL is the run's.
        explain: Takes the id of a step and why it ran though it could have been cached.
    """

    def __init__(
        self,
        *,
        run: str,
        plan: plans.Plan,
        inputs: Mapping[str, Json],
        call: Call,
        cached: frozenset[int],
        cache: Callable[[], Cache],
        owns_store: Callable[[str], bool],
        explain: Callable[[plans.Step, str], None],
    ) -> None:
        self.run = run
        self.steps = plan.steps
        self.inputs = inputs
        self.outputs: list[Mapping[str, Json] | None] = [None] * len(plan.steps)
        self._call = call
        self._cached = cached
        self._cache = cache
        self._owns_store = owns_store
        self._explain = explain

    def work(self, attempt: Attempt) -> Outcome:
        """Work on `attempt`; see `attempts.Work`."""
        step = self.steps[attempt.step]
        task = step.task
        if task is None:
            raise AssertionError(f"{step.id} is virtual")
        given: Mapping[str, Json] = {}
        current.node = step.id
        try:
            given = {name: self._input(name, origin) for name, origin in step.inputs}
            cached = attempt.step in self._cached
            if cached:
                found, why = self._cache().find(step, given, lambda: self._origins(step))
                if found is not None:
                    return Success(found, cached=True)
                if attempt.number == 1:
                    self._explain(step, why)
            outputs = self._call(step, attempt, given)
            if isinstance(outputs, Failure):
                return outputs
            if cached and not attempt.over:
                outputs = self._cache().keep(step, outputs)
            return Success(outputs)
        except (KeyboardInterrupt, alarms.Overdue):
            raise
        except BaseException as error:
            return failures.of_error(error, task, self.context(attempt, given))
        finally:
            current.node = ""

    def _input(self, name: str, origin: plans.Origin) -> Json:
        try:
            return self.value(origin)
        except values.InvalidValue as error:
            raise bad_input(name, error) from error

    def value(self, origin: plans.Origin) -> Json:
        """The value that an origin stands for now."""
        if isinstance(origin, plans.OfStep):
            outputs = self.outputs[origin.step]
            if outputs is None:
                raise AssertionError(f"{self.steps[origin.step].id} has no outputs yet, or none any more")
            found = outputs[origin.output]
            return values.select(found, origin.path) if origin.path else found
        if isinstance(origin, plans.Given):
            return origin.json
        if isinstance(origin, plans.OfInput):
            found = self.inputs[origin.name]
            return values.select(found, origin.path) if origin.path else found
        return [self.value(item) for item in origin.items]

    def context(self, attempt: Attempt, given: Mapping[str, Json] | None = None) -> failures.Context:
        """Where `attempt` stands; its inputs are gathered anew unless given."""
        step = self.steps[attempt.step]
        if given is None:
            given = {name: self.value(origin) for name, origin in step.inputs}
        return failures.Context(
            self.run, step.id, attempt.number, given, owns_store=self._owns_store, phase=attempt.phase
        )

    def _origins(self, step: plans.Step) -> dict[str, str]:
        """The node behind each input that one made."""
        found = {}
        for name, origin in step.inputs:
            makers = dict.fromkeys(self.steps[used.step].id for used in plans.used_steps(origin))
            if makers:
                found[name] = ", ".join(makers)
        return found


class Caller:
    """Calls tasks in the thread that asks.

    Args:
        carriers: The carrier of each step.
    """

    def __init__(self, carriers: Sequence[Carrier]) -> None:
        self._carriers = carriers

    def __call__(self, step: plans.Step, attempt: Attempt, given: Mapping[str, Json]) -> dict[str, Json]:
        """The outputs of the step's task."""
        task = step.task
        if task is None:
            raise AssertionError(f"{step.id} is virtual")
        return invoke.invoke(task, given, self._carriers[step.number], attempt, function=mocks.of(task))
