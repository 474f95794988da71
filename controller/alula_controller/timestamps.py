"""Times as the API server and Argo write them. The clock itself is read at the edges and passed on."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The clock: called by gatherers and loops, never by what decides."""
    return datetime.now(UTC)


def seconds(moment: datetime) -> str:
    """`2026-11-22T12:40:00Z`: conditions, nodes, events."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(moment: datetime) -> str:
    """`2026-11-22T12:40:00.000000Z`: the Lease."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime | None:
    """The moment that `text` names, or None if it names none."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
