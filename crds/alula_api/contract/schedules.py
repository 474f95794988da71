"""When a launch plan starts runs: cron lines of five fields, intervals, and time zones.

Used by the decorators, the compiler and the controller, so that all of them refuse the same in the same words. What
would never fire is refused here.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from alula_api.contract import durations
from alula_api.contract.diagnostics import did_you_mean

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MAX_LINES: Final = 20
LEAST_INTERVAL: Final = 60
"""Seconds of the shortest interval, unless the installation says otherwise: what starts oftener is a stream."""
MAX_INTERVAL: Final = 366 * 86_400
MAX_JITTER: Final = 86_400
_EVERY = "@every "
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_PART = r"(?:(\*|\?)|(\w+)(?:-(\w+))?)(?:/(\w+))?"


class Wrong(NamedTuple):
    """What is wrong, and the nearest fix."""

    message: str
    hint: str = ""


class Fields(NamedTuple):
    """What a cron line says."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either_day: bool
    """Both kinds of days are named: one of them suffices."""
    by_the_clock: bool
    """It goes by the wall clock even where that comes twice or skips: it names no fixed time."""


def fields(line: str) -> Fields:
    """Return what a line says that has no problems."""
    texts = ALIASES.get(line, line).split()
    values = []
    for text, (_, low, high, names) in zip(texts, _FIELDS, strict=True):
        parts = [_part(part, low, high, names) for part in text.split(",")]
        values.append(frozenset[int]().union(*(part for part in parts if not isinstance(part, str))))
    either = texts[2][0] not in "*?" and texts[4][0] not in "*?"
    minutes, hours, days, months, weekdays = values
    return Fields(minutes, hours, days, months, weekdays, either, "*" in (texts[0][0], texts[1][0]))


def every(seconds: int) -> str:
    """Return an interval as a line beside cron lines."""
    return f"{_EVERY}{durations.text(seconds)}"


def interval(line: str) -> int | None:
    """Return the seconds of a line that is an interval, None for a cron line."""
    return round(durations.seconds(line.removeprefix(_EVERY))) if line.startswith(_EVERY) else None


def interval_problem(text: str, least: int = LEAST_INTERVAL) -> Wrong | None:
    """Return what is wrong with an interval such as `15m`."""
    try:
        seconds = durations.seconds(text)
    except ValueError as error:
        return Wrong(f"the interval {error}")
    if seconds != int(seconds):
        return Wrong(f"the interval {text!r} must be whole seconds")
    if not least <= seconds <= MAX_INTERVAL:
        return Wrong(
            f"the interval {text!r} must lie between {durations.text(least)} and {MAX_INTERVAL // 86_400} days"
        )
    return None


def line_problems(line: str) -> list[Wrong]:
    """Return everything that is wrong with a cron line."""
    if line != line.strip():
        return [Wrong("a cron line must not begin or end with spaces", f"write {line.strip()!r}")]
    if line.startswith("@"):
        return _alias(line)
    if line.startswith(("TZ=", "CRON_TZ=")):
        return [Wrong("the time zone does not belong into the line", 'write Cron("...", timezone="Europe/Berlin")')]
    fields = line.split()
    if len(fields) != 5:
        hint = "there is no field for seconds" if len(fields) == 6 else "minute, hour, day, month, day of the week"
        return [Wrong(f"a cron line has 5 fields, got {len(fields)}", hint)]
    found: list[Wrong] = []
    values: list[set[int]] = []
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        numbers: set[int] = set()
        for part in text.split(","):
            got = _part(part, low, high, names)
            if isinstance(got, str):
                hint = "Sunday is 0" if name == "day of the week" and "7" in part else ""
                found.append(Wrong(f"the {name} {part!r} {got}", hint))
            else:
                numbers |= got
        values.append(numbers)
    if not found and fields[4] in {"*", "?"} and not _occurs(values[2], values[3]):
        found.append(Wrong("no month has such a day", "it would never fire"))
    return found


def zone_problem(name: object) -> Wrong | None:
    """Return what is wrong with the name of a time zone: IANA's, whatever lies on this machine."""
    from alula_api.contract.zone_names import NAMES

    known = NAMES.split()
    if name in known:
        return None
    return Wrong(f"there is no time zone {name!r}", did_you_mean(name, known, _IANA))


_IANA = 'an IANA name, as "Europe/Berlin"'


def _alias(line: str) -> list[Wrong]:
    if line in ALIASES:
        return []
    if line.startswith("@every"):
        return [Wrong("an interval is no cron line", 'write every: 15m in a resource, Every("15m") in Python')]
    return [Wrong(f"there is no {line}", did_you_mean(line, ALIASES, f"there are {', '.join(ALIASES)}", str))]


def _part(part: str, low: int, high: int, names: tuple[str, ...]) -> set[int] | str:
    """The numbers of one part of a field, or what is wrong with it."""
    match = re.fullmatch(_PART, part)
    if match is None:
        return "must be a number, a range 1-5, a step */15, or a list of these"
    star, first, last, step_text = match.groups()
    allowed = f"must lie between {low} and {high}"
    start = low if star else _number(first, low, names)
    if start is None:
        return f"{allowed}, or be one of {', '.join(names)}" if names else allowed
    end = high if star or (step_text and last is None) else start if last is None else _number(last, low, names)
    step = 1 if step_text is None else _number(step_text, low, ())
    if end is None or not low <= start <= high or not low <= end <= high:
        return allowed
    if start > end:
        return "must begin below its end"
    if not step:
        return "must have a step of 1 or more"
    return set(range(start, end + 1, step))


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    return names.index(text.lower()) + low if text.lower() in names else None


def _occurs(days: set[int], months: set[int]) -> bool:
    return any(day <= _LONGEST[month - 1] for month in months for day in days)
