"""Every label and annotation that alula writes or reads, with one sentence each; the docs are made from it.

These are API: people select by them. A key may be added, never given a new meaning.
"""

from __future__ import annotations

from typing import Final

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "alula"
"""The value of `MANAGED_BY`."""

WORKFLOW: Final = "alula.dev/workflow"
LAUNCH_PLAN: Final = "alula.dev/launch-plan"
VERSION: Final = "alula.dev/version"
REVISION: Final = "alula.dev/revision"
TASK: Final = "alula.dev/task"
PROJECT: Final = "alula.dev/project"
DOMAIN: Final = "alula.dev/domain"
ADMITTED: Final = "alula.dev/admitted"
OWNER_UID: Final = "alula.dev/owner-uid"
SOURCE: Final = "alula.dev/source"
COMMIT: Final = "alula.dev/commit"
REASON: Final = "alula.dev/reason"
RESTARTED_FROM: Final = "alula.dev/restarted-from"
RESTARTED_AS: Final = "alula.dev/restarted-as"
STOP: Final = "alula.dev/stop"
POLICIES: Final = "alula.dev/policies"
COMPILED: Final = "alula.dev/compiled"
REPLACED: Final = "alula.dev/replaced"
RECONCILE: Final = "alula.dev/reconcile"
RUN_REQUESTED: Final = "alula.dev/run-requested"
RETRY_REQUESTED: Final = "alula.dev/retry-requested"
SUSPENDED: Final = "alula.dev/suspended"
QUEUE: Final = "alula.dev/queue"
PRIORITY: Final = "alula.dev/priority"
FORCED: Final = "alula.dev/forced"
SCHEDULE: Final = "alula.dev/schedule"
TICK: Final = "alula.dev/tick"
BACKFILL: Final = "alula.dev/backfill"
OUTCOME: Final = "alula.dev/outcome"
FAILURE_POLICY: Final = "alula.dev/failure-policy"
TRIGGER: Final = "alula.dev/trigger"
TRIGGERED: Final = "alula.dev/triggered"
TRIGGERED_BY: Final = "alula.dev/triggered-by"
TRIGGERED_IN: Final = "alula.dev/triggered-in"
CHAIN: Final = "alula.dev/chain"
ESTIMATE: Final = "alula.dev/estimate"
POOLS: Final = "alula.dev/pools"
HANDLERS: Final = "alula.dev/handlers"
DEADLINE: Final = "alula.dev/deadline"
NOTICES: Final = "alula.dev/notices"
NOTIFIED: Final = "alula.dev/notified"
OVERDUE: Final = "alula.dev/overdue"
HANDLES: Final = "alula.dev/handles"
STARTED_BY: Final = "alula.dev/started-by"
INPUTS: Final = "alula.dev/inputs"

OF_THE_CLUSTER: Final = (
    COMPILED,
    ADMITTED,
    RECONCILE,
    REASON,
    RESTARTED_FROM,
    RESTARTED_AS,
    RUN_REQUESTED,
    RETRY_REQUESTED,
    SUSPENDED,
    QUEUE,
    PRIORITY,
    FORCED,
    SCHEDULE,
    TICK,
    BACKFILL,
    OUTCOME,
    TRIGGER,
    TRIGGERED,
    TRIGGERED_BY,
    TRIGGERED_IN,
    CHAIN,
    ESTIMATE,
    POOLS,
    NOTICES,
    NOTIFIED,
    OVERDUE,
    HANDLES,
    STARTED_BY,
    INPUTS,
)
"""Annotations and labels that say what happened on a cluster, and so stand in no file in git."""

