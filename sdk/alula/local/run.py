"""One local run: a target with its inputs, from the plan to the result. Made by `api`, which is what others call.

Puts together the walk, the place, the cache, the carriers and a driver. Decides nothing that they decide.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.declare.tasks import Task
from alula.declare.workflows import Workflow
from alula.interfaces.callee import Callee
from alula.local import inputs as given_inputs
from alula.local import options as local_options
from alula.local import plan
from alula.local.drive import serial, threads
from alula.local.drive.dispatch import Dispatcher
from alula.local.drive.reporter import Reporter
from alula.local.drive.schedule import RetryPolicy, Schedule
from alula.local.options import Options
from alula.local.store import place, prints, records
from alula.local.work import environment, executor, failures, mocks, pool, sources, worker
from alula.local.work.values import Values
from alula.progress import reports
from alula.progress.watchers import Beginning, Watcher
from alula_api.contract import families, pods, values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import SMALLER, Diagnostic
from alula_api.contract.graphs import walks

if TYPE_CHECKING:
    from alula.local.store.cache import Cache
    from alula.types.carriers import Carrier
    from alula_api.contract.graphs.frames import Spot
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only

Target = Callee
"""A `Workflow`, or a `Task` that is run by itself; both have a name, a function and an interface."""

PREPARATION = 300.0
"""Seconds that a worker process may take to start and to import the user's code, besides the task's timeout."""

Inputs = Callable[["Carrier"], Mapping[str, "Json"]]
"""Makes the wire values of a run's inputs, storing files by the carrier."""


