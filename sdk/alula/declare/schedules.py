"""When a launch plan starts runs: cron lines in a time zone, checked here as the engine would read them.

The engine is Argo's CronWorkflow (robfig/cron, five fields); what it would refuse, or never fire, is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alula.interfaces import callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, closest

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MOST_LINES = 20
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
_PART = re.compile(r"(?:(\*|\?)|(\w+)(?:-(\w+))?)(?:/(\w+))?")


@callee.explain_options
@dataclass(frozen=True, slots=True, init=False)
class Cron:
    """A schedule: `Cron("0 2 * * *", timezone="Europe/Berlin")`; several lines fire each at their own times.

    Attributes:
        lines: Cron lines of five fields (minute, hour, day of the month, month, day of the week; 0 is Sunday), or
            `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
        timezone: An IANA name; without it UTC.
    """

    lines: tuple[str, ...]
    timezone: str | None

    def __init__(self, *lines: str, timezone: str | None = None) -> None:
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "timezone", timezone)


def problems(schedule: object, source: str, subject: str) -> list[Diagnostic]:
    """Everything that is wrong with a schedule."""
    if not isinstance(schedule, Cron):
        hint = f"write Cron({schedule!r})" if isinstance(schedule, str) else ""
        expected = 'Cron("0 2 * * *", timezone="Europe/Berlin")'
        message = f"the schedule cannot be {schedule!r}"
        return [Diagnostic(Code.BAD_SCHEDULE, message, source, subject, expected, hint)]
    found: list[tuple[str, str]] = []
    if not 1 <= len(schedule.lines) <= MOST_LINES:
        found.append((f"a schedule has 1 to {MOST_LINES} cron lines, got {len(schedule.lines)}", ""))
    for index, line in enumerate(schedule.lines):
        if line in schedule.lines[:index]:
            found.append((f"the cron line {line!r} stands there twice", "drop one of them"))
        found += [(f"{line!r}: {message}", hint) for message, hint in _line(line)]
    found += _timezone(schedule.timezone)
    return [Diagnostic(Code.BAD_SCHEDULE, message, source, subject, "", hint) for message, hint in found]


def _line(line: object) -> list[tuple[str, str]]:
    if not isinstance(line, str):
        return [("expected a cron line as text", 'write "0 2 * * *"')]
    if line != line.strip():
        return [("a cron line must not begin or end with spaces", f"write {line.strip()!r}")]
    if line.startswith("@"):
        if line in ALIASES:
            return []
        if line.startswith("@every"):
            return [("an interval has no fixed times", 'write it as a cron line: "*/15 * * * *" is every quarter hour')]
        near = closest(line, ALIASES)
        return [(f"there is no {line}", f"did you mean {near}?" if near else f"there are {', '.join(ALIASES)}")]
    if line.startswith(("TZ=", "CRON_TZ=")):
        return [("the time zone does not belong into the line", 'write Cron("...", timezone="Europe/Berlin")')]
    fields = line.split()
    if len(fields) != 5:
        hint = "there is no field for seconds" if len(fields) == 6 else "minute, hour, day, month, day of the week"
        return [(f"a cron line has 5 fields, got {len(fields)}", hint)]
    found: list[tuple[str, str]] = []
    values: list[set[int]] = []
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        numbers: set[int] = set()
        for part in text.split(","):
            got = _part(part, low, high, names)
            if isinstance(got, str):
                found.append((f"the {name} {part!r} {got}", _day_hint(part, name)))
            else:
                numbers |= got
        values.append(numbers)
    if not found and fields[4] in {"*", "?"} and not _occurs(values[2], values[3]):
        found.append(("no month has such a day", "it would never fire"))
    return found


def _part(part: str, low: int, high: int, names: tuple[str, ...]) -> set[int] | str:
    """The numbers of one part of a field, or what is wrong with it."""
    match = _PART.fullmatch(part)
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


def _day_hint(part: str, name: str) -> str:
    return "Sunday is 0" if name == "day of the week" and "7" in part else ""


def _occurs(days: set[int], months: set[int]) -> bool:
    return any(day <= _LONGEST[month - 1] for month in months for day in days)


def _timezone(name: object) -> list[tuple[str, str]]:
    if name is None:
        return []
    import zoneinfo

    if isinstance(name, str) and name and name != "Local":
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return []
    known = zoneinfo.available_timezones()
    if not known:  # a machine without a time zone database cannot judge; the cluster will
        return (
            [] if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_+/-]+", name) else [(f"{name!r} is no zone", "")]
        )
    near = closest(name, sorted(known)) if isinstance(name, str) else None
    return [
        (f"there is no time zone {name!r}", f"did you mean {near!r}?" if near else 'an IANA name, as "Europe/Berlin"')
    ]
