"""Cases of `tests/engine` on real pods: each ends as it does in the local runner and with pods as processes.

A core of them each time; with `ALULA_CONFORMANCE=whole` all (`make conformance`).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2e import conformance
from e2e.main_road.conftest import Road
from e2e.real_pods.conftest import RUNS, TASKS, TIMED, WHOLE
from tests.engine import table
from tests.engine.cases import Case

CASES = (*RUNS.cases, *TIMED.cases)
LONGEST = 3_000.0 if WHOLE else 600.0
"""Seconds that a run may take: pods are few at a time, by the quota."""


@pytest.fixture(scope="module")
def ended(road: Road) -> dict[str, conformance.Ended]:
    """What became of each case; those where time counts have the cluster to themselves, one after the other."""
    only = [word for name in (*RUNS.objects(), *TIMED.objects()) for word in ("--only", name)]
    files = sorted({f"flows/{case.workflow.partition(':')[0]}" for case in CASES})
    road.register("--image", TASKS, "flows/together.py", *files, *only)
    road.apply()
    return TIMED.run(road.place, 180, 1) | RUNS.run(road.place, LONGEST, 6)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_on_real_pods_it_ends_as_it_must(
    ended: dict[str, conformance.Ended], case: Case, record_property: Callable[[str, object], None]
) -> None:
    record_property(table.REAL_PODS, case.name)
    conformance.check(case, ended[case.name])
