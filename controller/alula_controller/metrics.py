"""The controller's metrics: every name with its sentence, in one registry that `probing` serves at /metrics.

None carries a run's name as a label. What carries the name of a namespace or of a definition goes with it: `inventory`
makes the gauges of what there is at each scrape, and `forget` removes the others.
"""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_LONG = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 24 * 3600.0, 72 * 3600.0)
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
RUNS_ENDED = Counter(
    "alula_runs",
    "Runs that ended, by namespace, launch plan (empty for none) and outcome (Argo's phase, or skipped or replaced).",
    ["namespace", "launch_plan", "outcome"],
    registry=REGISTRY,
)
RUN_SECONDS = Histogram(
    "alula_run_duration_seconds",
    "From the creation of a run to its end, what it waited included, by namespace.",
    ["namespace"],
    buckets=_LONG,
    registry=REGISTRY,
)
ADMISSION_SECONDS = Histogram(
    "alula_admission_duration_seconds",
    "From the creation of a run until it was let go, what it waited included, by namespace.",
    ["namespace"],
    buckets=(0.25, 0.5, *_LONG),
    registry=REGISTRY,
)
NODES_FILLED = Counter(
    "alula_nodes_filled", "Tasks finished from the cache without a pod, at admission.", registry=REGISTRY
)
CACHE_LOOKUPS = Counter(
    "alula_cache_lookups",
    "Lookups of the cache index at admission, by result (hit, miss, error).",
    ["result"],
    registry=REGISTRY,
)
LOOKUPS_AHEAD = Counter(
    "alula_lookups_ahead",
    "Cached tasks whose keys an earlier run of the same inputs gave, so that they were looked up side by side.",
    registry=REGISTRY,
)
STORES_SILENT = Counter(
    "alula_stores_silent",
    "Times that a domain's store gave no answer, so that its runs go in unfilled for a while.",
    registry=REGISTRY,
)
FILL_SECONDS = Histogram(
    "alula_fill_duration_seconds", "How long the lookups of one run took.", buckets=_SECONDS, registry=REGISTRY
)
SCHEDULED_RUNS = Counter(
    "alula_scheduled_runs",
    "Scheduled times that were decided, by result (started, skipped, missed).",
    ["result"],
    registry=REGISTRY,
)
SCHEDULE_LAG = Histogram(
    "alula_schedule_lag_seconds",
    "How long after its scheduled time, jitter included, a run was created.",
    buckets=(*_SECONDS, 60.0, 300.0),
    registry=REGISTRY,
)
COMPILE_SECONDS = Histogram(
    "alula_compile_duration_seconds",
    "How long the compiler took for a workflow with its launch plans; those that it remembers are not counted.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
APPLY_ERRORS = Counter(
    "alula_apply_errors",
    "Definitions of which something could not be written, by reason.",
    ["reason"],
    registry=REGISTRY,
)
NOTICES = Counter(
    "alula_notices",
    "Attempts to tell a place of a run, by namespace, service and result (sent, failed, dead: given up).",
    ["namespace", "service", "result"],
    registry=REGISTRY,
)
EVENTS_DROPPED = Counter(
    "alula_events_dropped", "Events that were not posted, over the rate or refused.", registry=REGISTRY
)
LEADER = Gauge("alula_leader", "1 while this replica holds the Lease.", registry=REGISTRY)
BUILD_INFO = Gauge("alula_build_info", "1, with the version of the controller.", ["version"], registry=REGISTRY)


class State(NamedTuple):
    """A gauge of what there is, which `inventory` makes at each scrape."""

    name: str
    sentence: str
    labels: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, str]:
        """As the client library takes it."""
        return self.name, self.sentence


CONDITION = State(
    "alula_reconcile_condition",
    "1 for each condition of a definition, with its status.",
    ("kind", "namespace", "name", "type", "status"),
)
SUSPENDED = State(
    "alula_suspend_status",
    "1 where the schedule of a launch plan is suspended, else 0.",
    ("kind", "namespace", "name"),
)
DOMAIN_RUNS = State(
    "alula_domain_runs",
    "Runs of a namespace that are not over, by state (running, waiting for admission).",
    ("namespace", "state"),
)
DOMAIN_QUOTA = State("alula_domain_quota_runs", "How many runs its Domain lets run at a time.", ("namespace",))
DOMAIN_OLDEST = State(
    "alula_domain_oldest_waiting_seconds",
    "For how long the run has waited that has waited for longest.",
    ("namespace",),
)
SCHEDULE_OVERDUE = State(
    "alula_schedule_overdue_seconds", "For how long the schedule has been due that is due for longest; 0 for none."
)
STATES = (CONDITION, SUSPENDED, DOMAIN_RUNS, DOMAIN_QUOTA, DOMAIN_OLDEST, SCHEDULE_OVERDUE)

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
    RUNS_ENDED,
    RUN_SECONDS,
    ADMISSION_SECONDS,
    NODES_FILLED,
    CACHE_LOOKUPS,
    LOOKUPS_AHEAD,
    STORES_SILENT,
    FILL_SECONDS,
    SCHEDULED_RUNS,
    SCHEDULE_LAG,
    COMPILE_SECONDS,
    APPLY_ERRORS,
    NOTICES,
    EVENTS_DROPPED,
    LEADER,
    BUILD_INFO,
)

OF_NAMESPACES = (RUNS_ENDED, RUN_SECONDS, ADMISSION_SECONDS, NOTICES)
"""What has the name of a namespace as a label, and is to be forgotten with it."""


def described() -> dict[str, str]:
    """Every metric as it is scraped, with its sentence; of a histogram the name without `_bucket`."""
    counters = {f"{each._name}_total" if isinstance(each, Counter) else each._name: each for each in ALL}
    found = {name: str(each._documentation) for name, each in counters.items()}
    return dict(sorted({**found, **{each.name: each.sentence for each in STATES}}.items()))


def forget(namespace: str, launch_plan: str | None = None) -> None:
    """Remove what is counted of a launch plan, or of a whole namespace, that is gone."""
    if launch_plan is not None:
        RUNS_ENDED.remove_by_labels({"namespace": namespace, "launch_plan": launch_plan})
        return
    for each in OF_NAMESPACES:
        each.remove_by_labels({"namespace": namespace})


def render() -> bytes:
    """The exposition text."""
    return generate_latest(REGISTRY)
