"""What the compiler is told about the installation and about the engine's limits; values only.

The controller fills an `Engine` from its configuration and the namespace's labels. Nothing in it comes from a tenant's
text: where data is read and written is decided by the platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alula_api.contract import schedules


@dataclass(frozen=True, slots=True)
class Limits:
    """How large compiled objects may become.

    Argo's full CRDs (4.0 and 4.1) set `dag_tasks`, `templates` and `parameters`. The others keep a run below the 1 MiB
    that Argo allows it: it holds the compiled spec twice, uncompressed, beside its packed nodes and their values.
    """

    dag_tasks: int = 199
    """Tasks of a DAG: Argo takes 200, and `admit` is one of them."""
    templates: int = 200
    """Templates of an object: one a task, graph and piece of a graph."""
    parameters: int = 500
    """Parameters of a template: inputs, outputs, and what passes between the pieces of a graph."""
    spec_bytes: int = 200_000
    """The compiled spec as JSON."""
    plan_bytes: int = 500_000
    """The plan as JSON: it lies beside the spec in one object of at most 1 MiB, both as escaped text."""
    ports: int = 20_000
    """Inputs of all forms in which graphs are called, together."""
    run_nodes: int = 3_000
    """Calls in a whole run, those of graphs counted each time they are called."""
    nesting: int = 50
    """Graphs inside graphs; Argo takes 100 levels, and a task with retries is two."""
    template_name: int = 54
    """The revision's name is `<name>-<8 characters>`, and it is also a label's value of at most 63."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The installation, as far as it shows in compiled objects."""

    store: str
    """Prefix under which the domain's data lies, as a URL."""
    releases: str
    """Prefix of the project's code bundles, as a URL."""
    endpoint: str = ""
    """Address of the object store where it is not the provider's own."""
    secret: str = ""
    """Secret with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` for the pods; empty with workload identity.

    A Domain may name another one.
    """
    service_account: str = "alula-task"
    image_pull_policy: str = ""
    log_format: str = ""
    """Of alula's own lines in the logs of pods: `json`; empty for text."""
    least_interval: int = schedules.LEAST_INTERVAL
    """Seconds of the shortest interval of a schedule."""
    limits: Limits = field(default=Limits())

    @classmethod
    def preview(cls) -> Engine:
        """Return an installation that exists nowhere, for `alula compile`, `alula diff` and tests."""
        return cls(store="s3://alula-preview/project/domain", releases="s3://alula-preview/project/releases")
