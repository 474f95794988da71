"""What a launch plan asks of the scheduler, as the compiler writes it beside its template and the controller reads it.

The compiler has checked it; what is read is checked again as far as reading it needs, because a template may be
written by others too.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alula_api.contract import durations, jsontext, schedules
from alula_api.contract.graphs import json_fields
from alula_api.contract.problems import InvalidValue

MOST_TEXT: Final = 4_000
"""Characters of a schedule as text: 20 lines of 128 characters and the rest."""


class CatchUp(StrEnum):
    """What becomes of ticks that were missed while no controller was there."""

    NONE = "None"
    LAST = "Last"
    ALL = "All"


class Form(StrEnum):
    """What an input takes of a tick: the families of types that the scheduled time fits into."""

    DATETIME = "datetime"
    DATE = "date"
    TEXT = "string"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a plan starts runs, and what they get of it.

    Attributes:
        lines: Cron lines, and intervals such as `@every 15m`.
        zone: IANA's name; UTC when empty.
        starts: The instant before which there is no tick, and from which intervals count; empty for none.
        ends: The instant at and after which there is none; empty for none.
        jitter: Seconds by which a run starts later than its tick at most.
        catch_up: A `CatchUp`; none when empty.
        within: Seconds for which a missed tick is worth catching up with; a day when None.
        input: The input that gets the tick; empty for none.
        form: A `Form` of that input.
        suspended: The plan fires nothing.
    """

    lines: tuple[str, ...] = ()
    zone: str = ""
    starts: str = ""
    ends: str = ""
    jitter: int = 0
    catch_up: str = ""
    within: int | None = None
    input: str = ""
    form: str = ""
    suspended: bool = False

    def to_text(self) -> str:
        """As it stands in an annotation; empty without a line."""
        return jsontext.dumps_sorted(json_fields.to_json(self)) if self.lines else ""

    @classmethod
    def from_text(cls, text: str) -> Schedule | None:
        """Read what `to_text` wrote; None for no schedule, and for what is none."""
        try:
            found = json_fields.from_json(cls, jsontext.parse(text)) if 0 < len(text) <= MOST_TEXT else None
        except InvalidValue:
            return None
        return found if found is not None and _sound(found) else None


def _sound(found: Schedule) -> bool:
    """Whether ticks can be computed of it."""
    if not 1 <= len(found.lines) <= schedules.MAX_LINES + 1:
        return False
    for line in found.lines:
        wrong = schedules.interval_problem(line[7:], 1) if line.startswith("@every ") else schedules.line_problems(line)
        if wrong:
            return False
    words = found.catch_up in ("", *CatchUp) and (found.form in tuple(Form) if found.input else True)
    moments = all(not text or moment(text) is not None for text in (found.starts, found.ends))
    zone = not found.zone or schedules.zone_problem(found.zone) is None
    return words and moments and zone and 0 <= found.jitter <= schedules.MAX_JITTER and (found.within or 0) >= 0


def moment(text: str) -> datetime.datetime | None:
    """Return the instant of a text such as `2026-11-29T02:00:00Z`; None for what is none, or has no offset."""
    try:
        found = datetime.datetime.fromisoformat(text)
        return found.astimezone(datetime.UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def instant(found: datetime.datetime) -> str:
    """Return the one text of an instant, to the second, in UTC."""
    return found.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def value(schedule: Schedule, tick: datetime.datetime) -> str:
    """Return the JSON text of what the schedule's input gets: the instant, or the day on which it falls in its zone."""
    from zoneinfo import ZoneInfo

    if schedule.form == Form.DATE:
        return json.dumps(tick.astimezone(ZoneInfo(schedule.zone or "UTC")).date().isoformat())
    return json.dumps(instant(tick))


def span(text: str) -> int:
    """Return the whole seconds of a duration, none lost."""
    return -int(-durations.seconds(text) // 1)
