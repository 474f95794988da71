"""A failed attempt of a local run as the record that people read. Called by `executor`, `worker` and the drivers.

What an exception means is `alula.attempt.failures`' to say, as in a pod.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from alula.attempt import failures
from alula.attempt.invoke import Phase
from alula.local.drive.attempts import Failure
from alula.progress.reports import RaisedElsewhere
from alula_api.contract.codes import Code
from alula_api.contract.failures import USER, FailureRecord
from alula_api.contract.graphs import calls

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.graphs.frames import Spot
    from alula_api.contract.problems import Problem
    from alula_api.contract.values import Json


class Context:
    """Where an attempt stands in its run, and what it was given."""

    __slots__ = ("attempt", "inputs", "node", "owns_store", "phase", "root", "run")

    def __init__(
        self,
        run: str,
        node: str,
        attempt: int,
        inputs: Mapping[str, Json],
        *,
        owns_store: Callable[[str], bool] = lambda url: False,
        phase: Phase = Phase.INPUTS,
        root: str = "",
    ) -> None:
        self.run = run
        self.node = node
        self.attempt = attempt
        self.inputs = inputs
        self.owns_store = owns_store
        self.phase = phase
        self.root = root


def of_error(error: BaseException, task: Task[..., Any], context: Context) -> Failure:
    """The failure of an attempt in which `error` was raised."""
    return _failure(failures.classify(error, context.phase, context.owns_store, context.root), task, context, error)


def overdue(task: Task[..., Any], context: Context, seconds: float) -> Failure:
    """The failure of an attempt whose time is over."""
    return _failure(failures.overdue(seconds), task, context)


def late(task: Task[..., Any], context: Context, seconds: float) -> Failure:
    """The failure of an attempt at the end of its run's time."""
    return _failure(failures.late(seconds), task, context)


def of_blocked(spot: Spot, node: str, run: str, source: str) -> Failure:
    """The failure of a graph, a branch or a map that needs a value that cannot be made."""
    problems = [_blocked(spot, name, each) for name, error in spot.problems.items() for each in error.problems]
    record = FailureRecord(
        kind=USER,
        code=next((each.code for error in spot.problems.values() for each in error.problems), Code.BAD_VALUE),
        message="\n".join(problems) or "it needs a value that cannot be made",
        node=node,
        run=run,
        attempt=1,
        retryable=False,
        source=source,
    )
    return Failure(record, retryable=False)


def _blocked(spot: Spot, name: str, problem: Problem) -> str:
    """What is wrong with an input, a condition or an output of a spot; without a name, with the spot."""
    if not name:
        return problem.message
    if name in calls.branches(spot.call):
        return f"no branch can be chosen: {problem.message}"
    return f"the input {name} {problem.message}" if calls.over(spot.call) else f"{name} cannot be made: {problem}"


def killed(task: Task[..., Any], context: Context, how: str) -> Failure:
    """The failure of an attempt whose process is gone."""
    return _failure(failures.killed(how), task, context)


def of_record(found: Json, task: Task[..., Any], context: Context) -> Failure:
    """The failure that a worker process reported."""
    record = FailureRecord.from_json(found)
    finding = failures.Finding(
        record.kind, record.code, record.message, record.retryable, record.exception, record.traceback, record.source
    )
    return _failure(finding, task, context, RaisedElsewhere(record.traceback) if record.traceback else None)


def _failure(
    finding: failures.Finding, task: Task[..., Any], context: Context, error: BaseException | None = None
) -> Failure:
    record = failures.record(
        finding,
        run=context.run,
        node=context.node,
        attempt=context.attempt,
        task=task.key,
        source=str(task.source),
        inputs=context.inputs,
        secrets=[secret.name for secret in task.options.secrets],
    )
    return Failure(record, finding.retryable, error)
