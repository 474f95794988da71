"""The watchers: lines in a log, and the live view as it is left on a terminal."""

from __future__ import annotations

import io
import logging
import sys
import threading
from pathlib import Path

import pytest

from alula.display import frames, live, plain, progress, styles, terminals
from alula.progress.current import current
from alula.progress.reports import NodeReport, RunResult
from alula.progress.watchers import Beginning, Watcher
from tests import goldens
from tests.display import worlds
from tests.display.screens import Screen

GOLDEN = Path(__file__).parent / "golden"


class Tty(io.StringIO):
    """What a program believes to be a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def fileno(self) -> int:
        raise io.UnsupportedOperation


def terminal(monkeypatch: pytest.MonkeyPatch) -> Tty:
    """One terminal for both streams. Called by tests themselves: pytest sets the streams anew before each."""
    made = Tty()
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setattr(sys, "stderr", made)
    return made


def story(watcher: Watcher) -> None:
    """A run of three nodes: cached, tried again, running with prints."""
    load, fit, report = reports = [
        NodeReport("load", "load", cacheable=True, most_attempts=1),
        NodeReport("fit", "fit", cacheable=True, most_attempts=2),
        NodeReport("report", "report"),
    ]
    watcher.begin(Beginning("penguins-train-1", "penguins-train", reports, 2, 100.0))
    begin(watcher, load, 100.0)
    end(watcher, load, "cached", 100.002)
    begin(watcher, fit, 100.01)
    fit.why = "input seed changed (7 → 8)"
    watcher.missed(fit, 100.02)
    current.node = "fit"
    print("looking at", end=" ")
    print("343 penguins")
    print("half a line", end="")
    current.node = ""
    fit.state, fit.failure = "resting", worlds.FAILURE
    watcher.retrying(fit, worlds.FAILURE, 5, 103.0)
    watcher.warned("the store is slow")
    begin(watcher, fit, 108.0)
    end(watcher, fit, "done", 109.5)
    begin(watcher, report, 109.5)
    end(watcher, report, "done", 109.6)
    watcher.end(RunResult("penguins-train-1", "penguins-train", True, tuple(reports), 9.6))
    watcher.close()


def begin(watcher: Watcher, node: NodeReport, now: float) -> None:
    node.state, node.attempts = "running", node.attempts + 1
    node.began = node.began or now
    watcher.started(node, now)


def end(watcher: Watcher, node: NodeReport, state: str, now: float) -> None:
    node.state, node.seconds = state, now - node.began  # type: ignore[assignment]
    watcher.finished(node, now)


def test_a_log_has_one_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    story(plain.Plain())
    goldens.check(GOLDEN / "plain.txt", capsys.readouterr().err)


def test_a_log_of_a_large_graph_has_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = plain.Plain()
    reports = [NodeReport(f"inc-{n}", "inc", cacheable=True) for n in range(1000)]
    watcher.begin(Beginning("r", "w", reports, 2, 0.0))
    for number, report in enumerate(reports):
        begin(watcher, report, number)
        watcher.missed(report, number)
        end(watcher, report, "cached" if number < 500 else "done", number)
    watcher.end(RunResult("r", "w", True, tuple(reports), 1000.0))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) < 30
    assert "[16m 39s] 1000 of 1000 tasks are over, 500 of them cached" in lines


def test_a_log_says_done_of_nothing_that_did_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = plain.Plain()
    states = {"done": "done in 0ms", "cached": "cached", "not taken": "not taken", "skipped": "not started"}
    for state in states:
        end(watcher, NodeReport("load", "load"), state, 0.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"[   0ms] load {said}" for said in states.values()]


def test_a_log_does_not_repeat_many_lines_in_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = plain.Plain()
    reports = [NodeReport(f"inc-{n}", "inc") for n in range(20)]
    watcher.begin(Beginning("r", "w", reports, 2, 0.0))
    for number, report in enumerate(reports):
        begin(watcher, report, number)
        end(watcher, report, "done", number + 1)
    watcher.end(RunResult("r", "w", True, tuple(reports), 20.0))
    lines = capsys.readouterr().err.splitlines()
    assert any("inc-19 done" in line for line in lines)
    assert len(lines) == 1 + 2 * len(reports) + 2


def items(count: int) -> list[NodeReport]:
    return [NodeReport(f"fit({n})", "fit", items=count) for n in range(count)]


def test_a_log_counts_the_items_of_a_map_of_many_and_names_those_that_fail(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = plain.Plain()
    watcher.begin(Beginning("r", "w", [NodeReport("load", "load")], 2, 0.0))
    for number, report in enumerate(items(40)):
        begin(watcher, report, number)
        if number == 7:
            report.failure = worlds.FAILURE
        end(watcher, report, "failed" if number == 7 else "cached" if number < 10 else "done", number)
    lines = capsys.readouterr().err.splitlines()
    watcher.close()
    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == "[   39s] fit 40/40 items are over, 9 of them cached"
    assert any("fit(7) failed after" in line and "max_depth must be positive" in line for line in lines)


def test_the_live_view_folds_the_items_of_a_map_of_many_and_shows_those_of_a_short_one() -> None:
    scene = frames.Scene(Beginning("r", "w", [NodeReport("load", "load")], 2, 0.0))
    for report in [*items(200)[:20], *(NodeReport(f"sub({n}).one", "one", items=3) for n in range(3))]:
        report.state, report.attempts = "running", 1
        scene.started(report)
        if report.id != "fit(19)" and report.id != "sub(2).one":
            report.state = "cached" if report.id == "fit(0)" else "done"
            scene.finished(report)
    text = "\n".join(scene.draw(terminals.Terminal(True, styles.PLAIN), 1.0, 0))
    assert "fit         19/200  1 running, 1 cached" in text
    assert "sub(2).one" in text and "fit(3)" not in text
    assert "21 of 204 tasks, 1 cached" in text


def test_the_live_view_leaves_prints_and_the_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    story(live.Live(lambda: 104.0))
    screen = Screen().feed(tty.getvalue())
    goldens.check(GOLDEN / "live-end.txt", screen.text() + "\n")
    assert screen.cursor_shown


def test_what_was_shown_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    view = live.Live(lambda: 104.0)
    fit = worlds.node("fit", "waiting")
    view.begin(Beginning("r", "w", [fit], 2, 100.0))
    try:
        begin(view, fit, 103.0)
        print("hello")
        lines = Screen().feed(tty.getvalue()).text().split("\n")
    finally:
        view.close()
    assert lines[0] == "hello"
    assert lines[1].split()[1:] == ["fit", "1.0s"]
    assert lines[3].split()[1:] == ["4.0s", "0", "of", "1", "task", "w"]


def test_the_terminal_is_given_back_when_a_run_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    view = live.Live(lambda: 0.0)
    hook = sys.breakpointhook
    view.begin(Beginning("r", "w", [worlds.node("fit", "running")], 2, 0.0))
    assert sys.stdout is not tty
    view.close()
    view.close()
    assert (sys.stdout, sys.stderr, sys.breakpointhook) == (tty, tty, hook)
    screen = Screen().feed(tty.getvalue())
    assert screen.text() == ""
    assert screen.cursor_shown


def test_lines_of_different_threads_never_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    view = live.Live(lambda: 0.0)
    view.begin(Beginning("r", "w", [worlds.node("fit", "running")], 2, 0.0))
    meeting = threading.Barrier(4)

    def talk(name: str) -> None:
        current.node = name
        meeting.wait(30)
        for number in range(50):
            print(name, end=" ")
            print(number)

    threads = [threading.Thread(target=talk, args=(f"node{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    view.close()
    lines = Screen().feed(tty.getvalue()).text().split("\n")
    for n in range(4):
        mine = [line for line in lines if line.startswith(f"node{n} │")]
        assert mine == [f"node{n} │ node{n} {number}" for number in range(50)]


def test_progress_bars_and_logging_go_above_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    view = live.Live(lambda: 0.0)
    view.begin(Beginning("r", "w", [worlds.node("fit", "running")], 2, 0.0))
    handler = logging.StreamHandler()
    handler.emit(logging.makeLogRecord({"msg": "from logging"}))
    sys.stderr.write("10%\r50%\r100%\n")
    assert sys.stdout.isatty()
    assert sys.stdout.writable()
    view.close()
    assert Screen().feed(tty.getvalue()).text().split("\n") == ["from logging", "100%"]


def test_a_breakpoint_ends_the_view_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = terminal(monkeypatch)
    seen = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: seen.append(sys.stdout))
    view = live.Live(lambda: 0.0)
    view.begin(Beginning("r", "w", [worlds.node("fit", "running")], 2, 0.0))
    breakpoint()
    assert seen == [tty]
    view.finished(worlds.node("fit"), 1.0)
    view.close()


def test_the_watcher_fits_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    assert isinstance(progress.watcher(lambda: 0.0), live.Live)
    assert isinstance(progress.watcher(lambda: 0.0, plain=True), plain.Plain)
    monkeypatch.setenv("CI", "true")
    assert isinstance(progress.watcher(lambda: 0.0), plain.Plain)
    monkeypatch.delenv("CI")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress.watcher(lambda: 0.0), plain.Plain)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(progress.watcher(lambda: 0.0), plain.Plain)
