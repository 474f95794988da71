"""What people see of a run on the cluster while it goes on: the lines of a log, whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alula import display
from alula.display import live, plain
from alula.progress.reports import NodeReport, RunResult
from alula.progress.watchers import Beginning, Watcher
from alula.remote import status as run_status
from alula.remote.outline import Outline
from alula.remote.reporting import LONG_SECONDS, QUIET_SECONDS, Reporter
from tests import goldens
from tests.display.screens import Screen
from tests.display.test_progress import terminal
from tests.remote import worlds
from tests.remote.test_messages import RECORD
from tests.remote.worlds import RUN, admit, cached, failed, node, retried, root, said, status

GOLDEN = Path(__file__).parent / "golden"
OUTLINE = Outline(worlds.WORKFLOW, worlds.SOURCES)
RUNNING = (root("Running"), admit())


def read(found: dict[str, Any]) -> run_status.RunState:
    return run_status.state(worlds.run(worlds.keyed(found)), OUTLINE)


class Lines:
    """A reporter and what it says, at chosen times."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self.said: list[str] = []
        self.watcher = watcher or Watcher()
        self.reporter = Reporter(RUN, "penguins-train", OUTLINE, watcher=self.watcher, say=self.said.append, now=100.0)

    def at(self, second: float, *nodes: dict[str, Any], phase: str = "Running", **more: Any) -> list[str]:
        """What is said anew when the run looks so."""
        before = len(self.said)
        self.reporter.see(read(status(phase, *nodes, **more)), 100.0 + second)
        return self.said[before:]

    def states(self) -> dict[str, str]:
        return {report.id: report.state for report in self.reporter.nodes}


def test_a_run_in_a_log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    watcher = plain.Plain()
    reporter = Reporter(RUN, "penguins-train", OUTLINE, watcher=watcher, say=display.note, now=100.0)
    first, last = failed("", said(RECORD)), failed("", said(RECORD), 90)
    waiting = node("", "Pending", message="ImagePullBackOff: penguins:2 is not there")
    fit_2 = retried("train.fit-2", "Succeeded", node("", "Succeeded"), began=3, ended=9)
    steps = [
        (1, "Running", [root("Running"), admit("Running")]),
        (5, "Running", [root("Running"), admit("Running")]),
        (7, "Running", [*RUNNING, cached("load"), *retried("train.fit", "Running", waiting, began=2)]),
        (9, "Running", [*RUNNING, cached("load"), *retried("train.fit", "Running", node("", "Running"), began=2)]),
        (12, "Running", [*RUNNING, cached("load"), *retried("train.fit", "Running", first, began=2), *fit_2]),
        (
            15,
            "Running",
            [*RUNNING, cached("load"), *retried("train.fit", "Running", first, node("", "Running")), *fit_2],
        ),
        (
            31,
            "Failed",
            [
                root("Failed"),
                admit(),
                cached("load"),
                *retried("train.fit", "Failed", first, last, began=2, ended=30),
                *fit_2,
            ],
        ),
    ]
    for second, phase, nodes in steps:
        state = read(status(phase, *nodes))
        reporter.see(state, 100.0 + second)
    watcher.end(RunResult(RUN, "penguins-train", state.succeeded, reporter.nodes, state.seconds))
    goldens.check(GOLDEN / "log.txt", capsys.readouterr().err)


