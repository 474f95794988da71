"""A run on the cluster, told to the same watchers as a local run: what changed since the last look. Called by `runs`.

Times are those of this machine's clock, at which something was seen; durations are Argo's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alula.progress import items
from alula.progress.reports import ENDS, NodeReport
from alula.progress.watchers import Beginning, Watcher
from alula.remote import messages
from alula.remote.outline import Expected, Outline
from alula.remote.status import RunState, TaskState
from alula_api.contract.failures import SYSTEM

if TYPE_CHECKING:
    from alula_api.contract.failures import FailureRecord

QUIET_SECONDS = 4.0
"""A run that has not begun by then is said to wait; most are admitted sooner."""
LONG_SECONDS = 60.0
"""A run that has not been looked at by then most likely waits for something that is not there."""
USUAL = ("", "a pod", "PodInitializing", "ContainerCreating")
"""What a pod waits for that is not worth a line."""


class Reporter:
    """Keeps one report a task and tells the watcher and the user what is new.

    Args:
        name: Of the run.
        title: What runs, as the summary calls it.
        outline: The tasks to expect.
        watcher: Sees the tasks.
        say: Takes a line for people on the run as a whole.
        now: This machine's clock.
    """

    def __init__(
        self,
        name: str,
        title: str,
        outline: Outline,
        *,
        watcher: Watcher,
        say: Callable[[str], None],
        now: float,
    ) -> None:
        self.reports = {each.id: _waiting(each) for each in outline.tasks.values()}
        self._name = name
        self._outline = outline
        self._watcher = watcher
        self._say = say
        self._nodes = list(self.reports.values())
        self._began = now
        self._told: dict[str, str] = {}
        self._failures: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        watcher.begin(Beginning(name, title, self._nodes, 0, now))

    @property
    def nodes(self) -> tuple[NodeReport, ...]:
        """All reports, in the order of the author's calls."""
        return tuple(self._nodes)

    def see(self, state: RunState, now: float) -> None:
        """Tell what is new in `state`."""
        if not state.finished:
            self._tell_waiting(state, now)
        if state.hidden:
            self._once("hidden", state.hidden)
        for task in state.tasks.values():
            report = self.reports.get(task.id)
            if report is None:  # an item, or the run follows another revision than the definition that was read
                expected = self._outline.expected(task.id) or self._outline.other(task.id)
                report = _waiting(expected) if expected is not None else NodeReport(task.id, task.id)
                report.id = task.id
                self.reports[task.id] = report
                self._nodes.append(report)
            report.items = report.items or state.lengths.get(items.map_of(task.id), 0)
            report.first, report.stands_for = self._outline.items_of(task.id, report.items)
            report.tolerated = self._outline.tolerates(task.id)
            if report.state not in ENDS:
                self._update(report, task, now)
        if state.finished:
            self._nodes.sort(key=lambda report: self._outline.place(report.id))
            for report in self._nodes:
                if report.state not in ENDS:
                    report.state = "skipped" if report.state == "waiting" else "stopped"

    def _update(self, report: NodeReport, task: TaskState, now: float) -> None:
        expected = self._outline.expected(task.id)
        if report.state == "waiting" and task.state not in ENDS:
            report.began = now
        self._tell_failures(report, task, expected, now)
        report.attempts = max(task.attempts, 1)
        report.most_attempts = max(report.most_attempts, report.attempts)
        report.why = f"waits for {task.waits}" if task.waits else ""
        if task.state in ENDS:
            report.state, report.seconds = task.state, task.seconds
            report.began = task.began  # Argo's clock, so that what failed between two looks has its order
            report.failure = None
            if task.state == "done" and task.succeeded is not None:
                report.failed = max(0, report.stands_for - task.succeeded)
            if task.state == "failed":
                report.failure = self._failure(report, task.failures[-1], len(task.failures))
            self._watcher.finished(report, now)
            return
        if task.state == "running" and report.attempts > self._begun.get(report.id, 0):
            report.state = "running"
            self._begun[report.id] = report.attempts
            self._watcher.started(report, now)
        if task.waits not in USUAL:
            self._once(f"waits {report.id}", f"{report.id} waits for its pod: {task.waits}")

    def _tell_failures(self, report: NodeReport, task: TaskState, expected: Expected | None, now: float) -> None:
        """Each failed attempt that another follows, once."""
        last = len(task.failures) if task.state == "resting" else min(len(task.failures), task.attempts - 1)
        for number in range(self._failures.get(report.id, 0) + 1, last + 1):
            report.state, report.attempts = "resting", number
            report.most_attempts = max(report.most_attempts, number)
            report.failure = self._failure(report, task.failures[number - 1], number)
            if report.failure.kind == SYSTEM and expected is not None:
                report.most_attempts = max(report.most_attempts, expected.all_attempts)
            self._watcher.retrying(report, report.failure, (expected or Expected("", "")).backoff.rest(number), now)
            self._failures[report.id] = number

    def _failure(self, report: NodeReport, message: str, attempt: int) -> FailureRecord:
        return messages.failure(message, run=self._name, node=report.id, task=report.task, attempt=attempt)

    def _tell_waiting(self, state: RunState, now: float) -> None:
        waited = now - self._began
        if not state.phase:
            if waited >= LONG_SECONDS:
                self._once("phase", "Argo has not looked at the run yet: does its controller run?")
            elif waited >= QUIET_SECONDS:
                self._once("queue", "waiting for Argo to take the run up")
        elif state.phase == "Pending":
            self._once("queue", f"waiting for Argo{_because(state.message)}")
        elif state.held and (waited >= QUIET_SECONDS or state.message):
            self._once("queue", f"waiting to be admitted{_because(state.message)}")
            if waited >= LONG_SECONDS and not state.message:
                self._once("admit", "it has not been admitted for a minute: does the controller of alula run?")

    def _once(self, key: str, text: str) -> None:
        """Say something unless it was the last that was said about `key`."""
        if self._told.get(key) != text:
            self._told[key] = text
            self._say(text)


def _because(message: str) -> str:
    return f": {message}" if message else ""


def _waiting(expected: Expected) -> NodeReport:
    return NodeReport(
        expected.id, expected.task, expected.source, most_attempts=expected.attempts, keeps=expected.keeps
    )
