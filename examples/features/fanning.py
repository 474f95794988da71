"""A list of results goes into one task; types beyond the scalars; a schedule with a time zone."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Literal

from alula import Cron, LaunchPlan, task, workflow


class Unit(enum.Enum):
    """How to write a temperature."""

    CELSIUS = "C"
    FAHRENHEIT = "F"


@dataclass
class Reading:
    """One station at one time."""

    station: str
    celsius: float
    at: datetime.datetime


@task(cache=True)
def read(station: str, day: datetime.date) -> Reading:
    """Noon at a station."""
    noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC)
    return Reading(station, 20.0 + len(station), noon)


@task(cache=True)
def warmest(readings: list[Reading], unit: Unit, digits: Literal[0, 1]) -> str:
    """Name the warmest station."""
    found = max(readings, key=lambda reading: reading.celsius)
    degrees = found.celsius if unit is Unit.CELSIUS else found.celsius * 9 / 5 + 32
    return f"{found.station}: {degrees:.{digits}f} °{unit.value}"


@workflow
def report(day: datetime.date = datetime.date(2026, 7, 1), unit: Unit = Unit.CELSIUS, digits: Literal[0, 1] = 1) -> str:
    """Compare three stations.

    Args:
        day: The day to look at.
        unit: How to write the temperature.
        digits: Digits after the point.
    """
    readings = [read(station, day) for station in ("Palmer", "Biscoe", "Torgersen")]
    return warmest(readings, unit, digits)


mornings = LaunchPlan(
    "mornings",
    report,
    inputs={"unit": Unit.FAHRENHEIT},
    fixed_inputs={"digits": 0},
    schedule=Cron("30 6 * * 1-5", timezone="America/New_York"),
)
