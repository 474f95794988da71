"""Runs as values, for tests of what is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alula.progress.reports import HandlerReport, NodeReport, OutputType, RunResult
from alula_api.contract.failures import FailureRecord

FAILURE = FailureRecord(
    kind="user",
    code="TASK_FAILED",
    message="max_depth must be positive\nit is -1",
    exception="ValueError",
    traceback=(
        "Traceback (most recent call last):\n"
        '  File "/home/me/project/flows/penguins.py", line 63, in fit\n'
        "    model.fit(training)\n"
        "ValueError: max_depth must be positive\nit is -1\n"
    ),
    node="fit",
    run="penguins-train-1",
    attempt=4,
    task="flows.penguins:fit",
    inputs={"training": "parquet frame", "forest": '{"trees":60,"max_depth":-1}', "seed": "7"},
    source="flows/penguins.py:63",
)
OVERDUE = FailureRecord("user", "TASK_TIMEOUT", "it took longer than its timeout of 10m", node="score", attempt=1,
                        source="flows/penguins.py:70")  # fmt: skip


def node(id: str, state: str = "done", **more: object) -> NodeReport:
    report = NodeReport(id, id.split("-", maxsplit=1)[0], f"flows/penguins.py:{40 + len(id)}", state)  # type: ignore[arg-type]
    for name, value in more.items():
        setattr(report, name, value)
    return report


def nodes() -> tuple[NodeReport, ...]:
    return (
        node("load", "cached", attempts=1),
        node("split", seconds=0.31, attempts=1, why="input seed changed (7 → 8)"),
        node("fit", seconds=65.2, attempts=2, most_attempts=4),
        node("report", seconds=0.004, attempts=1),
    )


def digest(letter: str) -> str:
    return letter * 64


def file(letter: str, name: str, format: str, size: int) -> dict[str, object]:
    return {"type": "file", "digest": digest(letter), "size": size, "name": name, "format": format}


OUTPUTS = {
    "report": ({"x-alula-type": "file", "format": "html"}, file("a", "report.html", "html", 28_123)),
    "plots": (
        {"type": "array", "items": {"x-alula-type": "file"}},
        [file("b", "one.png", "png", 10), file("c", "two.png", "png", 20)],
    ),
    "accuracy": ({"type": "number"}, 0.9767),
    "title": ({"type": "string"}, "Penguins\nof last night \x1b[31m"),
    "scores": (
        {"type": "object"},
        {"species": ["Adelie", "Chinstrap", "Gentoo"], "confusion": [[38, 2, 0], [0, 18, 0], [0, 0, 28]],
         "importance": {"bill_length_mm": 0.39, "bill_depth_mm": 0.27}},
    ),
}  # fmt: skip


def locate(reference: object) -> Path | str | None:
    assert isinstance(reference, dict)
    return Path.cwd() / "store" / reference["digest"][:2] / reference["name"]


def succeeded(reports: tuple[NodeReport, ...] | None = None) -> RunResult:
    return RunResult(
        run="penguins-train-1",
        workflow="penguins-train",
        ok=True,
        nodes=nodes() if reports is None else reports,
        seconds=66.1,
        wire={name: value for name, (_, value) in OUTPUTS.items()},
        output_types=tuple(OutputType(name, schema) for name, (schema, _) in OUTPUTS.items()),
        locate=locate,
    )


def branched() -> tuple[NodeReport, ...]:
    return (
        node("score", seconds=0.2, attempts=1),
        node("good.publish", seconds=1.5, attempts=1),
        node("bad.alert", "not taken"),
    )


def failed() -> RunResult:
    reports = (
        node("load", "cached", attempts=1),
        node("fit", "failed", seconds=12.4, attempts=4, most_attempts=4, failure=FAILURE),
        node("score", "failed", seconds=600, attempts=1, failure=OVERDUE),
        node("report", "skipped"),
    )
    return RunResult("penguins-train-1", "penguins-train", False, reports, 612.0)


LOST = {index: replace(OVERDUE, inputs={"x": str(index)}) for index in range(3, 9)}
"""Why items failed that may."""


def of_groups() -> RunResult:
    """A failed run with maps in maps and in repeats, items in batches, and what never began."""
    reports = (
        node("each(0).half(0)", "cached", items=2),
        node("each(0).half(1)", seconds=0.5, attempts=1, items=2),
        node("each(2).half(0)", "failed", attempts=1, items=1, failure=OVERDUE, tolerated=True),
        node("each(2).sum", "skipped", items=4),
        node("tune.round-1.fit(0)", seconds=1.5, attempts=2, items=1),
        node("tune.round-2.fit(0)", "failed", seconds=2.25, attempts=4, items=1, failure=FAILURE),
        node("sub.round-7", "not taken"),
        node("packed(0)", seconds=9.0, attempts=1, items=35, first=0, stands_for=20, failed=7, failed_items=LOST),
        node("packed(1)", "stopped", seconds=9.0, attempts=1, items=35, first=20, stands_for=15),
    )
    return RunResult(
        "penguins-train-1",
        "penguins-train",
        False,
        reports,
        612.0,
        maps={"each": 4, "each(0).half": 2, "each(2).half": 1, "packed": 35, "none": 0},
        repeats=frozenset({"tune"}),
        idle={"late": "skipped", "good.publish": "not taken"},
        handlers=(HandlerReport("failure", "penguins-train-on-failure", "run-2", True), HandlerReport("exit", "tidy")),
        warnings=("the store is slow",),
    )


def many(states: dict[str, int]) -> tuple[NodeReport, ...]:
    found = []
    for state, number in states.items():
        for index in range(number):
            found.append(node(f"fit-{len(found) + 1}", state, seconds=0.5, attempts=1))
            if state == "done":
                found[-1].why = f"input x changed ({index} → {index + 1})"
    return tuple(found)
