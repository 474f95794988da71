"""The kind `Domain`: what holds for everything in a namespace. Written by the platform, never by a release."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic

from alula_api.contract.notices import MAX_PLACES
from alula_api.contract.queue import MAX_INTENTS, MAX_PASSED, MAX_PRIORITY
from alula_api.contract.retries import MAX_RETRIES
from alula_api.kinds.fields import (
    Count,
    Duration,
    Image,
    Label,
    LabelKey,
    Listed,
    Mapped,
    ObjectName,
    Part,
    Positive,
    Prefix,
    Quantity,
    Whole,
    Word,
    bounded,
)
from alula_api.kinds.notice_places import NoticePlace
from alula_api.kinds.resources import AGE, MESSAGE, READY, Column, Kind, NameRule, Resource, Status
from alula_api.kinds.workflows import LabelValue, PodSettings, Toleration


class Storage(Part):
    """Where the domain's data lies."""

    root: Label | None = pydantic.Field(None, description="one of the installation's roots, by name")
    secret: ObjectName | None = pydantic.Field(
        None, description="Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the pods"
    )


class Interruptible(Part):
    """The nodes that may be taken away at any moment, as those that a cloud sells for less."""

    node_selector: Annotated[dict[str, LabelValue], Mapped(16)] = pydantic.Field(
        description="the labels by which such a node is known"
    )
    tolerations: Annotated[list[Toleration], Listed(16)] = pydantic.Field([], description="of the taints that it has")


class PodTemplate(PodSettings):
    """What tasks' pods have that name it."""

    name: Label


class DefaultRetries(Part):
    """What stands for a task's `retries` where the task says nothing."""

    system: Annotated[int, Whole(0, MAX_RETRIES)] | None = pydantic.Field(
        None, description="losses of pods and stores after which there is another attempt"
    )


Quantities = Annotated[dict[str, Quantity], Mapped(32)]


class DefaultResources(Part):
    """What stands for a task's requests and limits where the task names neither for a resource."""

    requests: Quantities = pydantic.Field({}, description="what the scheduler sets aside")
    limits: Quantities = pydantic.Field({}, description="what the container may use at most")


class TaskDefaults(Part):
    """What holds for the domain's tasks where they say nothing."""

    retries: DefaultRetries | None = None
    resources: DefaultResources | None = None
    timeout: Duration | None = pydantic.Field(None, description="of one attempt")
    interruptible: bool | None = pydantic.Field(None, description="whether tasks may run on interruptible nodes")
    pod_template: Label | None = pydantic.Field(None, description="one of podTemplates, of tasks that name none")


class TaskLimits(Part):
    """What no task of the domain may go beyond."""

    resources: Quantities = pydantic.Field({}, description="the most of each resource that a task may request or use")
    timeout: Duration | None = pydantic.Field(
        None, description="the longest timeout of an attempt; with it, every task needs one"
    )
    forbid: Annotated[
        list[
            Literal[
                "NodeSelector",
                "Tolerations",
                "Affinity",
                "PriorityClass",
                "ServiceAccount",
                "Labels",
                "Annotations",
                "SharedMemory",
                "Secrets",
                "Claims",
                "ConfigMaps",
            ]
        ],
        Listed(16, unique=True),
    ] = pydantic.Field([], description="what no task may say of its pod")


class Images(Part):
    """The images that tasks may run in."""

    allow: Annotated[list[Image], Listed(64, unique=True)] = pydantic.Field(
        [], description="how a name may begin, up to a / or its end: ghcr.io/acme; all when there is none"
    )
    digests: Literal["Required", "Optional"] | None = pydantic.Field(
        None, description="whether an image is named by its digest; Optional when absent"
    )


class Pool(Part):
    """What a number of tasks may use at a time, over all runs."""

    name: Label
    limit: Positive


