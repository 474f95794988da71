"""Durations as text: Go's form (`1h30m`) in resources and for Argo, ISO 8601 (`PT1H30M`) for values."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime

MAX_TIMEOUT: Final = 366 * 86_400
"""Seconds of the longest timeout of an attempt. A pod with more than 68 years is refused, when the run has begun."""
_GO = r"(?:[0-9]+(?:\.[0-9]+)?(?:d|h|ms|m|s))+"
_GO_PART = r"([0-9]+(?:\.[0-9]+)?)(d|h|ms|m|s)"
_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_ISO = (
    r"(-)?P(?=[0-9T])(?:([0-9]{1,10})W)?(?:([0-9]{1,10})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,12})H)?(?:([0-9]{1,14})M)?(?:([0-9]{1,16})(?:[.,]([0-9]{1,6})0*)?S)?)?"
)


def seconds(text: str) -> float:
    """Return the seconds of a text such as `90s`, `10m`, `1h30m`, `1.5h`, `500ms` or `2d`.

    Raises:
        ValueError: Names the text and the form that is expected.
    """
    if len(text) > 50 or not re.fullmatch(_GO, text):
        raise ValueError(f"{text!r} must be a duration such as 90s, 10m or 1h30m")
    total = sum(float(number) * _MILLISECONDS[unit] for number, unit in re.findall(_GO_PART, text))
    return total / 1_000


def text(seconds: float) -> str:
    """Return the one text of a duration, to the millisecond: `1h30m`, `1m30s` for 90 seconds, `0s`."""
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{seconds} seconds must be zero or more, and finite")
    rest = round(seconds * 1_000)
    written = ""
    for unit in ("h", "m", "s", "ms"):
        count, rest = divmod(rest, _MILLISECONDS[unit])
        if count:
            written += f"{count}{unit}"
    return written or "0s"


def iso(value: datetime.timedelta) -> str:
    """Return the one ISO 8601 form of a timedelta: `P1DT2H3.5S`, `-PT1S`, `PT0S`."""
    sign = ""
    if value.days < 0:
        sign, value = "-", -value
    minutes, rest = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    date = f"{value.days}D" if value.days else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if value.microseconds:
        time += f"{rest}.{value.microseconds:06d}".rstrip("0") + "S"
    elif rest:
        time += f"{rest}S"
    if not date and not time:
        return "PT0S"
    return f"{sign}P{date}T{time}" if time else f"{sign}P{date}"


def parse_iso(text: str) -> datetime.timedelta:
    """Return the timedelta of an ISO 8601 duration in weeks, days, hours, minutes and seconds.

    Raises:
        ValueError: For other forms; years and months have no fixed length.
    """
    import datetime

    match = re.fullmatch(_ISO, text) if len(text) <= 100 else None
    if match is None:
        raise ValueError("must be a duration such as P1DT2H, PT1H30M or PT3.5S, without years and months")
    sign, weeks, days, hours, minutes, whole, fraction = match.groups()
    try:
        value = datetime.timedelta(
            weeks=int(weeks or 0),
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(whole or 0),
            microseconds=int(f"{fraction or '0':0<6}"),
        )
        return -value if sign else value
    except OverflowError:
        raise ValueError("must be a duration of less than 1,000,000,000 days") from None
