"""Measure every file of a batch, as many as the day has brought, and report on all of them."""

from dataclasses import dataclass

from alula import map_task, task, workflow


@dataclass
class Reading:
    """What one station said."""

    station: str
    degrees: float


@task(cache=True)
def stations(day: str, count: int) -> list[str]:
    """List the stations that reported on a day."""
    return [f"{day}-{number}" for number in range(count)]


@task(cache=True, retries=2)
def measure(station: str, offset: float = 0.0) -> Reading:
    """Read one station."""
    return Reading(station, len(station) + offset)


@task(cache=True)
def mean(readings: list[Reading]) -> float:
    """Average what all stations said; 0 where there are none."""
    return sum(reading.degrees for reading in readings) / max(len(readings), 1)


@workflow
def report(day: str = "monday", count: int = 4, offset: float = 0.5) -> float:
    """Measure each station of a day and average them."""
    return mean(map_task(measure)(stations(day, count), offset=offset))


@task(cache=True)
def correct(reading: Reading, offset: float) -> float:
    """Take out what the station is known to be off by."""
    return reading.degrees - offset


@task
def middle(degrees: list[float | None]) -> float:
    """Average what is there; a station that could not be read is None."""
    known = [each for each in degrees if each is not None]
    return sum(known) / max(len(known), 1)


@workflow
def station(name: str, offset: float) -> float:
    """Read and correct one station."""
    return correct(measure(name, offset), offset)


@workflow
def survey(day: str = "monday", count: int = 4) -> float:
    """Run a workflow for each station, ten at a time, of which one in ten may fail."""
    return middle(map_task(station, concurrency=10, min_success_ratio=0.9)(stations(day, count), offset=0.5))
