"""When schedules fire, on days on which clocks change above all, against an oracle that looks at every minute."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alula_api.contract import schedules, ticks
from alula_api.contract.ticks import Timetable

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "Australia/Lord_Howe",
    "Africa/Casablanca", "Antarctica/Troll", "Asia/Tehran", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Chatham",
)  # fmt: skip
LINES = (
    "30 2 * * *", "0 0 * * *", "15 1 * * *", "*/20 * * * *", "0 */2 * * *", "45 0,1,2,3 * * sun", "0 3 29 2 *",
    "59 23 31 12 *", "10 2 1-7 * *", "0 12 1,15 * mon",
)  # fmt: skip


def first(timetable: Timetable, moment: datetime, count: int) -> list[datetime]:
    return list(itertools.islice(ticks.after(timetable, moment), count))


def shown(timetable: Timetable, day: str, count: int = 3) -> list[str]:
    """Ticks from the beginning of a day in the timetable's zone, as wall times there."""
    zone = ZoneInfo(timetable.zone)
    begin = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC)
    found = first(timetable, begin, count)
    return [f"{tick.astimezone(zone):%m-%d %H:%M}" for tick in found]


ODD_DAYS = {
    "a time that does not exist": (
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-28",
        "03-28 02:30, 03-29 03:00, 03-30 02:30",
    ),
    "a time that comes twice": ("30 2 * * *", "Europe/Berlin", "2026-10-24", "10-24 02:30, 10-25 02:30, 10-26 02:30"),
    "no midnight in Chile": ("0 0 * * *", "America/Santiago", "2026-09-05", "09-06 01:00, 09-07 00:00, 09-08 00:00"),
    "no midnight in Brazil": ("0 0 * * *", "America/Sao_Paulo", "2018-11-03", "11-04 01:00, 11-05 00:00, 11-06 00:00"),
    "half an hour": ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04", "04-04 01:45, 04-05 01:45, 04-06 01:45"),
    "after half an hour": ("0 */2 * * *", "Australia/Lord_Howe", "2026-04-05", "04-05 02:00, 04-05 04:00, 04-05 06:00"),
    "a day that did not exist": ("0 9 * * *", "Pacific/Apia", "2011-12-28", "12-28 09:00, 12-29 09:00, 12-31 00:00"),
    "hours by the clock": ("0 */1 * * *", "Europe/Berlin", "2026-03-29", "03-29 01:00, 03-29 03:00, 03-29 04:00"),
    "minutes by the clock": ("*/30 2 * * *", "Europe/Berlin", "2026-10-25", "10-25 02:00, 10-25 02:30, 10-25 02:00"),
    "a leap day": ("0 3 29 2 *", "UTC", "2096-03-01", "02-29 03:00, 02-29 03:00, 02-29 03:00"),
    "either day": ("0 12 1,15 * mon", "UTC", "2026-11-01", "11-01 12:00, 11-02 12:00, 11-09 12:00"),
}


@pytest.mark.parametrize("name", ODD_DAYS)
def test_odd_days(name: str) -> None:
    line, zone, day, expected = ODD_DAYS[name]
    assert ", ".join(shown(Timetable((line,), zone), day)) == expected


