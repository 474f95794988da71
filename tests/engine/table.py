"""What `make conformance` prints at its end: how each case ended, by the ways in which it was run.

A plugin of pytest. A test says by `record_property(WAY, case.name)` which case it ran and how.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.engine.cases import CASES, FAILURES

HERE, PROCESSES, REAL_PODS = WAYS = ("here", "in Argo, process pods", "in Argo, real pods")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    terminalreporter.section("one semantic, in each way")
    for line in lines(report for kind in ("passed", "failed", "error") for report in stats.get(kind, ())):
        terminalreporter.write_line(line)


def lines(reports: Iterable[pytest.TestReport]) -> list[str]:
    """A line for each case: `=` where it ended as it must, `DIFFERS` where it did not, `-` where it was not run."""
    found: dict[tuple[str, str], bool] = {}
    for report in reports:
        for way, case in report.user_properties:
            if way in WAYS:
                found[way, str(case)] = found.get((way, str(case)), True) and report.outcome == "passed"
    signs = {True: "=", False: "DIFFERS", None: "-"}
    rows = [("case", "construct", *WAYS)]
    for case in (*CASES, *FAILURES):
        rows.append((case.name, case.construct, *(signs[found.get((way, case.name))] for way in WAYS)))
    counts = [sum(found.get((way, case.name), False) for case in (*CASES, *FAILURES)) for way in WAYS]
    rows.append((f"{len(rows) - 1} cases", "", *(f"{count} =" for count in counts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
