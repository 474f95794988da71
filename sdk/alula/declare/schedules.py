"""When a launch plan starts runs: cron lines in a time zone, or an interval. The rules are the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from alula.declare import options
from alula.interfaces import explained
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    import datetime

    from alula.declare.options import Duration
    from alula_api.contract.schedules import Wrong

Instant: TypeAlias = "datetime.datetime | str"
CATCH_UP = {"none": None, "last": "Last", "all": "All"}
"""What `catch_up` may be, and what stands in the resource for it."""


@explained.explain_options
@dataclass(frozen=True, slots=True, init=False)
class Cron:
    """A schedule: `Cron("0 2 * * *", timezone="Europe/Berlin")`; several lines fire each at their own times.

    Attributes:
        lines: Cron lines of five fields (minute, hour, day of the month, month, day of the week; 0 is Sunday), or
            `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
        timezone: An IANA name; without it UTC.
        starts: Nothing starts before it: a datetime with a zone, or text such as `2026-11-29T02:00:00Z`.
        ends: Nothing starts at or after it.
        jitter: By which a run starts later than its scheduled time at most: a timedelta, seconds or text.
        input: The name of the workflow's input (a datetime, a date or a str) that gets the scheduled time.
        catch_up: What becomes of times that were missed while no controller was there: `none` of them start a run,
            the `last` one does, or `all` do.
        within: For how long a missed time is worth catching up with; a day when absent.
    """

    lines: tuple[str, ...]
    timezone: str | None
    starts: Instant | None
    ends: Instant | None
    jitter: Duration | None
    input: str | None
    catch_up: str
    within: Duration | None

    def __init__(
        self,
        *lines: str,
        timezone: str | None = None,
        starts: Instant | None = None,
        ends: Instant | None = None,
        jitter: Duration | None = None,
        input: str | None = None,
        catch_up: str = "none",
        within: Duration | None = None,
    ) -> None:
        given = (lines, timezone, starts, ends, jitter, input, catch_up, within)
        for name, value in zip(self.__slots__, given, strict=True):
            object.__setattr__(self, name, value)


@explained.explain_options
@dataclass(frozen=True, slots=True)
class Every:
    """A schedule with an interval: `Every("15m")`, counted from `starts`, or from 1970 where there is none.

    Attributes:
        interval: A minute or more: a timedelta, seconds or text such as `1h30m`.
        starts: The first scheduled time; the others follow from it.
        ends: Nothing starts at or after it.
        jitter: By which a run starts later than its scheduled time at most.
        input: The name of the workflow's input (a datetime, a date or a str) that gets the scheduled time.
        catch_up: What becomes of times that were missed while no controller was there: `none`, `last` or `all`.
        within: For how long a missed time is worth catching up with; a day when absent.
    """

    interval: Duration
    starts: Instant | None = None
    ends: Instant | None = None
    jitter: Duration | None = None
    input: str | None = None
    catch_up: str = "none"
    within: Duration | None = None


def problems(schedule: object, source: str, subject: str) -> list[Diagnostic]:
    """Everything that is wrong with a schedule."""
    if not isinstance(schedule, Cron | Every):
        hint = f"write Cron({schedule!r})" if isinstance(schedule, str) else ""
        expected = 'Cron("0 2 * * *", timezone="Europe/Berlin")'
        message = f"the schedule cannot be {schedule!r}"
        return [Diagnostic(Code.BAD_SCHEDULE, message, source, subject, expected, hint)]
    found = [*(_lines(schedule) if isinstance(schedule, Cron) else _interval(schedule)), *_common(schedule)]
    return [Diagnostic(Code.BAD_SCHEDULE, message, source, subject, "", hint) for message, hint in found]


def instant(given: Instant) -> str:
    """The text of an instant in a resource.

    Raises:
        ValueError: It is none, or has no zone.
    """
    import datetime

    from alula_api.contract import timetables

    found: datetime.datetime | None = None
    if isinstance(given, datetime.datetime):
        found = given if given.tzinfo is not None else None
    elif isinstance(given, str):
        found = timetables.moment(given)
    if found is None:
        raise ValueError(f"must be an instant with its zone, got {given!r}")
    return timetables.instant(found)


def _lines(schedule: Cron) -> list[Wrong]:
    from alula_api.contract import schedules
    from alula_api.contract.schedules import Wrong

    found = []
    if not 1 <= len(schedule.lines) <= schedules.MAX_LINES:
        found.append(Wrong(f"a schedule has 1 to {schedules.MAX_LINES} cron lines, got {len(schedule.lines)}"))
    for index, line in enumerate(schedule.lines):
        if line in schedule.lines[:index]:
            found.append(Wrong(f"the cron line {line!r} stands there twice", "drop one of them"))
        wrong = [Wrong("expected a cron line as text", 'write "0 2 * * *"')]
        if isinstance(line, str):
            wrong = schedules.line_problems(line)
        found += [Wrong(f"{line!r}: {message}", hint) for message, hint in wrong]
    zone = None if schedule.timezone is None else schedules.zone_problem(schedule.timezone)
    return [*found, zone] if zone else found


def _interval(schedule: Every) -> list[Wrong]:
    from alula_api.contract import durations, schedules
    from alula_api.contract.schedules import Wrong

    try:
        text = durations.text(options.seconds(schedule.interval))
    except (ValueError, OverflowError) as error:
        return [Wrong(f"the interval {error}, got {schedule.interval!r}", 'write Every("15m")')]
    wrong = schedules.interval_problem(text)
    return [wrong] if wrong else []


def _common(schedule: Cron | Every) -> list[Wrong]:
    """What is wrong with the options that both have."""
    from alula_api.contract import schedules
    from alula_api.contract.schedules import Wrong

    found, moments = [], []
    for name, given in (("starts", schedule.starts), ("ends", schedule.ends)):
        try:
            moments += [instant(given)] if given is not None else []
        except ValueError as error:
            found.append(Wrong(f"{name} {error}", 'write "2026-11-29T02:00:00Z", or a datetime with tzinfo'))
    if len(moments) == 2 and moments[0] >= moments[1]:
        found.append(Wrong(f"starts {moments[0]} must come before ends {moments[1]}", "it would never fire"))
    for name, wait in (("jitter", schedule.jitter), ("within", schedule.within)):
        try:
            if wait is not None and options.seconds(wait) > schedules.MAX_JITTER and name == "jitter":
                found.append(Wrong(f"jitter must be a day or less, got {wait!r}"))
        except (ValueError, OverflowError) as error:
            found.append(Wrong(f"{name} {error}, got {wait!r}"))
    word: Any = schedule.catch_up
    if word not in CATCH_UP:
        hint = did_you_mean(word, CATCH_UP)
        found.append(Wrong(f"catch_up must be 'none', 'last' or 'all', got {word!r}", hint))
    elif word == "none" and schedule.within is not None:
        message = "within says for how long missed times are caught up with, and none are"
        found.append(Wrong(message, 'write catch_up="last"'))
    return found