class Run:
    """One run of one target; runs once.

    Args:
        target: What to run.
        make_inputs: Makes the wire values of its inputs; those with a default may be missing.
        options: How to run it.
        watcher: Is called as things happen.

    Raises:
        DefinitionError: The workflow is wrong, or its module runs it whenever it is imported.
        SettingsError: The project's settings cannot be used.
    """

    def __init__(self, target: Target, make_inputs: Inputs, options: Options, watcher: Watcher) -> None:
        if worker.loading.get():
            raise _running_at_import(target)
        self.target = target
        self.options = options
        self.watcher = watcher
        self.walkable = plan.of(target)
        self.tasks = self.walkable.tasks
        self.id = _run_id(target.name)
        self.place = place.of(target, options)
        self.cached = frozenset(name for name, task in self.tasks.items() if self._is_cached(task))
        self.warnings: list[str] = []
        # Before the inputs are read: the libraries that do so may start threads.
        self.source = self._new_source()
        try:
            self._prepare(make_inputs)
        except BaseException:
            if self.source is not None:
                self.source.close()
            raise

    def _prepare(self, make_inputs: Inputs) -> None:
        apart = self.source is not None
        stored = None if self.options.strict or apart else self._stored()
        self.values = Values(self.place.content, stored)
        carrier = self.values.store if stored is None or self.cached else self.values.memory
        self.inputs = given_inputs.with_defaults(make_inputs(carrier), self.target.interface.inputs)
        try:
            self.reporter = Reporter(self.walkable, self.watcher, self.cached, self.options.clock.now)
            self.walk = walks.Walk(
                self.walkable.plan, self.inputs, policy=self._failure_policy(), released=self.values.release
            )
        except walks.TooLarge as error:
            raise _too_large(self.target, error) from None
        self.prints = prints.Prints(self.place, self.id if self.options.records else "", self.reporter)
        self.cache = self._new_cache()

    def run(self, *, may_be_repeated: bool = False) -> reports.RunResult:
        """Run to the end; a failure of user code is part of the result.

        Args:
            may_be_repeated: The caller runs it again when data was lost, so the watcher does not see such an end.
        """
        clock = self.options.clock
        began = clock.now()
        interrupted = True
        self.watcher.begin(Beginning(self.id, self.target.name, self.reporter.nodes, self._workers(), began))
        try:
            for text in self.warnings:
                self.reporter.warn(text)
            shared = self.source is None and not self.options.debuggable
            with environment.declared(self._tasks(), self.reporter.warn, shared=shared):
                self._drive()
            interrupted = False
        except walks.TooLarge as error:
            raise _too_large(self.target, error) from None
        finally:
            if self.source is not None:
                self.source.close()
            self.reporter.close(self.walk, interrupted)
            if self.cache is not None and self.source is not None:
                self.cache.close(self.reporter.nodes)
            if interrupted:
                self.watcher.interrupted(self.target.name, self.reporter.nodes, clock.now() - began)
                self.watcher.close()
        try:
            result = self._result(clock.now() - began)
            if self.options.records:
                records.write(self.place.store(), result)
            if not (may_be_repeated and has_lost_data(result)):
                self.watcher.end(result)
        finally:
            self.watcher.close()
        return result

    def _new_source(self) -> sources.Source | None:
        """Where the attempts' processes come from; None where tasks run in this one."""
        if not self.options.apart:
            return None
        found = sources.find(self.tasks, self.warnings.append)
        if found is None and self.options.processes:
            sources.check(self.tasks.values())
        return found

    def _drive(self) -> None:
        clock = self.options.clock
        alone = self.source is None and self.options.debuggable
        call: executor.Call = executor.Caller(self.values.carrier, alone=alone)
        if self.source is not None:
            attempts = pool.Pool(self.id, self.place.prefix, self.source, call, self.prints)
            work = self._executor(attempts)
            try:
                threads.drive(self._dispatcher(work), work.work, clock, self._workers())
            finally:
                attempts.close()
            return
        work = self._executor(call)
        dispatcher = self._dispatcher(work)
        if self.options.debuggable:
            serial.drive(dispatcher, work.work, clock)
        else:
            threads.drive(dispatcher, work.work, clock, self._workers())

    def _blocked(self, spot: Spot, now: float) -> None:
        """Report what needs a value that cannot be made, such as a part that a value does not have."""
        source = self.walkable.sources.get(walks.written(spot), str(self.target.source))
        self.reporter.blocked(spot, failures.of_blocked(spot, spot.path or self.target.name, self.id, source), now)

    def _dispatcher(self, work: executor.Executor) -> Dispatcher:
        policies = {name: _policy(task) for name, task in self.tasks.items()}
        timeouts = {name: limit for name, task in self.tasks.items() if (limit := _timeout(task)) is not None}
        preparation = PREPARATION if self.source is not None else 0.0
        schedule = Schedule(self.walk, policies)
        aborts = self._failure_policy() is walks.Policy.ABORT
        limit = self.target.deadline if isinstance(self.target, Workflow) else None
        found = Dispatcher(
            schedule,
            timeouts,
            self.reporter,
            work.overdue,
            preparation,
            deadline=None if limit is None else self.options.clock.now() + limit,
            late=lambda attempt: work.late(attempt, limit or 0.0),
            aborted=work.aborted if aborts else None,
            blocked=self._blocked,
        )
        found.give_up(self.options.clock.now())
        return found

    def _executor(self, call: executor.Call) -> executor.Executor:
        return executor.Executor(
            run=self.id,
            tasks=self.tasks,
            call=call,
            cached=self.cached,
            cache=self.cache,
            keeps=self.source is not None,
            place=self.place,
            walk=self.walk,
            reporter=self.reporter,
        )

    def _folder(self) -> Path | None:
        folder = self.place.folder
        return folder / "runs" / self.id if folder is not None and self.options.records else None

    def _failure_policy(self) -> walks.Policy:
        chosen = self.target.failure_policy if isinstance(self.target, Workflow) else "drain"
        return walks.Policy(chosen.capitalize())

    def _workers(self) -> int:
        return self.options.workers or local_options.default_workers()

    def _tasks(self) -> list[Task[..., Any]]:
        """All tasks, in the order of the author's calls."""
        ordered = dict.fromkeys([*(node.task for node in self.reporter.nodes), *self.tasks])
        return [self.tasks[name] for name in ordered]

    def _stored(self) -> frozenset[plan.Place]:
        """The steps whose frames must lie in the store; plain JSON is handed over as it is."""
        outputs = [output for task in self.tasks.values() for output in task.interface.outputs]
        if not any(families.has_references(output.type.schema) for output in outputs):
            return frozenset()
        return plan.stored(self.walkable.plan, self.cached)

    def _is_cached(self, task: Task[..., Any]) -> bool:
        return self.options.cache != "off" and task.options.cache is not None and mocks.of(task) is None

    def _new_cache(self) -> Cache | None:
        if not self.cached:
            return None
        from alula.local.store.cache import Cache

        return Cache(
            self.place,
            use=self.options.cache,
            run=self.id,
            workflow=self.target.name,
            limit=pods.inline_limit(max(1, len(self.reporter.nodes))),
            warn=self.reporter.warn,
        )

    def _result(self, seconds: float) -> reports.RunResult:
        ok = not self.reporter.failures
        made: Mapping[str, Any] = self.walk.root.outputs
        outputs = self.target.interface.outputs
        wire = {each.name: values.codec(each.type.schema).normal(made[each.name]) for each in outputs} if ok else {}

        def decode() -> Mapping[str, Any]:
            return {output.name: output.type.from_json(wire[output.name], self.values.store) for output in outputs}

        return reports.RunResult(
            run=self.id,
            workflow=self.target.name,
            ok=ok,
            nodes=tuple(self.reporter.nodes),
            seconds=seconds,
            dir=self._folder(),
            wire=wire,
            output_types=tuple(reports.OutputType(output.name, output.type.schema) for output in outputs),
            warnings=tuple(self.reporter.warnings),
            maps=self.reporter.maps,
            repeats=frozenset(self.reporter.repeats),
            idle=self.reporter.idle,
            decode=decode,
            locate=self.place.locate,
            unpack=self.target.interface.unpack,
            errors=tuple(failure.error for failure in self.reporter.failures if failure.error is not None),
        )


def _run_id(name: str) -> str:
    return f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(2).hex()}"


def _policy(task: Task[..., Any]) -> RetryPolicy:
    backoff = task.options.retries.backoff
    return RetryPolicy(task.options.budget, backoff.spelled() if backoff is not None else None)


def _timeout(task: Task[..., Any]) -> float | None:
    limit = task.options.timeout
    return None if limit is None else limit.total_seconds()


def has_lost_data(result: reports.RunResult) -> bool:
    """Whether a task failed because data that an earlier one had left is gone."""
    return any(node.failure is not None and node.failure.code == Code.INPUT_LOST for node in result.failures)


def _running_at_import(target: Target) -> errors.DefinitionError:
    message = f"importing {target.located.module} runs {target.subject}: each process that runs a task imports it too"
    hint = 'put what runs below `if __name__ == "__main__":`'
    return errors.DefinitionError([Diagnostic(Code.BAD_SOURCE, message, str(target.source), hint=hint)])


def _too_large(target: Target, error: walks.TooLarge) -> errors.DefinitionError:
    if isinstance(error, walks.TooDeep):
        message = f"workflows call each other more than {walks.MAX_DEPTH} deep"
        hint = "call the inner workflows from the outer one, side by side"
    else:
        message, hint = str(error), SMALLER
    return errors.DefinitionError([Diagnostic(Code.TOO_LARGE, message, str(target.source), target.subject, hint=hint)])
