"""What happens in a run as reports of its nodes, told to a watcher. The drivers' observer; made by `run`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from alula.local import plans
from alula.local.drive.attempts import Attempt, Failure, Outcome, Success
from alula.progress.reports import NodeReport
from alula.progress.watchers import Watcher


class Reporter:
    """Keeps one report a step and passes every change on.

    Args:
        plan: The steps of the run.
        watcher: Who is told.
        keep: Takes the outputs of a step before anything that needs them starts.
        done: Takes a step that came to its end, so that what it needed may be forgotten.
        cached: The steps that use the cache.
        now: The run's clock.
    """

    def __init__(
        self,
        *,
        plan: plans.Plan,
        watcher: Watcher,
        keep: Callable[[int, Success], None],
        done: Callable[[int], None],
        cached: frozenset[int],
        now: Callable[[], float],
    ) -> None:
        self.reports = [_report(step, step.number in cached) for step in plan.steps]
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self._watcher = watcher
        self._keep = keep
        self._done = done
        self._now = now
        self._lock = threading.Lock()

    def started(self, attempt: Attempt) -> None:
        """An attempt begins."""
        report = self.reports[attempt.step]
        report.state = "running"
        report.attempts = attempt.number
        report.most_attempts = max(report.most_attempts, attempt.number)
        if attempt.number == 1:
            report.began = attempt.started
        with self._lock:
            self._watcher.started(report, attempt.started)

    def retrying(self, attempt: Attempt, failure: Failure, rest: float, now: float) -> None:
        """An attempt failed and another follows."""
        report = self.reports[attempt.step]
        report.state = "resting"
        report.failure = failure.record
        report.seconds = now - report.began
        with self._lock:
            self._watcher.retrying(report, failure.record, rest, now)

    def finished(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """A step came to its end."""
        report = self.reports[attempt.step]
        report.seconds = now - report.began
        if isinstance(outcome, Failure):
            report.state = "failed"
            report.failure = outcome.record
            self.failures.append(outcome)
        else:
            report.state = "cached" if outcome.cached else "done"
            report.failure = None
            self._keep(attempt.step, outcome)
            self._done(attempt.step)
        with self._lock:
            self._watcher.finished(report, now)

    def abandoned(self, attempt: Attempt) -> None:
        """A thread goes on with an attempt that has failed."""
        self.warn(
            "a task past its timeout goes on in a thread, whose result is discarded: "
            "--processes ends it for real (this is said once)"
        )

    def explain(self, step: plans.Step, why: str) -> None:
        """A step runs although it could have been cached."""
        report = self.reports[step.number]
        report.why = why
        with self._lock:
            self._watcher.missed(report, self._now())

    def warn(self, text: str) -> None:
        """Something that the user should know, once."""
        with self._lock:
            if text in self.warnings:
                return
            self.warnings.append(text)
            self._watcher.warned(text)

    def close(self, interrupted: bool) -> None:
        """Give every step that never came to its end the state that it has now."""
        for report in self.reports:
            if report.state == "waiting":
                report.state = "skipped"
            elif report.state == "resting":
                report.state = "failed"
            elif report.state == "running" and interrupted:
                report.state = "stopped"


def _report(step: plans.Step, cacheable: bool) -> NodeReport:
    task: Any = step.task
    return NodeReport(
        id=step.id,
        task=task.name if task is not None else "",
        source=step.source,
        cacheable=cacheable,
        most_attempts=1 + (task.options.retries.limit if task is not None else 0),
    )