def test_on_a_terminal_it_is_the_live_view_of_a_local_run_with_notes_above(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    monkeypatch.setattr(live, "INTERVAL", 3600.0)
    now = 100.0
    watcher = live.Live(lambda: now)
    reporter = Reporter(RUN, "penguins-train", OUTLINE, watcher=watcher, say=display.note, now=now)
    reporter.see(read(status("Running", root("Running"), admit("Running"), message="2 runs before it")), now)
    now = 103.0
    waiting = node("", "Pending", message="ErrImagePull")
    state = read(status("Running", *RUNNING, cached("load"), *retried("train.fit", "Running", waiting)))
    reporter.see(state, now)
    now = 105.0
    watcher.warned("something")
    goldens.check(GOLDEN / "live.txt", Screen().feed(tty.getvalue()).text() + "\n")
    ended = read(status("Failed", root("Failed"), admit(), cached("load"), *retried("train.fit", "Failed", waiting)))
    reporter.see(ended, now)
    watcher.end(RunResult(RUN, "penguins-train", False, reporter.nodes, ended.seconds))
    screen = Screen().feed(tty.getvalue())
    assert screen.cursor_shown
    goldens.check(GOLDEN / "live-end.txt", screen.text() + "\n")


def test_a_run_that_is_admitted_soon_is_not_said_to_wait() -> None:
    lines = Lines()
    assert lines.at(1, root("Running"), admit("Running")) == []
    assert lines.at(3, *RUNNING, node("load", "Running")) == []


def test_a_run_that_is_held_says_so_and_why_each_time_the_reason_changes() -> None:
    lines = Lines()
    held = root("Running"), admit("Running")
    assert lines.at(QUIET_SECONDS, *held) == ["waiting to be admitted"]
    assert lines.at(QUIET_SECONDS + 1, *held) == []
    assert lines.at(9, *held, message="2 runs before it") == ["waiting to be admitted: 2 runs before it"]
    assert lines.at(10, *held, message="2 runs before it") == []
    assert lines.at(11, *held, message="1 run before it") == ["waiting to be admitted: 1 run before it"]


def test_a_reason_to_wait_is_said_at_once() -> None:
    said = Lines().at(0, root("Running"), admit("Running"), message="7 runs before it")
    assert said == ["waiting to be admitted: 7 runs before it"]


def test_a_run_that_is_not_admitted_for_a_minute_asks_whether_the_controller_runs() -> None:
    lines = Lines()
    lines.at(LONG_SECONDS, root("Running"), admit("Running"))
    assert lines.said[-1] == "it has not been admitted for a minute: does the controller of alula run?"


def test_a_run_that_argo_does_not_look_at_says_so() -> None:
    lines = Lines()
    assert lines.at(1, phase="") == []
    assert lines.at(QUIET_SECONDS, phase="") == ["waiting for Argo to take the run up"]
    assert lines.at(LONG_SECONDS, phase="") == ["Argo has not looked at the run yet: does its controller run?"]
    assert lines.at(LONG_SECONDS + 1, phase="") == []
    limit = "Workflow processing has been postponed"
    assert lines.at(LONG_SECONDS + 2, phase="Pending", message=limit) == [f"waiting for Argo: {limit}"]


@pytest.mark.parametrize("usual", ["", "PodInitializing", "ContainerCreating"])
def test_what_every_pod_waits_for_is_not_worth_a_line(usual: str) -> None:
    assert Lines().at(9, *RUNNING, node("load", "Pending", message=usual)) == []


def test_what_a_pod_waits_for_is_said_once_and_again_when_it_changes() -> None:
    lines = Lines()
    assert lines.at(1, *RUNNING, node("load", "Pending", message="Unschedulable: no cpu")) == [
        "load waits for its pod: Unschedulable: no cpu"
    ]
    assert lines.at(2, *RUNNING, node("load", "Pending", message="Unschedulable: no cpu")) == []
    assert lines.at(3, *RUNNING, node("load", "Pending", message="ErrImagePull")) == [
        "load waits for its pod: ErrImagePull"
    ]


def test_nodes_that_cannot_be_shown_are_told_once() -> None:
    lines = Lines()
    assert len(lines.at(1, offloadNodeStatusVersion="fnv:1")) == 1
    assert lines.at(2, offloadNodeStatusVersion="fnv:1") == []
    assert set(lines.states().values()) == {"waiting"}


def test_tasks_that_were_never_begun_are_skipped_at_the_end_and_running_ones_stopped() -> None:
    lines = Lines()
    lines.at(1, *RUNNING, cached("load"), *retried("train.fit", "Running", node("", "Running")))
    lines.at(
        2,
        root("Failed"),
        admit(),
        cached("load"),
        *retried("train.fit", "Running", node("", "Running")),
        phase="Failed",
    )
    assert lines.states() == {"load": "cached", "train.fit": "stopped", "train.fit-2": "skipped", "score": "skipped"}


def test_what_fails_without_being_a_task_is_a_node_without_one_at_the_place_of_its_call() -> None:
    lines = Lines()
    lines.at(1, *RUNNING, node("train", "Error", "Skipped", ended=1, message="no branch"), phase="Failed")
    (found,) = [report for report in lines.reporter.nodes if report.id == "train"]
    assert (found.task, found.source, found.state) == ("", "flows/penguins.py:45", "failed")


class Recorder(Watcher):
    """Remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self, beginning: Beginning) -> None:
        assert beginning.workers == 0

    def started(self, node: NodeReport, now: float) -> None:
        self.calls.append(f"{node.id} started {node.attempts} of {node.most_attempts}")

    def retrying(self, node: NodeReport, failure: Any, rest: float, now: float) -> None:
        self.calls.append(f"{node.id} failed {node.attempts}: {failure.message}, again in {rest:.0f}")

    def finished(self, node: NodeReport, now: float) -> None:
        self.calls.append(f"{node.id} {node.state}")


def test_attempts_that_came_and_went_between_two_looks_are_told_all_the_same() -> None:
    recorder = Recorder()
    lines = Lines(recorder)
    attempts = [failed("", f"E: {number}") for number in (1, 2)]
    lines.at(1, *RUNNING, *retried("train.fit", "Succeeded", *attempts, node("", "Succeeded"), began=1, ended=9))
    assert recorder.calls == [
        "train.fit failed 1: 1, again in 10",
        "train.fit failed 2: 2, again in 30",
        "train.fit done",
    ]
    assert lines.reporter.reports["train.fit"].attempts == 3
    assert lines.reporter.reports["train.fit"].seconds == 8


def test_looking_twice_tells_nothing_twice() -> None:
    recorder = Recorder()
    lines = Lines(recorder)
    for _ in range(3):
        lines.at(1, *RUNNING, cached("load"), *retried("train.fit", "Running", failed("", "E: 1"), node("", "Running")))
    for _ in range(3):
        lines.at(
            2, *RUNNING, cached("load"), *retried("train.fit", "Failed", failed("", "E: 1"), failed("", "E: 2", 90))
        )
    assert recorder.calls == [
        "load cached",
        "train.fit failed 1: 1, again in 10",
        "train.fit started 2 of 4",
        "train.fit failed",
    ]
    failure = lines.reporter.reports["train.fit"].failure
    assert failure is not None
    assert (failure.message, failure.attempt, failure.retryable) == ("2", 2, False)


def test_the_last_attempt_is_not_said_to_be_followed_by_another() -> None:
    recorder = Recorder()
    lines = Lines(recorder)
    first, last = failed("", "E: 1"), failed("", "E: 2", 90)
    lines.at(1, *RUNNING, *retried("train.fit", "Running", first, node("", "Running")))
    lines.at(2, *RUNNING, *retried("train.fit", "Running", first, last))
    lines.at(3, *RUNNING, *retried("train.fit", "Failed", first, last))
    assert recorder.calls == [
        "train.fit failed 1: 1, again in 10",
        "train.fit started 2 of 4",
        "train.fit failed",
    ]


def test_more_attempts_than_the_author_allowed_are_those_of_a_system_that_failed() -> None:
    lines = Lines()
    lines.at(1, *RUNNING, *retried("load", "Running", node("", "Error", message="pod deleted"), node("", "Running")))
    report = lines.reporter.reports["load"]
    assert (report.attempts, report.most_attempts) == (2, 4)


def test_a_task_that_the_definition_does_not_have_is_shown_too() -> None:
    recorder = Recorder()
    lines = Lines(recorder)
    lines.at(1, *RUNNING, cached("other"))
    assert recorder.calls == ["other cached"]
    assert lines.states()["other"] == "cached"
