"""What happens in a run as reports of its nodes, passed on to a watcher. The drivers' observer; made by `run`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator

from alula.local.drive.attempts import Attempt, Failure, Outcome
from alula.local.plan import Walkable
from alula.progress import items, reports
from alula.progress.reports import NodeReport
from alula.progress.watchers import Watcher
from alula_api.contract.failures import SYSTEM
from alula_api.contract.graphs import calls, outlines, walks
from alula_api.contract.graphs.calls import TaskCall
from alula_api.contract.graphs.frames import Spot, State
from alula_api.contract.graphs.walks import Walk


class Reporter:
    """Keeps one report a task and passes every change on.

    Args:
        walkable: What runs.
        watcher: Is called as things happen.
        cached: The names of the tasks that use the cache.
        now: The run's clock.

    Raises:
        TooLarge: There are more nodes than one run holds.
    """

    def __init__(self, walkable: Walkable, watcher: Watcher, cached: Collection[str], now: Callable[[], float]) -> None:
        self.nodes: list[NodeReport] = []
        """What can be known before, in the order of the author's calls; later also the items of maps and rounds."""
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.maps: dict[str, int] = {}
        """In the end how many items each map has that has begun."""
        self.repeats: set[str] = set()
        """The general ids of the repeats."""
        self.idle: dict[str, reports.State] = {}
        """The maps and repeats that have not begun; in the end why."""
        self._walkable = walkable
        self._watcher = watcher
        self._cached = cached
        self._now = now
        self._lock = threading.Lock()
        self._reports: dict[str, NodeReport] = {}
        self._inside: list[outlines.Place] = []
        for path, step, graph in outlines.outline(walkable.plan):
            if calls.fed(step.call):
                self.repeats.add(path)
            if (calls.fed(step.call) or calls.over(step.call)) and path == outlines.home(path):
                self.idle[path] = "skipped"
            if isinstance(step.call, TaskCall) and walks.ITEM not in path:
                self._add(path, step.call.task, graph, step.name)
            elif isinstance(step.call, TaskCall):
                self._inside.append(outlines.Place(path, step, graph))
        self._known = len(self.nodes)

    def report(self, spot: Spot) -> NodeReport:
        """The report of a spot."""
        found = self._reports.get(spot.path)
        if found is None:
            graph, node = walks.written(spot)
            found = self._add(spot.path, spot.task, graph, node)
            found.tolerated = walks.tolerated(spot)
            found.items = next((len(whole.items) for whole in walks.maps(spot)), 0)
        return found

    def started(self, attempt: Attempt) -> None:
        """An attempt begins."""
        report = self.report(attempt.spot)
        report.state = "running"
        report.attempts = attempt.number
        report.most_attempts = max(report.most_attempts, attempt.number)
        if attempt.number == 1:
            report.began = attempt.started
        with self._lock:
            self._watcher.started(report, attempt.started)

    def retrying(self, attempt: Attempt, failure: Failure, rest: float, now: float) -> None:
        """An attempt failed and another follows."""
        report = self.report(attempt.spot)
        report.state = "resting"
        report.failure = failure.record
        if failure.record.kind == SYSTEM:
            report.most_attempts = 1 + self._walkable.tasks[report.task].options.budget.limit
        report.seconds = now - report.began
        with self._lock:
            self._watcher.retrying(report, failure.record, rest, now)

    def finished(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """A task came to its end."""
        report = self.report(attempt.spot)
        report.seconds = now - report.began
        if isinstance(outcome, Failure):
            report.state = "failed"
            report.failure = outcome.record
            if not report.tolerated:
                self.failures.append(outcome)
        else:
            report.state = "cached" if outcome.cached else "done"
            report.failure = None
        with self._lock:
            self._watcher.finished(report, now)

    def abandoned(self, attempt: Attempt) -> None:
        """A thread goes on with an attempt that has failed."""
        self.warn(
            "a task past its timeout, or of a run that has failed, goes on in a thread, whose result is discarded: "
            "without --threads it is ended for real (this is said once)"
        )

    def explain(self, spot: Spot, why: str) -> None:
        """A task runs although it could have been cached."""
        report = self.report(spot)
        report.why = why
        with self._lock:
            self._watcher.missed(report, self._now())

    def printed(self, report: NodeReport, lines: list[str]) -> None:
        """The process of a node has printed whole lines."""
        with self._lock:
            self._watcher.printed(report, lines)

    def warn(self, text: str) -> None:
        """Something that the user should know, once."""
        with self._lock:
            if text in self.warnings:
                return
            self.warnings.append(text)
            self._watcher.warned(text)

    def blocked(self, spot: Spot, failure: Failure, now: float) -> None:
        """A graph, a branch or a map cannot begin or end, because a value that it needs cannot be made."""
        report = NodeReport(failure.record.node, "", failure.record.source, "failed", began=now, failure=failure.record)
        report.tolerated = walks.tolerated(spot)
        self.nodes.append(report)
        if not report.tolerated:
            self.failures.append(failure)
        with self._lock:
            self._watcher.finished(report, now)

    def close(self, walk: Walk, interrupted: bool) -> None:
        """Give every node that never came to its end the state that it has now, and items and rounds their places."""
        self.maps = {spot.path: len(spot.items) for spot in _spots(walk) if _has_begun(spot)}
        elsewhere = _not_taken(walk)
        self._add_not_taken(elsewhere)
        if len(self.nodes) > self._known or self.maps:
            order = outlines.Order(place.path for place in outlines.outline(self._walkable.plan))
            self.nodes.sort(key=lambda report: order.of(report.id))
            self.maps = {path: self.maps[path] for path in sorted(self.maps, key=order.of)}
        begun = {*self.maps, *(outlines.home(report.id) for report in self.nodes)}
        for path in self.idle.keys() - begun:
            if elsewhere and _lies_in(path, elsewhere):
                self.idle[path] = "not taken"
        for path in self.idle.keys() & begun:
            del self.idle[path]
        for report in self.nodes:
            if report.state == "waiting":
                report.state = "not taken" if elsewhere and _lies_in(report.id, elsewhere) else "skipped"
            elif report.state == "resting":
                report.state = "failed"
            elif report.state == "running" and interrupted:
                report.state, report.seconds = "stopped", self._now() - report.began

    def _add_not_taken(self, paths: set[str]) -> None:
        """Add reports of the tasks in items and rounds that no conditional led to, but those of maps inside them."""
        known: dict[str, list[tuple[str, outlines.Place]]] = {}
        for path in [each for each in paths if each != outlines.home(each)]:
            general = outlines.general(path)
            if general not in known:
                known[general] = [
                    (place.path.removeprefix(general), place)
                    for place in self._inside
                    if place.path == general or place.path.startswith(f"{general}.")
                ]
            for suffix, place in known[general]:
                if walks.ITEM not in suffix and path + suffix not in self._reports:
                    assert isinstance(place.step.call, TaskCall)
                    found = self._add(path + suffix, place.step.call.task, place.graph, place.step.name)
                    found.state, found.items = "not taken", self.maps.get(items.map_of(path + suffix), 0)
                    if found.items > items.MOST:
                        self._watcher.finished(found, self._now())

    def _add(self, path: str, name: str, graph: str, node: str) -> NodeReport:
        task = self._walkable.tasks[name]
        report = self._reports[path] = NodeReport(
            id=path,
            task=name,
            source=self._walkable.sources[graph, node],
            cacheable=name in self._cached,
            keeps=name in self._cached,
            most_attempts=1 + task.options.retries.limit,
        )
        self.nodes.append(report)
        return report


def _not_taken(walk: Walk) -> set[str]:
    """The paths of what no conditional led to: steps, and the branches that were not the one."""
    found = {spot.path for spot in walk.skipped if spot.state is State.NOT_TAKEN and not _is_round(spot)}
    for spot in _spots(walk):
        if spot.inner is not None:
            names = calls.branches(spot.call)
            found.update(path for name in names if f"{(path := f'{spot.path}.{name}')}." != spot.inner.prefix)
    return found


def _is_round(spot: Spot) -> bool:
    """Whether it is a round, of which a repeat has as many as its condition asks for."""
    return spot.frame.rounds is not None


def _spots(walk: Walk) -> Iterator[Spot]:
    """What the walk has come to."""
    frames = [walk.root.inner]
    while frames:
        frame = frames.pop()
        for spot in frame.spots.values() if frame is not None else ():
            frames += [spot.inner, *(item.inner for item in spot.items)]
            yield spot


def _has_begun(spot: Spot) -> bool:
    """Whether it is a map whose items are known, if only that there are none."""
    return bool(calls.over(spot.call)) and (bool(spot.items) or spot.state is State.DONE)


def _lies_in(id: str, paths: set[str]) -> bool:
    """Whether a node is one of `paths` or lies in one."""
    while id not in paths:
        id, inside, _ = id.rpartition(".")
        if not inside:
            return False
    return True
