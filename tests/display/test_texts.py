"""Summaries, outputs, failures and errors as whole texts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from alula.display import failures, frames, outcomes, problems, summaries
from alula.display.styles import PLAIN, Style
from alula.display.terminals import Terminal
from alula.progress.reports import NodeReport, RunResult
from alula.progress.watchers import Beginning
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from tests import goldens
from tests.display import worlds

GOLDEN = Path(__file__).parent / "golden"
ASCII = Style(colour=False, symbols=False)
COLOURED = Style(colour=True, symbols=True)


def readable(text: str) -> str:
    """Colours as people can review them."""
    return text.replace("\x1b", "^")


DIAGNOSTICS = [
    Diagnostic(
        Code.EDGE_TYPE,
        "the output of load is no int",
        source="flows/penguins.py:44",
        subject="workflow penguins-train, node fit, input seed",
        expected="int, got pandas.DataFrame",
        hint="pass load.rows",
    ),
    Diagnostic(Code.UNKNOWN_INPUT, "there is no flag --sed", hint="did you mean --seed?"),
]

LONG_NAMES = (
    worlds.node("load-the-measurements-of-all-stations", "cached"),
    worlds.node("train-every-day.fit-a-model", seconds=1.5, why="input seed changed from 1 to 2, and so on"),
)

TEXTS = {
    "summary": lambda: summaries.render(worlds.succeeded()),
    "summary-ascii": lambda: summaries.render(worlds.succeeded(), ASCII),
    "summary-coloured": lambda: readable(summaries.render(worlds.succeeded(), COLOURED)),
    "summary-narrow": lambda: summaries.render(worlds.succeeded(), PLAIN, 40),
    "summary-narrow-names": lambda: summaries.render(worlds.succeeded(LONG_NAMES), PLAIN, 40),
    "summary-failed": lambda: summaries.render(worlds.failed()),
    "summary-of-groups": lambda: summaries.render(worlds.of_groups()),
    "summary-branched": lambda: summaries.render(worlds.succeeded(worlds.branched())),
    "summary-many": lambda: summaries.render(worlds.succeeded(worlds.many({"cached": 990, "done": 10}))),
    "summary-many-tasks": lambda: summaries.render(
        worlds.succeeded(tuple(worlds.node(f"task{n}-1", seconds=1.0) for n in range(50)))
    ),
    "failures": lambda: failures.render(worlds.failed(), PLAIN, "alula run --workers 1 flows/penguins.py:train"),
    "failures-coloured": lambda: readable(failures.render(worlds.failed(), COLOURED, "alula run ...")),
    "outputs": lambda: outcomes.render(worlds.succeeded()),
    "run-json": lambda: outcomes.as_json(worlds.succeeded()),
    "run-json-failed": lambda: outcomes.as_json(worlds.of_groups()),
    "diagnostics": lambda: problems.render(DIAGNOSTICS),
    "diagnostics-coloured": lambda: readable(problems.render(DIAGNOSTICS, COLOURED)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_is_the_golden_one(name: str) -> None:
    goldens.check(GOLDEN / f"{name}.txt", TEXTS[name]() + "\n")


def test_more_errors_than_anybody_reads_are_counted() -> None:
    text = problems.render(DIAGNOSTICS[1:] * 60)
    assert text.count("there is no flag") == problems.MOST
    assert text.endswith("\nand 10 more\n60 errors")


def scene(reports, height: int = 24) -> str:
    picture = frames.Scene(Beginning("run-1", "penguins-train", reports, 4, 100.0))
    for report in reports:
        if report.state in ("running", "resting"):
            picture.started(report)
        elif report.state != "waiting":
            picture.finished(report)
    return "\n".join(picture.draw(Terminal(True, PLAIN, 80, height), 103.5, 3)) + "\n"


def moving() -> list:
    return [
        worlds.node("load", "cached"),
        worlds.node("split", "running", began=102.0, attempts=1, why="input seed changed (7 → 8)"),
        worlds.node("fit", "resting", began=101.0, attempts=1, most_attempts=4, failure=worlds.FAILURE),
        worlds.node("score", "running", began=103.4, attempts=2, most_attempts=2),
        worlds.node("report", "waiting"),
    ]


def crowd() -> list:
    reports = [*worlds.many({"cached": 500, "done": 200})]
    reports += [worlds.node(f"busy-{n}", "running", began=100 + n / 10, attempts=1) for n in range(30)]
    reports += [worlds.node("fit", "failed", seconds=3, attempts=1, failure=worlds.FAILURE)]
    return reports + [worlds.node(f"idle-{n}", "waiting") for n in range(300)]


def test_the_live_view_is_the_golden_one() -> None:
    goldens.check(GOLDEN / "live.txt", scene(moving()))


def test_the_live_view_of_a_crowd_shows_what_moves() -> None:
    goldens.check(GOLDEN / "live-crowd.txt", scene(crowd()))


@pytest.mark.parametrize("height", [5, 8, 24, 50, 1000])
def test_the_live_view_never_takes_more_lines_than_there_are(height: int) -> None:
    lines = scene(crowd(), height).split("\n")
    assert len(lines) - 1 <= min(height, frames.MOST_ROWS + 4)


def test_a_task_that_was_not_tried_again_says_why() -> None:
    def shown(retryable: bool, kind: str = "user", seconds: float = 1.0, code: str = "TASK_FAILED") -> str:
        record = dataclasses.replace(worlds.FAILURE, attempt=1, retryable=retryable, kind=kind, code=code)
        node = worlds.node("fit", "failed", attempts=1, most_attempts=3, failure=record, seconds=seconds)
        other = worlds.node("train", "failed", attempts=1, seconds=2.0, failure=worlds.FAILURE)
        return failures.render(RunResult("r", "w", False, (other, node), 1.0))

    assert "not tried again: it said that this cannot help" in shown(False)
    assert "not tried again: the run's time is over" in shown(False, code="TASK_TIMEOUT")
    assert "not tried again: its retries are used up" in shown(True)
    assert "not tried again: its system_retries are used up" in shown(True, "system")
    for seconds in (2.0, 3.0):  # a cluster's times are whole seconds
        assert "not tried again: another task had failed for good" in shown(True, "system", seconds=seconds)


def test_a_failure_of_which_no_line_is_known_has_that_of_its_call() -> None:
    node = worlds.node("fit", "failed", failure=dataclasses.replace(worlds.FAILURE, source=""))
    assert "fit failed (flows/penguins.py:43, after 0ms)" in failures.render(RunResult("r", "w", False, (node,), 1.0))


def test_all_lines_of_a_message_without_a_traceback_are_shown() -> None:
    record = dataclasses.replace(worlds.FAILURE, exception="", traceback="", message="too few rows\n  of \x1b[31m3\n")
    node = worlds.node("check.else.fail", "failed", failure=record)
    assert "\n\n  too few rows\n    of 3\n\n" in failures.render(RunResult("r", "w", False, (node,), 1.0))


def test_what_fails_without_being_a_task_has_its_own_name_in_a_summary_by_tasks() -> None:
    nodes = (NodeReport("each", "", state="failed"), *(worlds.node(f"fit-{number}") for number in range(50)))
    text = summaries.render(RunResult("r", "w", False, nodes, 1.0))
    assert [line.split()[1] for line in text.split("\n")[1:]] == ["each", "fit"]


def test_maps_and_repeats_that_never_began_have_one_line_in_a_summary_by_tasks() -> None:
    idle = {f"c-{number}.else.m": "not taken" for number in range(30)}
    nodes = tuple(worlds.node(f"fit-{number}") for number in range(20))
    text = summaries.render(RunResult("r", "w", True, nodes, 1.0, idle=idle))  # type: ignore[arg-type]
    assert [" ".join(line.split()) for line in text.split("\n")[2:]] == ["- maps and repeats ×30 30 not taken"]


def test_a_debugger_is_offered_only_where_the_users_code_failed() -> None:
    def shown(kind: str) -> str:
        record = dataclasses.replace(worlds.FAILURE, kind=kind)
        node = worlds.node("fit", "failed", attempts=1, failure=record)
        return failures.render(RunResult("r", "w", False, (node,), 1.0), again="alula run --workers 1 x.py")

    assert "where a debugger stops:\n  alula run --workers 1 x.py" in shown("user")
    assert "debugger" not in shown("system")


def test_more_failures_than_anybody_reads_are_counted() -> None:
    result = worlds.failed()
    reports = tuple(worlds.node(f"fit-{n}", "failed", failure=worlds.FAILURE) for n in range(8))
    text = failures.render(type(result)("r", "w", False, reports, 1.0))
    assert text.count("in fit") == failures.MOST
    assert text.endswith("… and 3 more failed tasks, listed above")


def test_a_single_output_without_a_name_is_called_the_result() -> None:
    result = worlds.succeeded()
    from alula.progress.reports import OutputType, RunResult

    one = RunResult("r", "w", True, (), 1.0, wire={"o0": 5}, output_types=(OutputType("o0", {"type": "integer"}),))
    assert outcomes.render(one) == "result  5"
    assert outcomes.render(RunResult("r", "w", True, (), 1.0)) == ""
    assert "report" in outcomes.render(result)


def test_items_that_a_new_run_makes_again_are_counted_by_the_task_that_has_no_cache() -> None:
    def item(index: int, state: str, *, keeps: bool = False, stands_for: int = 1) -> NodeReport:
        named = f"half({index})"
        return NodeReport(named, "half", state=state, items=40, keeps=keeps, stands_for=stands_for)  # type: ignore[arg-type]

    told = "a new run makes the 21 items again that half has finished: it has no cache"
    assert summaries.repeated([item(0, "done", stands_for=20), item(1, "failed"), item(2, "done")]) == [told]
    assert summaries.repeated([item(0, "done", keeps=True), item(1, "failed")]) == []
    assert summaries.repeated([item(0, "done"), item(1, "done")]) == [], "the map is over"
    assert summaries.repeated([NodeReport("one", "one", state="done"), item(0, "failed")]) == []


def test_the_record_of_a_run_is_ascii_where_no_more_is_read_and_has_no_commands_of_terminals() -> None:
    result = dataclasses.replace(worlds.failed(), warnings=("naïve \x9b31m\x1b[31m\u2028",))
    assert json.loads(outcomes.as_json(result))["warnings"] == [*result.warnings]
    assert "naïve \\u009b31m\\u001b[31m\\u2028" in outcomes.as_json(result)
    assert outcomes.as_json(result, "ascii").isascii()


def test_the_record_grows_with_the_items_of_a_map_and_no_faster() -> None:
    def lines(count: int) -> int:
        items = tuple(NodeReport(f"fit({n})", "fit", state="done", items=count) for n in range(count))
        result = RunResult("r", "w", True, items, 1.0, maps={"fit": count})
        text = outcomes.as_json(result)
        assert json.loads(text)["maps"][0]["progress"] == f"{count}/{count}"
        return text.count("\n")

    assert lines(10_000) - lines(1_000) == 9_000