SENTENCES: Final[dict[str, str]] = {
    MANAGED_BY: "Label: `alula` on every object that the controller applies.",
    WORKFLOW: "Label of templates, revisions and runs: the Workflow that they are made from.",
    LAUNCH_PLAN: "Label of templates and runs: the LaunchPlan that they are made from.",
    VERSION: "Label of templates and runs: the Workflow's `spec.version`, of its own content alone.",
    REVISION: "Label of runs: the WorkflowRevision with the plan that the run follows.",
    TASK: "Label of pods: the task, by its name in the Workflow.",
    PROJECT: "Label of a namespace, set when it is made, and of runs: the project.",
    DOMAIN: "Label of a namespace, set when it is made, and of runs: the domain.",
    ADMITTED: "Label of an admitted run: its own uid and when the answered hold began; resubmitting copies labels.",
    OWNER_UID: "Label of objects that outlive their definition, such as scheduled runs: the uid of that definition.",
    SOURCE: "Annotation of Workflows and LaunchPlans: the file of the definition.",
    COMMIT: "Annotation of Workflows: the source commit that their code was built from, `-dirty` where files differed.",
    REASON: "Annotation of a run: who or what started it, and why.",
    RESTARTED_AS: "Annotation of a run that was started again because data was lost: the run that took its place.",
    STOP: "Annotation of a run, set by `alula stop`: it is to end, and why.",
    POLICIES: "Label of a namespace: `open`, as without it, `strict` or `off`; which admission policies hold there.",
    COMPILED: "Annotation of templates: a digest of what the controller applied.",
    REPLACED: "Annotation of a revision: since when it is no longer what its Workflow is compiled to.",
    RECONCILE: "Annotation of a definition: a new value asks for another look; its status repeats it.",
    RUN_REQUESTED: "Annotation of a definition: a new value, such as who asks and when, starts one run.",
    RETRY_REQUESTED: "Annotation of a definition: a new value starts the last failed run again, as it was compiled.",
    SUSPENDED: "Annotation of a LaunchPlan: its schedule starts nothing while it is there; says who holds it and why.",
    QUEUE: "Annotation of the template of a launch plan: what it asks of the domain's queue, as JSON.",
    PRIORITY: "Annotation of a run: its priority in the domain's queue, in place of its launch plan's.",
    FORCED: "Annotation of a run that an operator lets go whatever the quota says: the run's own uid, and who.",
    SCHEDULE: "Annotation of the template of a launch plan: when the controller starts runs of it, as JSON.",
    TICK: "Annotation of a run: the scheduled time that it was started for.",
    DEADLINE: "Annotation of runs: the `spec.deadline` of LaunchPlan or Workflow, which begins with their admission.",
    HANDLES: "Annotation of a run that handles the end of another one: that run.",
    STARTED_BY: "Label of an admitted or refused run: `schedule`, `backfill`, `trigger`, `release`, `event`, `handler`,"
    " `recovery` or `person`.",
    INPUTS: "Label of an admitted run: a digest of its inputs, by which a later run of the same revision finds it.",
    OVERDUE: "Annotation of a run past its deadline: when Argo was last made to look at it.",
    HANDLERS: "Label of runs with `spec.handlers`: `pending`, or `done` when they were started; annotation: which.",
    FAILURE_POLICY: "Label of templates and runs: the Workflow's `spec.failurePolicy`, where it says one.",
    BACKFILL: "Annotation of a run that `alula backfill` made: it waits, whatever its launch plan's policy; `true`.",
    OUTCOME: "Label of a run that its launch plan's `concurrency.policy` ended: `skipped` or `replaced`.",
    TRIGGER: "Annotation of the template of a launch plan: the end of which other runs starts runs of it, as JSON.",
    TRIGGERED: "Label of a run that is over: the run's own uid, once everything that its end starts was started.",
    TRIGGERED_BY: "Annotation of a run that the end of another one started: that run, `domain/run` of another domain.",
    TRIGGERED_IN: "Annotation of a run that is over: its uid and the namespaces in which all that its end starts was,"
    " while there are others left.",
    CHAIN: "Annotation of a run that the end of another one started: the launch plans before it, with commas between.",
    ESTIMATE: "Annotation of a run: what it requests at its peak, estimated from its graph, as JSON.",
    POOLS: "Annotation of a run: the pools of the domain that its tasks take places in, with commas between them.",
    NOTICES: "Label of runs: `pending`, or `done` when all were told; annotation of a launch plan's template: who is.",
    NOTIFIED: "Annotation of a run: the run's own uid, what is to be told of it and what was, as JSON.",
    RESTARTED_FROM: "Annotation of a run that starts an earlier one again, on demand or for lost data: that run.",
}
