"""When a launch plan starts runs: cron lines in a time zone. The rules are the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alula.interfaces import callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula_api.contract.schedules import Wrong


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
    return [Diagnostic(Code.BAD_SCHEDULE, message, source, subject, "", hint) for message, hint in _found(schedule)]


def _found(schedule: Cron) -> list[Wrong]:
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
