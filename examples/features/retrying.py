"""Retries with backoff, a timeout, resources, environment and a secret."""

from __future__ import annotations

from alula import Backoff, NonRecoverable, Resources, Retries, Secret, task, workflow


@task(
    retries=Retries(3, Backoff("10s", factor=2, cap="5m")),
    timeout="15m",
    resources=Resources(cpu=("500m", "2"), memory="1Gi"),
    environment={"REGION": "eu-central"},
    secrets=[Secret("API_TOKEN", "weather-api", key="token")],
)
def fetch(station: str) -> float:
    """Ask a service that is not always there."""
    if station == "":
        raise NonRecoverable("a station must have a name")  # fails at once, whatever `retries` says
    return 21.5


@workflow
def temperature(station: str = "Palmer") -> float:
    """One measurement."""
    return fetch(station)
