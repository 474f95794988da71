"""One local run: a target with its inputs, from the plan to the result. Made by `api`, which is what others call.

Puts together the plan, the place, the cache, the carriers and a driver. Decides nothing that they decide.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alula.interfaces import callee
from alula.local import inputs as given_inputs
from alula.local import options as local_options
from alula.local import plans, reporting
from alula.local.drive import serial, threads
from alula.local.drive.attempts import Attempt, Failure, Success
from alula.local.drive.dispatch import Dispatcher
from alula.local.drive.schedule import ONCE, RetryPolicy, Schedule
from alula.local.options import Options
from alula.local.store import place, records
from alula.local.work import carriers, environment, executor, mocks
from alula.progress import reports
from alula.progress.watchers import Beginning, Watcher
from alula_api.contract import pods, values
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.local.store.cache import Cache
    from alula.types.carriers import Carrier
    from alula_api.contract.values import Json

__tracebackhide__ = True  # pytest shows the user's frames only

Target = Any
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
        watcher: Who is told.

    Raises:
        DefinitionError: The workflow is wrong.
        SettingsError: The project's settings cannot be used.
    """

    def __init__(self, target: Target, make_inputs: Inputs, options: Options, watcher: Watcher) -> None:
        self.target = target
        self.options = options
        self.watcher = watcher
        self.plan = plan_of(target)
        self.id = _run_id(target.name)
        self.place = place.of(target, options)
        self.shelf = carriers.FrameShelf()
        self.storing = carriers.StoreCarrier(self.place.content, self.shelf)
        self.keeping = carriers.MemoryCarrier(self.place.content, self.shelf)
        self.cached = self._cached_steps()
        self.apart = options.strict or options.processes
        self._cache: Cache | None = None
        self._opening = threading.Lock()
        keeps = self.apart or bool(self.cached)
        self.inputs = given_inputs.with_defaults(
            make_inputs(self.storing if keeps else self.keeping), target.interface.inputs
        )
        self.reporter = reporting.Reporter(
            plan=self.plan,
            watcher=watcher,
            keep=self._keep,
            done=self._release,
            cached=self.cached,
            now=options.clock.now,
        )
        self.executor: executor.Executor
        self._uses = _count_uses(self.plan)

    def run(self, *, may_be_repeated: bool = False) -> reports.RunResult:
        """Run to the end; a failure of user code is part of the result.

        Args:
            may_be_repeated: The caller runs it again when data was lost, so that such an end is nobody's news.
        """
        clock = self.options.clock
        began = clock.now()
        nodes = self._nodes()
        interrupted = True
        self.watcher.begin(Beginning(self.id, self.target.name, nodes, self._workers(), began))
        try:
            with environment.declared(self._tasks(), self.reporter.warn, apart=self.options.processes):
                self._drive()
            interrupted = False
        finally:
            self.reporter.close(interrupted)
            if self._cache is not None:
                self._write_history(self._cache)
            if interrupted:
                self.watcher.close()
        try:
            result = self._result(nodes, clock.now() - began)
            if self.options.records:
                records.write(self.place.store(), result)
            if not (may_be_repeated and has_lost_data(result)):
                self.watcher.end(result)
        finally:
            self.watcher.close()
        return result

    def _drive(self) -> None:
        steps, clock = self.plan.steps, self.options.clock
        schedule = Schedule(
            [step.depends for step in steps],
            [_policy(step.task) for step in steps],
            [step.task is None for step in steps],
        )
        timeouts = [_timeout(step.task) for step in steps]
        preparation = PREPARATION if self.options.processes else 0.0
        dispatcher = Dispatcher(schedule, timeouts, self.reporter, self._overdue, preparation)
        call: executor.Call = executor.Caller([self._carrier(step) for step in steps])
        if self.options.processes:
            from alula.local.work import worker_pool

            worker_pool.check(self._tasks())
            with worker_pool.Pool(self.id, self.place.prefix, call) as pool:
                self.executor = self._executor(pool)
                threads.drive(dispatcher, self.executor.work, clock, self._workers())
            return
        self.executor = self._executor(call)
        if self._workers() == 1:
            serial.drive(dispatcher, self.executor.work, clock)
        else:
            threads.drive(dispatcher, self.executor.work, clock, self._workers())

    def _folder(self) -> Path | None:
        folder = self.place.folder
        return folder / "runs" / self.id if folder is not None and self.options.records else None

    def _executor(self, call: executor.Call) -> executor.Executor:
        return executor.Executor(
            run=self.id,
            plan=self.plan,
            inputs=self.inputs,
            call=call,
            cached=self.cached,
            cache=self._open_cache,
            owns_store=self.place.owns,
            explain=self.reporter.explain,
        )

    def _workers(self) -> int:
        return self.options.workers or local_options.default_workers()

    def _tasks(self) -> list[Task[..., Any]]:
        return [*dict.fromkeys(step.task for step in self.plan.steps if step.task is not None)]

    def _nodes(self) -> tuple[reports.NodeReport, ...]:
        """The reports of the steps that are nodes."""
        return tuple(
            report for step, report in zip(self.plan.steps, self.reporter.reports, strict=True) if step.task is not None
        )

    def _cached_steps(self) -> frozenset[int]:
        if self.options.cache == "off":
            return frozenset()
        return frozenset(
            step.number
            for step in self.plan.steps
            if step.task is not None and step.task.options.cache is not None and mocks.of(step.task) is None
        )

    def _carrier(self, step: plans.Step) -> Carrier:
        """Frames stay in this process unless somebody needs their digest, or they outlive the run."""
        return self.storing if self.apart or step.number in self._stored_steps else self.keeping

    @functools.cached_property
    def _stored_steps(self) -> frozenset[int]:
        needed = set(self.cached)
        for step in self.plan.steps:
            if step.number in self.cached:
                needed.update(used.step for _, origin in step.inputs for used in plans.used_steps(origin))
        for _, origin in self.plan.outputs:
            needed.update(used.step for used in plans.used_steps(origin))
        return frozenset(needed)

    def _open_cache(self) -> Cache:
        with self._opening:  # the first tasks of a run may ask at the same time
            if self._cache is None:
                from alula.local.store import history
                from alula.local.store.cache import Cache

                self._cache = Cache(
                    index=self.place.index(),
                    content=self.place.content(),
                    use=self.options.cache,
                    run=self.id,
                    limit=pods.inline_limit(max(1, len(self.plan.steps))),
                    before=history.read(self.place.store(), self.target.name),
                    warn=self.reporter.warn,
                )
            return self._cache

    def _write_history(self, cache: Cache) -> None:
        from alula.local.store import history

        if cache.changed:
            failed = {report.id for report in self.reporter.reports if report.state not in ("done", "cached")}
            history.write(self.place.store(), self.target.name, cache.before.updated(cache.changed, failed))

    def _keep(self, step: int, success: Success) -> None:
        self.executor.outputs[step] = success.outputs
        if self._uses[step] == 0:
            self._forget(step)

    def _release(self, step: int) -> None:
        """Forget the outputs that only `step` still needed."""
        for _, origin in self.plan.steps[step].inputs:
            for used in plans.used_steps(origin):
                self._uses[used.step] -= 1
                if self._uses[used.step] == 0:
                    self._forget(used.step)

    def _forget(self, step: int) -> None:
        outputs, self.executor.outputs[step] = self.executor.outputs[step], None
        for value in (outputs or {}).values():
            self.shelf.drop(value)

    def _overdue(self, attempt: Attempt) -> Failure:
        from alula.local.work import failures

        step = self.plan.steps[attempt.step]
        assert step.task is not None
        return failures.overdue(step.task, self.executor.context(attempt), _timeout(step.task) or 0.0)

    def _result(self, nodes: tuple[reports.NodeReport, ...], seconds: float) -> reports.RunResult:
        ok = not self.reporter.failures
        outputs = self.target.interface.outputs
        wire = {name: self.executor.value(origin) for name, origin in self.plan.outputs} if ok else {}
        codecs = {output.name: values.codec(output.type.schema) for output in outputs}
        wire = {name: codecs[name].normal(value) for name, value in wire.items()}

        def decode() -> Mapping[str, Any]:
            return {output.name: output.type.from_json(wire[output.name], self.storing) for output in outputs}

        return reports.RunResult(
            run=self.id,
            workflow=self.target.name,
            ok=ok,
            nodes=nodes,
            seconds=seconds,
            dir=self._folder(),
            wire=wire,
            output_types=tuple(reports.OutputType(output.name, output.type.schema) for output in outputs),
            warnings=tuple(self.reporter.warnings),
            decode=decode,
            locate=self.place.locate,
            unpack=self.target.interface.unpack,
            errors=tuple(failure.error for failure in self.reporter.failures if failure.error is not None),
        )


