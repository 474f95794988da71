"""The instants at which a schedule fires. Pure: no clock; the time zones are those of the Python installation.

On the days when clocks change it does what the cron of Debian does: a fixed time that does not exist is made up for at
the first one that does, a fixed time that comes twice fires once, and what runs every so many minutes or hours goes by
the wall clock. (cronsim does the same, but loses the first wall time after a change of half an hour, as on Lord Howe:
`tests/contract/test_cronsim.py` compares both with the oracle.) An interval counts from the timetable's
start, or from 1970, and knows no clocks.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from alula_api.contract import schedules, timetables
from alula_api.contract.schedules import Fields
from alula_api.contract.timetables import Schedule

MAX_YEARS = 9  # between two 29ths of February around a year such as 2100
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Timetable:
    """What a schedule says, checked by the contract's rules.

    Attributes:
        lines: Cron lines, and intervals such as `@every 15m`. An instant that several of them name is one tick.
        zone: IANA's name of the time zone that they are read in.
        starts: There is no tick before it.
        ends: There is no tick at or after it.
        jitter: Seconds by which a tick's run starts later at most; how much, follows from the plan and the tick.
    """

    lines: tuple[str, ...]
    zone: str = "UTC"
    starts: datetime | None = None
    ends: datetime | None = None
    jitter: int = 0

    @classmethod
    def of(cls, schedule: Schedule) -> Timetable:
        """The times of a schedule."""
        starts, ends = timetables.moment(schedule.starts), timetables.moment(schedule.ends)
        return cls(schedule.lines, schedule.zone or "UTC", starts, ends, schedule.jitter)

    def digest(self) -> str:
        """What changes when the ticks may: eight hexadecimal digits."""
        parts = (self.lines, self.zone, str(self.starts), str(self.ends), self.jitter)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]


def after(timetable: Timetable, moment: datetime) -> Iterator[datetime]:
    """The ticks after `moment`, in their order, in UTC; without end unless the timetable has one."""
    if timetable.starts is not None:
        moment = max(moment, timetable.starts - timedelta(microseconds=1))
    walks = (_ticks(line, timetable, moment) for line in dict.fromkeys(timetable.lines))
    for tick, _ in groupby(heapq.merge(*walks)):
        if timetable.ends is not None and tick >= timetable.ends:
            return
        if tick > moment:
            yield tick


def delay(timetable: Timetable, plan: str, tick: datetime) -> timedelta:
    """How much later than the tick its run starts: the same for everybody who asks, between zero and the jitter."""
    if not timetable.jitter:
        return timedelta()
    digest = hashlib.sha256(f"{plan} {tick.timestamp():.0f}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % (timetable.jitter + 1))


def _ticks(line: str, timetable: Timetable, moment: datetime) -> Iterator[datetime]:
    seconds = schedules.interval(line)
    if seconds is None:
        return _walk(_fields(line), timetable.zone, moment)
    return _steps(timetable.starts or _EPOCH, timedelta(seconds=seconds), moment)


@lru_cache(maxsize=4096)
def _fields(line: str) -> Fields:
    return schedules.fields(line)


def _steps(anchor: datetime, step: timedelta, moment: datetime) -> Iterator[datetime]:
    """The instants of an interval from `moment` on."""
    number = max(0, (moment - anchor) // step)
    while True:
        yield anchor + number * step
        number += 1


def _walk(fields: Fields, zone: str, moment: datetime) -> Iterator[datetime]:
    """The instants of one line from about a day before `moment`, in their order, each once."""
    day = (moment.astimezone(ZoneInfo(zone)) - timedelta(days=1)).date()
    last = day.year + MAX_YEARS
    pending: set[datetime] = set()
    while day.year <= last:
        if _on(fields, day):
            pending.update(_of_day(fields, zone, day))
        day += timedelta(days=1)
        if pending:
            # A time that does not exist may be made up for on a later day, never before it begins.
            over = {found for found in pending if found < _first(datetime.combine(day, time()), zone)}
            pending -= over
            last = max(last, day.year + MAX_YEARS) if over else last
            yield from sorted(over)


@lru_cache(maxsize=256)
def _of_day(fields: Fields, zone: str, day: date) -> frozenset[datetime]:
    """The instants of a day's wall times; what fires often asks for the same day again and again."""
    walls = _walls(fields, day)
    return frozenset(found for wall in walls for found in _instants(wall, zone, fields.by_the_clock))


def _on(fields: Fields, day: date) -> bool:
    if day.month not in fields.months:
        return False
    on_day, on_weekday = day.day in fields.days, day.isoweekday() % 7 in fields.weekdays
    return on_day or on_weekday if fields.either_day else on_day and on_weekday


def _walls(fields: Fields, day: date) -> Iterator[datetime]:
    for hour in fields.hours:
        for minute in fields.minutes:
            yield datetime.combine(day, time(hour, minute))


def _instants(wall: datetime, zone: str, by_the_clock: bool) -> list[datetime]:
    """The instants of a wall time: two where it comes and counts twice; none, or the next, where it does not come."""
    first, second = _utc(wall, zone, 0), _utc(wall, zone, 1)
    if first == second:
        return [first]
    if first < second:  # it comes twice
        return [first, second] if by_the_clock else [first]
    return [] if by_the_clock else [_change(second, first, zone)]


def _first(wall: datetime, zone: str) -> datetime:
    """The first instant at which clocks show this time or a later one."""
    first, second = _utc(wall, zone, 0), _utc(wall, zone, 1)
    return first if first <= second else _change(second, first, zone)


def _utc(wall: datetime, zone: str, fold: int) -> datetime:
    return wall.replace(tzinfo=_zone(zone), fold=fold).astimezone(UTC)


@lru_cache(maxsize=4096)
def _change(before: datetime, after: datetime, zone: str) -> datetime:
    """The minute between two instants at which the clocks of a zone change."""
    offset = before.astimezone(_zone(zone)).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) // 2 // _MINUTE * _MINUTE
        if middle.astimezone(_zone(zone)).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)  # it remembers them
