"""WorkflowRevisions: the plan and the compiled spec of each revision, stored before the template that names it. Pure.

Runs are checked and filled in against the revision they carry, not against the newest resource. So a revision is never
owned by its Workflow: it outlives one that is deleted or made anew, for as long as runs carry it, and for the
`retention` of its Domain after it was replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alula_api.contract import jsontext, labels
from alula_controller import timestamps
from alula_controller.cluster import resources

YOUNGEST = timedelta(hours=1)  # a run that was just created may not carry its label yet

_MOST_LABEL = 63  # Argo writes the name of a run's template into a label

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Revision:
    """A revision in the cluster, by its metadata.

    Attributes:
        workflow_uid: Of the Workflow that is, or was last, compiled to it.
        replaced: When it ceased to be what its Workflow is compiled to; empty while it is.
    """

    name: str
    uid: str
    workflow_uid: str = ""
    created: str = ""
    replaced: str = ""

    @classmethod
    def of(cls, body: Body) -> Revision:
        """From an object or its metadata-only form."""
        metadata = body["metadata"]
        marks = metadata.get("labels") or {}
        return cls(
            str(metadata["name"]),
            str(metadata["uid"]),
            str(marks.get(labels.OWNER_UID) or ""),
            str(metadata.get("creationTimestamp") or ""),
            str((metadata.get("annotations") or {}).get(labels.REPLACED) or ""),
        )

    @property
    def template(self) -> str:
        """The template that it is of: `<template>-<8 digits>`."""
        return template_of(self.name)

    def left(self, retention: timedelta, now: datetime) -> timedelta:
        """How long it stays yet, runs that carry it aside; all of its retention where it was not replaced yet."""
        since = timestamps.parse(self.replaced) or now
        return max(retention, YOUNGEST) - (now - since)


def name_of(template: Body) -> str:
    """The revision that a compiled template puts on its runs; empty for a template that names none."""
    metadata = (template.get("spec") or {}).get("workflowMetadata") or {}
    return str((metadata.get("labels") or {}).get(labels.REVISION) or "")


def template_of(revision: str) -> str:
    """The template of a revision of this name."""
    return revision.rpartition("-")[0]


def template_for(revision: str) -> str:
    """The template from which a run of a revision that was replaced is started; it serves for nothing else."""
    template, _, digits = revision.rpartition("-")
    return f"{template[: _MOST_LABEL - len(digits) - 1].rstrip('-.')}-{digits}"


def carried_by(run: Body) -> str:
    """The revision that a run was started with; empty for one that Argo never looked at."""
    return str((run["metadata"].get("labels") or {}).get(labels.REVISION) or "")


def build(template: Body, plan: str, workflow: Body) -> dict[str, Any]:
    """The WorkflowRevision of a compiled template (before it is stamped)."""
    metadata = workflow["metadata"]
    plan_label = (template["metadata"].get("labels") or {}).get(labels.LAUNCH_PLAN)
    return {
        "apiVersion": resources.REVISIONS.api_version,
        "kind": resources.REVISIONS.kind,
        "metadata": {
            "name": name_of(template),
            "namespace": metadata["namespace"],
            "labels": {
                labels.MANAGED_BY: labels.MANAGER,
                labels.WORKFLOW: metadata["name"],
                labels.OWNER_UID: metadata["uid"],
                **({labels.LAUNCH_PLAN: plan_label} if plan_label else {}),
            },
        },
        "spec": {
            "workflow": metadata["name"],
            "plan": plan,
            "spec": jsontext.encode(template["spec"]),
        },
    }


def template_spec(revision: Body) -> dict[str, Any]:
    """The spec of the compiled template that a revision keeps.

    Raises:
        InvalidValue: For a text that is not JSON.
    """
    spec = jsontext.parse(str((revision.get("spec") or {}).get("spec") or ""))
    return spec if isinstance(spec, dict) else {}