class Egress(Part):
    """Where pods may connect to."""

    cidr: Annotated[str, bounded(49, "^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
    ports: Annotated[list[Annotated[int, Whole(1, 65535)]], Listed(16, unique=True)] = pydantic.Field(
        [], description="all when there are none"
    )


class Guards(Part):
    """What Kubernetes itself holds the domain to: `alula domain render` writes these objects into git."""

    policies: Literal["Open", "Strict"] | None = pydantic.Field(
        None, description="which admission policies hold; Open when absent"
    )
    quota: Quantities = pydantic.Field({}, description="hard limits of the ResourceQuota: pods, limits.memory")
    containers: DefaultResources | None = pydantic.Field(
        None, description="the LimitRange: what containers get that name neither request nor limit"
    )
    egress: Annotated[list[Egress], Listed(32)] = pydantic.Field(
        [], description="the only places outside of the cluster's DNS that pods reach; everywhere when there are none"
    )
    account_annotations: Annotated[dict[str, Annotated[str, bounded(1024, least=0)]], Mapped(16)] = pydantic.Field(
        {}, description="of the pods' ServiceAccount: workload identity"
    )


class Triggers(Part):
    """What may start runs of the domain's launch plans."""

    sources: Annotated[list[Label], Listed(64, unique=True)] = pydantic.Field(
        [], alias="from", description="domains of the same project whose runs may, with inline values only, by name"
    )


class Retention(Part):
    """How long runs are kept after their end, and what they were started from."""

    succeeded: Duration | None = pydantic.Field(None, description="runs that succeeded; 7d when absent")
    failed: Duration | None = pydantic.Field(None, description="all others; 30d when absent")


class LabelLimit(Part):
    """How many runs with the same value of a label run at a time."""

    key: LabelKey
    limit: Positive


class Quota(Part):
    """How many runs of the domain run at a time, and in which order the others follow."""

    running: Positive | None = pydantic.Field(None, description="runs at a time; any number when absent")
    queued: Positive | None = pydantic.Field(
        None, description="runs that may wait; the newest beyond it fail; any number when absent"
    )
    limits: Annotated[list[LabelLimit], Listed(20, key="key")] = pydantic.Field(
        [], description="for runs with the same value of a label"
    )
    max_priority: Annotated[int, Whole(0, MAX_PRIORITY)] | None = pydantic.Field(
        None, description=f"to which the priority of every run is cut; {MAX_PRIORITY} when absent"
    )
    aging_after: Duration | None = pydantic.Field(
        None, description="each time that a run has waited for so long again, its priority counts one higher"
    )
    max_passed: Count | None = pydantic.Field(
        None,
        description="how often a run that lacks resources is passed over before what becomes free is kept for it; "
        f"{MAX_PASSED} when absent",
    )


class DomainSpec(Part):
    """What a Domain should be."""

    storage: Storage | None = None
    fill: Literal["Controller", "Disabled"] | None = pydantic.Field(
        None, description="whether cached tasks are filled in before a run starts; Controller when absent"
    )
    task_defaults: TaskDefaults | None = None
    quota: Quota | None = None
    suspend: bool | None = pydantic.Field(None, description="true: no run is let go; those that run go on")
    schedules: Literal["Enabled", "Disabled"] | None = pydantic.Field(
        None, description="whether launch plans' schedules start runs here; Enabled when absent"
    )
    triggers: Triggers | None = None
    task_limits: TaskLimits | None = None
    source: Literal["Committed", "Any"] | None = pydantic.Field(
        None, description="whether a release must have been registered from committed files; Any when absent"
    )
    interruptible: Interruptible | None = pydantic.Field(
        None, description="the nodes for interruptible tasks; without it they run as all others"
    )
    pod_templates: Annotated[list[PodTemplate], Listed(32, "name")] = pydantic.Field(
        [], description="settings of pods that tasks name"
    )
    images: Images | None = None
    pools: Annotated[list[Pool], Listed(64, "name")] = pydantic.Field([], description="limits across runs")
    resources: Quantities = pydantic.Field(
        {}, description="what all runs together may request, by the estimates of their peaks"
    )
    guards: Guards | None = None
    retention: Retention | None = pydantic.Field(
        None, description="how long runs are kept; revisions stay for the longer of the two after they were replaced"
    )
    notifications: Annotated[list[NoticePlace], Listed(MAX_PLACES, key="name")] = pydantic.Field(
        [], description="places that launch plans may have told of their runs"
    )


class Intent(Part):
    """A run that was chosen to run and does not carry the mark of it yet."""

    uid: Word
    name: Word


class Passed(Part):
    """A waiting run that lacks resources and was passed over."""

    uid: Word
    times: Count


class Admission(Part):
    """What becomes of the domain's runs; the controller's ledger."""

    running: Count | None = pydantic.Field(None, description="runs that were let go and are not over")
    waiting: Count | None = pydantic.Field(None, description="runs that wait in the queue")
    oldest: Word | None = pydantic.Field(None, description="when the one that waits for longest was made")
    pace: Count | None = pydantic.Field(
        None, description="roughly the seconds between two runs that were let go lately, while others wait"
    )
    intents: Annotated[list[Intent], Listed(MAX_INTENTS, key="uid")] = pydantic.Field([])
    passed: Annotated[list[Passed], Listed(MAX_INTENTS, key="uid")] = pydantic.Field([])


class DomainStatus(Status):
    """What became of a Domain."""

    project: Annotated[str, pydantic.Field(max_length=63)] | None = pydantic.Field(
        None, description="from the label of the namespace"
    )
    domain: Annotated[str, pydantic.Field(max_length=63)] | None = pydantic.Field(
        None, description="from the label of the namespace"
    )
    store: Prefix | None = pydantic.Field(None, description="the prefix under which the domain's data lies")
    admission: Admission | None = None


class Domain(Resource):
    """What holds for a namespace."""

    KIND: ClassVar[Kind] = Kind(
        name="Domain",
        plural="domains",
        short="adom",
        description="Domain holds for every workflow of its namespace: where data lies, and what is allowed.",
        columns=(
            Column("Project", ".status.project"),
            Column("Domain", ".status.domain"),
            Column("Running", ".status.admission.running", "integer"),
            Column("Waiting", ".status.admission.waiting", "integer"),
            READY,
            MESSAGE,
            AGE,
        ),
        name_rules=(
            NameRule(
                cel="self.metadata.name == 'domain'",
                holds=lambda name: name == "domain",
                message="must be domain, because a namespace has one Domain",
            ),
        ),
    )

    kind: Literal["Domain"] = "Domain"
    spec: DomainSpec = pydantic.Field(default_factory=DomainSpec)
    status: DomainStatus | None = None
