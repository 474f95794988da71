"""A well-kept cron library beside ours and the oracle, on the hours in which clocks change: why we have our own."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from alula_api.contract import ticks
from alula_api.contract.ticks import Timetable
from tests.contract.test_ticks import expected

LINES = ("30 2 * * *", "0 0 * * *", "45 1 * * *", "0 */2 * * *")
CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "America/New_York": ("2026-03-08T07:00Z", "2026-11-01T06:00Z"),
    "America/Santiago": ("2026-09-06T04:00Z", "2026-04-05T03:00Z"),
    "Asia/Beirut": ("2026-03-28T22:00Z", "2026-10-24T21:00Z"),
    "Australia/Lord_Howe": ("2026-10-03T15:30Z", "2026-04-04T15:00Z"),
}


def both(line: str, zone: str, change: str) -> tuple[list[datetime], list[datetime], list[datetime]]:
    """The ticks of a day around a change of clocks: by the oracle, by ours, by cronsim."""
    middle = datetime.fromisoformat(change)
    begin, end = middle - timedelta(hours=12), middle + timedelta(hours=12)
    mine = list(itertools.takewhile(lambda tick: tick <= end, ticks.after(Timetable((line,), zone), begin)))
    walk = (tick.astimezone(UTC) for tick in CronSim(line, begin.astimezone(ZoneInfo(zone))))
    theirs = list(itertools.takewhile(lambda tick: tick <= end, walk))
    return expected(line, zone, begin, end), mine, theirs


@pytest.mark.parametrize("zone", [zone for zone in CHANGES if zone != "Australia/Lord_Howe"])
def test_where_clocks_change_by_an_hour_all_three_agree(zone: str) -> None:
    for change, line in itertools.product(CHANGES[zone], LINES):
        oracle, mine, theirs = both(line, zone, change)
        assert oracle == mine == theirs, (zone, change, line)


def test_where_they_change_by_half_an_hour_cronsim_loses_a_tick_that_the_oracle_and_ours_have() -> None:
    lost = set()
    for change, line in itertools.product(CHANGES["Australia/Lord_Howe"], LINES):
        oracle, mine, theirs = both(line, "Australia/Lord_Howe", change)
        assert mine == oracle
        lost |= {(line, tick) for tick in set(oracle) - set(theirs)}
    assert lost, "it is mended: the scheduler may use the library"
