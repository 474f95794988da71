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
COMPILED: Final = "alula.dev/compiled"
RECONCILE: Final = "alula.dev/reconcile"

SENTENCES: Final[dict[str, str]] = {
    MANAGED_BY: "Label: `alula` on every object that the controller applies.",
    WORKFLOW: "Label of templates, cron workflows, revisions and runs: the Workflow that they are made from.",
    LAUNCH_PLAN: "Label of templates, cron workflows and runs: the LaunchPlan that they are made from.",
    VERSION: "Label of templates and runs: the Workflow's `spec.version`, of its own content alone.",
    REVISION: "Label of revisions and runs: the ControllerRevision with the plan that the run follows.",
    TASK: "Label of pods: the task, by its name in the Workflow.",
    PROJECT: "Label of a namespace, set by whoever makes it, and of runs: the project.",
    DOMAIN: "Label of a namespace, set by whoever makes it, and of runs: the domain.",
    ADMITTED: "Label of a run that was admitted: the run's own uid, because resubmitting copies labels.",
    OWNER_UID: "Label of objects that outlive their definition: the uid of that definition.",
    SOURCE: "Annotation of Workflows and LaunchPlans: the file of the definition.",
    COMMIT: "Annotation of Workflows: the source commit that their code was built from, `-dirty` where files differed.",
    REASON: "Annotation of a run: who or what started it, and why.",
    RESTARTED_AS: "Annotation of a run that was started again because data was lost: the run that took its place.",
    COMPILED: "Annotation of templates and cron workflows: a digest of what the controller applied.",
    RECONCILE: "Annotation of a definition: a new value asks for another look; its status repeats it.",
    RESTARTED_FROM: "Annotation of a run that was started again because data of an earlier one was lost: that run.",
}