def plan_of(target: Target) -> plans.Plan:
    """The steps of a workflow or of a single task."""
    if target.kind == callee.TASK:
        return plans.single(target)
    return plans.flatten(target.graph) if target.kind == callee.WORKFLOW else callee.refuse(target, "be run here")


def _run_id(name: str) -> str:
    return f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(2).hex()}"


def _policy(task: Task[..., Any] | None) -> RetryPolicy:
    if task is None:
        return ONCE
    backoff = task.options.retries.backoff
    return RetryPolicy(task.options.budget, backoff.spelled() if backoff is not None else None)


def _timeout(task: Task[..., Any] | None) -> float | None:
    limit = None if task is None else task.options.timeout
    return None if limit is None else limit.total_seconds()


def _count_uses(plan: plans.Plan) -> list[int]:
    """How many inputs and workflow outputs are made from each step's outputs."""
    uses = [0] * len(plan.steps)
    for step in plan.steps:
        for _, origin in step.inputs:
            for used in plans.used_steps(origin):
                uses[used.step] += 1
    for _, origin in plan.outputs:
        for used in plans.used_steps(origin):
            uses[used.step] += 1
    return uses


def has_lost_data(result: reports.RunResult) -> bool:
    """Whether a task failed because data that an earlier one had left is gone."""
    return any(node.failure is not None and node.failure.code == Code.INPUT_LOST for node in result.failures)
