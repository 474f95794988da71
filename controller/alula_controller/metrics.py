"""The controller's metrics: every name with its sentence, in one registry that `probing` serves at /metrics.

None carries a run's or an object's name as a label, so their number is bounded.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

RECONCILES = Counter(
    "alula_reconcile",
    "Objects worked on, by kind and result (ok, conflict, error).",
    ["kind", "result"],
    registry=REGISTRY,
)
RECONCILE_SECONDS = Histogram(
    "alula_reconcile_duration_seconds",
    "How long one object took, by kind.",
    ["kind"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
WRITES = Counter(
    "alula_writes", "Objects written to the cluster, by kind and verb.", ["kind", "verb"], registry=REGISTRY
)
API_REQUESTS = Counter(
    "alula_api_requests", "Requests to the API server, by verb and status code.", ["verb", "code"], registry=REGISTRY
)
WATCH_RESTARTS = Counter(
    "alula_watch_restarts", "Watches that began anew, by what they watch.", ["watch"], registry=REGISTRY
)
QUEUE_DEPTH = Gauge("alula_queue_depth", "Objects that wait to be worked on, by queue.", ["queue"], registry=REGISTRY)
RUNS_ADMITTED = Counter("alula_runs_admitted", "Runs let through their first node.", registry=REGISTRY)
RUNS_REFUSED = Counter("alula_runs_refused", "Runs failed before any pod, by reason.", ["reason"], registry=REGISTRY)
RUNS_RESTARTED = Counter("alula_runs_restarted", "Runs started again for lost data.", registry=REGISTRY)
NODES_FILLED = Counter(
    "alula_nodes_filled", "Tasks finished from the cache without a pod, at admission.", registry=REGISTRY
)
CACHE_LOOKUPS = Counter(
    "alula_cache_lookups",
    "Lookups of the cache index at admission, by result (hit, miss, error).",
    ["result"],
    registry=REGISTRY,
)
FILL_SECONDS = Histogram(
    "alula_fill_duration_seconds", "How long the lookups of one run took.", buckets=_SECONDS, registry=REGISTRY
)
EVENTS_DROPPED = Counter(
    "alula_events_dropped", "Events that were not posted, over the rate or refused.", registry=REGISTRY
)
LEADER = Gauge("alula_leader", "1 while this replica holds the Lease.", registry=REGISTRY)
BUILD_INFO = Gauge("alula_build_info", "1, with the version of the controller.", ["version"], registry=REGISTRY)

ALL = (
    RECONCILES,
    RECONCILE_SECONDS,
    WRITES,
    API_REQUESTS,
    WATCH_RESTARTS,
    QUEUE_DEPTH,
    RUNS_ADMITTED,
    RUNS_REFUSED,
    RUNS_RESTARTED,
    NODES_FILLED,
    CACHE_LOOKUPS,
    FILL_SECONDS,
    EVENTS_DROPPED,
    LEADER,
    BUILD_INFO,
)


def render() -> bytes:
    """The exposition text."""
    return generate_latest(REGISTRY)
