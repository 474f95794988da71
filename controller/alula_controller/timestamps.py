"""Times as the API server and Argo write them. The clock itself is read at the edges and passed on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def now() -> datetime:
    """The clock: called by gatherers and loops, never by what decides."""
    return datetime.now(UTC)


def seconds(moment: datetime) -> str:
    """`2026-11-22T12:40:00Z`: conditions, nodes, events."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_epoch(moment: float) -> str:
    """The same of seconds since the epoch."""
    return seconds(datetime.fromtimestamp(moment, UTC))


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


def age(body: Mapping[str, Any]) -> float | None:
    """Seconds since an object was created; None where it does not say when."""
    created = parse(str(body["metadata"].get("creationTimestamp") or ""))
    return None if created is None else max(0.0, (now() - created).total_seconds())