def transitions(zone: str) -> Iterator[datetime]:
    """The hours of ten years in which the clocks of a zone change."""
    moment, end = datetime(2018, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    before = moment.astimezone(ZoneInfo(zone)).utcoffset()
    while moment < end:
        moment += timedelta(hours=1)
        offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
        if offset != before:
            yield moment
        before = offset


def expected(line: str, zone: str, begin: datetime, end: datetime) -> list[datetime]:
    """What the cron of Debian does, minute by minute: the oracle."""
    fields = line.split()
    wanted = reading(line)
    goes_by_the_clock = fields[0].startswith("*") or fields[1].startswith("*")
    found, seen, missed = [], set(), False
    moment, last = begin - timedelta(hours=26), None
    while moment <= end:
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if not goes_by_the_clock and last is not None and wall - last > timedelta(minutes=1):
            gap = (last + timedelta(minutes=each) for each in range(1, int((wall - last).total_seconds() // 60)))
            missed = any(wanted(each) for each in gap)
        fires = wanted(wall) or missed
        if fires and (goes_by_the_clock or wall not in seen):
            found.append(moment)
        seen.add(wall)
        missed = False
        moment, last = moment + timedelta(minutes=1), wall
    return [each for each in found if begin < each <= end]


def reading(line: str) -> Callable[[datetime], bool]:
    """Whether a wall time fits a line."""
    says = schedules.fields(line)

    def fits(wall: datetime) -> bool:
        on_day, on_weekday = wall.day in says.days, (wall.weekday() + 1) % 7 in says.weekdays
        both = on_day or on_weekday if says.either_day else on_day and on_weekday
        return wall.minute in says.minutes and wall.hour in says.hours and wall.month in says.months and both

    return fits


@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_of_changing_clocks_fire_as_the_oracle_says(zone: str) -> None:
    changes = list(transitions(zone)) or [datetime(2026, 1, 1, tzinfo=UTC)]
    chosen = random.Random(zone).sample(changes, min(4, len(changes)))
    for change in chosen:
        begin, end = change - timedelta(hours=14), change + timedelta(hours=14)
        for line in LINES:
            found = list(itertools.takewhile(lambda tick: tick <= end, ticks.after(Timetable((line,), zone), begin)))
            assert found == expected(line, zone, begin, end), (zone, line, change)


def test_an_instant_that_several_lines_name_is_one_tick() -> None:
    found = first(Timetable(("0 2 * * *", "@daily", "0 */2 * * *")), datetime(2026, 1, 1, tzinfo=UTC), 3)
    assert [f"{tick:%H:%M}" for tick in found] == ["02:00", "04:00", "06:00"]


def test_there_is_no_tick_before_the_start_and_none_at_the_end() -> None:
    begin = datetime(2026, 1, 10, 2, tzinfo=UTC)
    timetable = Timetable(("0 2 * * *",), starts=begin, ends=begin + timedelta(days=2))
    found = list(ticks.after(timetable, datetime(2020, 1, 1, tzinfo=UTC)))
    assert found == [begin, begin + timedelta(days=1)]
    assert list(ticks.after(timetable, begin)) == [begin + timedelta(days=1)]


def test_jitter_is_bounded_and_the_same_for_everybody_who_asks() -> None:
    timetable = Timetable(("0 2 * * *",), jitter=300)
    found = first(timetable, datetime(2026, 1, 1, tzinfo=UTC), 200)
    delays = [ticks.delay(timetable, "plan", tick) for tick in found]
    assert delays == [ticks.delay(timetable, "plan", tick) for tick in found]
    assert all(timedelta() <= each <= timedelta(seconds=300) for each in delays)
    assert len(set(delays)) > 50
    assert ticks.delay(Timetable(("0 2 * * *",)), "plan", found[0]) == timedelta()


def test_short_forms_are_read_as_what_they_stand_for() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for alias, line in schedules.ALIASES.items():
        assert first(Timetable((alias,)), begin, 3) == first(Timetable((line,)), begin, 3)


def test_a_line_that_never_fires_comes_to_an_end() -> None:
    assert list(ticks.after(Timetable(("0 0 30 2 *",)), datetime(2026, 1, 1, tzinfo=UTC))) == []


def test_an_interval_counts_from_its_start_and_knows_no_clocks() -> None:
    starts = datetime(2026, 3, 28, 12, 0, 7, tzinfo=UTC)
    timetable = Timetable(("@every 7h",), "Europe/Berlin", starts)
    found = first(timetable, datetime(2026, 1, 1, tzinfo=UTC), 5)
    assert found == [starts + number * timedelta(hours=7) for number in range(5)]
    assert first(timetable, found[3], 1) == [found[4]]
    assert first(timetable, found[3] - timedelta(seconds=1), 1) == [found[3]]


def test_an_interval_without_a_start_has_the_same_ticks_at_any_time() -> None:
    begin = datetime(2026, 11, 29, 12, 34, 56, tzinfo=UTC)
    assert first(Timetable(("@every 20s", "0 * * * *")), begin, 2) == [
        datetime(2026, 11, 29, 12, 35, 0, tzinfo=UTC),
        datetime(2026, 11, 29, 12, 35, 20, tzinfo=UTC),
    ]
