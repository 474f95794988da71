"""What there is at the moment, as metrics: conditions of definitions, each domain's runs and quota, delayed schedules.

They are made at each scrape from what the controller remembers anyway, so a series goes with its object. `process`
registers one; the reconciler of definitions hands it what it read and wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from alula_controller import conditions, metrics, timestamps
from alula_controller.admission.reconcile import waiting
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.definitions.world import Body


@dataclass(frozen=True)
class _Definition:
    """What is said of one definition: the status of each condition, and whether it is suspended."""

    conditions: Mapping[str, str]
    suspended: bool


class Inventory(Collector):
    """Everything that the acting replica knows, and nothing where another one acts.

    Args:
        runs: runs under way.
        overdue: since when the schedule that waits for longest has been due; None when none is.
        acting: whether this replica acts.
        now: the wall clock.
    """

    def __init__(
        self,
        runs: Callable[[], Iterable[Seen]],
        overdue: Callable[[datetime], datetime | None],
        acting: Callable[[], bool],
        now: Callable[[], datetime] = timestamps.now,
    ) -> None:
        self._runs = runs
        self._overdue = overdue
        self._acting = acting
        self._now = now
        self._definitions: dict[QueueKey, _Definition] = {}
        self._quotas: dict[str, int] = {}

    def clear(self) -> None:
        """Forget everything: another replica acts, or this one begins to."""
        self._definitions.clear()
        self._quotas.clear()

    def saw(self, key: QueueKey, body: Body | None, status: Mapping[str, Any] | None = None) -> None:
        """Remember a definition as it was read, with the status that was written since; None: it is gone."""
        if body is None:
            self._gone(key)
            return
        told = (status or body.get("status") or {}).get("conditions") or ()
        found = {str(each.get("type")): str(each.get("status")) for each in told}
        ready = conditions.ready({"status": {"conditions": told}}) or {}
        self._definitions[key] = _Definition(found, ready.get("reason") == Reason.SUSPENDED)
        if key.kind == "Domain":
            running = ((body.get("spec") or {}).get("quota") or {}).get("running")
            if isinstance(running, int):
                self._quotas[key.namespace] = running
            else:
                self._quotas.pop(key.namespace, None)

    def _gone(self, key: QueueKey) -> None:
        self._definitions.pop(key, None)
        if key.kind == "Domain":
            self._quotas.pop(key.namespace, None)
            metrics.forget(key.namespace)
        elif key.kind == "LaunchPlan":
            metrics.forget(key.namespace, key.name)

    def collect(self) -> Iterator[Metric]:
        """All families; those without a series too, so that a query finds their names."""
        acting = self._acting()
        condition = GaugeMetricFamily(*metrics.CONDITION.named, labels=metrics.CONDITION.labels)
        suspended = GaugeMetricFamily(*metrics.SUSPENDED.named, labels=metrics.SUSPENDED.labels)
        for key, found in self._definitions.items() if acting else ():
            for type_, status in found.conditions.items():
                condition.add_metric([key.kind, key.namespace, key.name, type_, status], 1)
            if key.kind == "LaunchPlan":
                suspended.add_metric([key.kind, key.namespace, key.name], float(found.suspended))
        yield condition
        yield suspended
        yield from self._of_domains(acting)
        overdue = GaugeMetricFamily(*metrics.SCHEDULE_OVERDUE.named)
        since = self._overdue(self._now()) if acting else None
        overdue.add_metric([], self._seconds(since) if since is not None else 0.0)
        yield overdue

    def _of_domains(self, acting: bool) -> Iterator[Metric]:
        counts: Counter[tuple[str, str]] = Counter()
        oldest: dict[str, str] = {}
        for seen in self._runs() if acting else ():
            held = waiting(seen)
            counts[seen.namespace, "waiting" if held else "running"] += 1
            if held:
                oldest[seen.namespace] = min(seen.created, oldest.get(seen.namespace, seen.created))
        runs = GaugeMetricFamily(*metrics.DOMAIN_RUNS.named, labels=metrics.DOMAIN_RUNS.labels)
        spaces = {key.namespace for key in self._definitions if key.kind == "Domain"} | {space for space, _ in counts}
        for space in sorted(spaces) if acting else ():
            for state in ("running", "waiting"):
                runs.add_metric([space, state], counts[space, state])
        quota = GaugeMetricFamily(*metrics.DOMAIN_QUOTA.named, labels=metrics.DOMAIN_QUOTA.labels)
        for space, running in self._quotas.items() if acting else ():
            quota.add_metric([space], running)
        longest = GaugeMetricFamily(*metrics.DOMAIN_OLDEST.named, labels=metrics.DOMAIN_OLDEST.labels)
        for space, created in oldest.items():
            since = timestamps.parse(created)
            if since is not None:
                longest.add_metric([space], self._seconds(since))
        yield from (runs, quota, longest)

    def _seconds(self, since: datetime) -> float:
        return max(0.0, (self._now() - since).total_seconds())
