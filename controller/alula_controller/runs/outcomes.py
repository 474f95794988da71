"""Counts runs that have ended: how, and how long they took. Called by the work queue of ended runs; writes nothing."""

from __future__ import annotations

from alula_api.argo import runs
from alula_api.contract import labels
from alula_controller import metrics, timestamps
from alula_controller.cluster import client, resources
from alula_controller.cluster.queue import QueueKey


class Outcomes:
    """Reads the metadata of a run once more when it is no longer under way."""

    def __init__(self, api: client.Cluster) -> None:
        self._api = api

    async def handle(self, key: QueueKey) -> float | None:
        """Count one run; one that was deleted meanwhile has no end that is known."""
        run = await self._api.find(resources.RUNS.path(key.namespace, key.name), metadata_only=True)
        if run is None or runs.label(run, runs.COMPLETED_LABEL) != "true":
            return None
        outcome = runs.label(run, labels.OUTCOME) or runs.label(run, runs.PHASE_LABEL)
        plan = runs.label(run, labels.LAUNCH_PLAN)
        metrics.RUNS_ENDED.labels(namespace=key.namespace, launch_plan=plan, outcome=outcome).inc()
        if (seconds := timestamps.age(run)) is not None:
            metrics.RUN_SECONDS.labels(namespace=key.namespace).observe(seconds)
        return None
